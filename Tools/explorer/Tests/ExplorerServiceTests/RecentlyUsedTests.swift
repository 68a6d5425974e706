import ExplorerService
import Testing

@Suite("Cache")
struct RecentlyUsedTests {
  @Test("the least recently used value is removed", arguments: [0, 1, 2])
  func dropsTheOldest(used: Int) {
    var kept = RecentlyUsed<Int, String>(limit: 30)
    for key in 0..<3 { kept.keep("\(key)", for: key, size: 10) }
    #expect(kept.value(for: used) == "\(used)")
    kept.keep("3", for: 3, size: 10)
    let oldest = used == 0 ? 1 : 0
    #expect((0..<4).filter { kept.value(for: $0) == nil } == [oldest])
    #expect(kept.size == 30)
  }

  @Test("the total size never exceeds the limit", arguments: 0..<20 as Range<UInt64>)
  func isBounded(seed: UInt64) {
    var state = seed &* 6_364_136_223_846_793_005 &+ 1
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    var kept = RecentlyUsed<Int, Int>(limit: 100)
    var sizes: [Int: Int] = [:]
    for _ in 0..<500 {
      let (key, size) = (random(12), random(130))
      kept.keep(key, for: key, size: size)
      sizes[key] = size
      #expect(kept.size <= 100)
      #expect((kept.value(for: key) == nil) == (size > 100))
      let there = sizes.filter { kept.first(where: { [key = $0.key] in $0 == key }) != nil }
      #expect(there.values.reduce(0, +) == kept.size)
    }
  }
}
