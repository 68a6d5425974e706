import RelevanceKit
import Testing

/// Rankings compared with sorted lists.
@Suite struct ReferenceRankingTests {
  private struct Offer: Hashable {
    let channel, input: Int
    let value: Float
  }

  /// Offers with few distinct values, so that many are equal.
  private static func offers(_ seed: UInt64, inputs: Int, channels: Int) -> [Offer] {
    var generator = SplitMix64(state: seed)
    return (0..<inputs).flatMap { input in
      (0..<channels).map { Offer(channel: $0, input: input, value: Float(generator.nextIndex(below: 7)) - 2) }
    }
  }

  private static func entry(_ offer: Offer) -> ReferenceRanking.Entry {
    ReferenceRanking.Entry(
      input: Int32(offer.input), classIndex: Int32(offer.input % 3), value: offer.value, row: Int32(offer.channel),
      column: 4)
  }

  @Test(arguments: [1, 3, 8], [0, 1, 2, 7, 40]) func largestValuesAreKept(top: Int, inputs: Int) {
    for seed in 0..<4 as Range<UInt64> {
      let offers = Self.offers(seed, inputs: inputs, channels: 3)
      var generator = SplitMix64(state: seed + 100)
      var shuffled = offers
      for index in shuffled.indices.reversed() { shuffled.swapAt(index, generator.nextIndex(below: index + 1)) }
      var (whole, parts) = (ReferenceRanking(top: top), (0..<3).map { _ in ReferenceRanking(top: top) })
      for offer in shuffled {
        whole.offer(Self.entry(offer), to: offer.channel)
        parts[offer.input % 3].offer(Self.entry(offer), to: offer.channel)
      }
      var merged = parts[2]
      merged.merge(parts[0])
      merged.merge(parts[1])
      for channel in 0..<whole.channels {
        let expected = offers.filter { $0.channel == channel }
          .sorted { $0.value > $1.value || $0.value == $1.value && $0.input < $1.input }.prefix(top)
        for ranking in [whole, merged] {
          #expect(ranking[channel].map(\.input) == expected.map(\.input))
          #expect(ranking[channel].map(\.value) == expected.map(\.value))
          #expect(ranking[channel].allSatisfy { $0.position == [channel, 4] && $0.classIndex == $0.input % 3 })
        }
      }
      #expect(whole == merged)
    }
  }
}
