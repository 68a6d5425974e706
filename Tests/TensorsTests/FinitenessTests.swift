import Foundation
import RelevanceSupport
import RelevanceTensors
import Testing

/// Counts of NaN and infinities, compared with `Float`'s own properties.
@Suite struct FinitenessTests {
  @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 63, 64, 65, 1000, (1 << 20) + 3])
  func countsCoverEveryElement(count: Int) {
    var random = SplitMix64(state: UInt64(count))
    for spoiled in 0..<6 {
      // Any bits except an exponent of ones; this includes zeros, subnormal numbers and the largest numbers.
      var elements = (0..<count).map { _ in
        let bits = UInt32(truncatingIfNeeded: random.next())
        return Float(bitPattern: bits & 0x7F80_0000 == 0x7F80_0000 ? bits & ~0x0080_0000 : bits)
      }
      for _ in 0..<(count > 0 ? spoiled : 0) {
        elements[random.nextIndex(below: count)] =
          [.nan, .infinity, -.infinity, -.nan, .signalingNaN][
            random.nextIndex(below: 5)]
      }
      let (nan, infinite) = (elements.filter(\.isNaN).count, elements.filter(\.isInfinite).count)
      let found = Tensor(shape: [count], elements: elements).notFinite()
      #expect(found?.nan == (nan + infinite > 0 ? nan : nil))
      #expect(found?.infinite == (nan + infinite > 0 ? infinite : nil))
    }
  }

  @Test func onlyTheTensorsOwnElementsCount() {
    let batch = Tensor(shape: [3, 2], elements: [.nan, 1, 2, 3, 4, .infinity])
    #expect(batch.item(1).notFinite() == nil)
    #expect(batch.item(2).notFinite()?.infinite == 1)
  }
}
