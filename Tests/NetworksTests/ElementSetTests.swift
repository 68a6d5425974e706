import RelevanceKit
import RelevanceTestSupport
import Testing

/// Sets of elements as blocks, compared with the same sets as flags.
@Suite struct ElementSetTests {
  /// Random flags, of which about a fraction `share` is set; optionally in lines or planes, like blocks.
  private static func flags(_ shape: TensorShape, share: Double, seed: UInt64) -> [Bool] {
    (0..<shape.count).map { element in
      seed % 3 == 0
        ? Seeded.uniform(seed, element) < share
        : shape.coordinates(of: element).enumerated().allSatisfy {
          Seeded.uniform(seed, 1000 * $0 + $1) < (seed % 3 == 1 ? 0.5 : 0.8)
        }
    }
  }

  @Test(arguments: 0..<90 as Range<UInt64>) func blocksContainTheElements(seed: UInt64) {
    let shapes: [TensorShape] = [[4, 3, 5], [24], [1, 6, 1, 4], [2, 2, 2, 3], []]
    let shape = shapes[Int(seed) % 5]
    let (a, b) = (Self.flags(shape, share: 0.3, seed: seed), Self.flags(shape, share: 0.6, seed: seed + 500))
    var set = ElementSet(shape, flags: a)
    #expect(set.flags == a && set.isEmpty == !a.contains(true))
    set.formUnion(ElementSet(shape, flags: b))
    #expect(set.flags == zip(a, b).map { $0 || $1 })
  }

  @Test(arguments: 0..<60 as Range<UInt64>) func reshapedKeepsTheOrder(seed: UInt64) {
    let shapes: [TensorShape] = [
      [2, 3, 4, 5], [6, 20], [120], [5, 4, 3, 2], [1, 2, 12, 1, 5], [8, 15], [2, 3, 20],
    ]
    let (from, to) = (shapes[Int(seed) % 7], shapes[Int(seed) / 7 % 7])
    let flags = Self.flags(from, share: 0.4, seed: seed)
    let set = ElementSet(from, flags: flags).reshaped(to: to)
    #expect(set.shape == to && set.flags == flags)
  }

  @Test func manyBlocksAreGathered() {
    let shape: TensorShape = [20, 20]
    let flags = (0..<400).map { ($0 / 20 + $0 % 20) % 2 == 0 }
    var set = ElementSet(noneOf: shape)
    for element in 0..<400 where flags[element] {
      set.formUnion(ElementSet(shape, flags: (0..<400).map { $0 == element }))
    }
    #expect(set.flags == flags && set.blocks.count == 2)
  }
}
