import RelevanceTensors
import RelevanceTestSupport
import RelevanceSupport
import Testing

/// Groups that are known by construction, and eigenvalues calculated by hand.
@Suite struct SpectralClusteringTests {
  /// Similarities of `inside` to the items of the same group and `outside` to others.
  private static func blocks(
    _ groups: [Int], inside: Float, outside: Float, noise: Float = 0, seed: UInt64 = 1
  ) -> Tensor {
    var s = Tensor(shape: [groups.count, groups.count], repeating: 1)
    for i in groups.indices {
      for j in 0..<i {
        let value = (groups[i] == groups[j] ? inside : outside) + noise * s.wobble(i, j, seed)
        s[i, j] = value
        s[j, i] = value
      }
    }
    return s
  }

  @Test(arguments: [
    [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 0, 1, 0, 1], [0, 1, 2, 3, 3, 2, 1, 0], [0, 0, 0, 1, 0, 2, 2], [0, 0, 0, 0, 0],
    [0, 0], [0], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7],
  ])
  func blocksAreFound(groups: [Int]) throws {
    for (inside, outside, noise) in [(1, 0, 0), (0.9, 0.05, 0), (0.8, 0.02, 0.02)] as [(Float, Float, Float)] {
      for seed in 1...5 as ClosedRange<UInt64> {
        let s = Self.blocks(groups, inside: inside, outside: outside, noise: noise, seed: seed)
        let found = try SpectralClustering(similarity: s)
        #expect(found.groups == groups, "\(inside) inside, \(outside) outside, noise \(noise)")
        #expect(found.count == groups.max()! + 1)
      }
    }
  }

  /// Items without similarity are separate groups, regardless of their number; equal items are one group.
  @Test func extremes() throws {
    for n in 1...9 {
      let apart = try SpectralClustering(similarity: Self.blocks(Array(0..<n), inside: 1, outside: 0))
      #expect(apart.groups == Array(0..<n) && apart.count == n)
      #expect(apart.members == (0..<n).map { [$0] })
      for value in [1, 0.3] as [Float] {
        let alike = try SpectralClustering(
          similarity: Self.blocks(Array(repeating: 0, count: n), inside: value, outside: 0))
        #expect(alike.count == 1 && alike.members == [Array(0..<n)])
      }
    }
  }

  /// Two items: `L = I − S/(1 + a)` has the eigenvalues 0 and 2a/(1 + a). Blocks of ones have 0 for each block and 1
  /// otherwise.
  @Test func eigenvalues() throws {
    let two = try SpectralClustering(similarity: Tensor(shape: [2, 2], elements: [1, 0.5, 0.5, 1]))
    #expect(abs(two.eigenvalues[0]) < 1e-6 && abs(two.eigenvalues[1] - 2 / 3.0) < 1e-6)
    let blocks = try SpectralClustering(similarity: Self.blocks([0, 0, 1, 1, 1], inside: 1, outside: 0))
    #expect(zip(blocks.eigenvalues, [0, 0, 1, 1, 1] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// The number of groups is the requested one, or smaller if there are fewer different items.
  @Test func givenCounts() throws {
    let s = Self.blocks([0, 0, 0, 1, 1, 2], inside: 0.9, outside: 0.05)
    #expect(try SpectralClustering(similarity: s, count: 1).groups == [0, 0, 0, 0, 0, 0])
    #expect(try SpectralClustering(similarity: s, count: 3).groups == [0, 0, 0, 1, 1, 2])
    #expect(try SpectralClustering(similarity: s, count: 6).groups == Array(0..<6))
  }

  @Test func nanIsAnError() {
    #expect(throws: SimpleError.self) {
      try SpectralClustering(similarity: Tensor(shape: [3, 3], repeating: .nan))
    }
  }
}

extension Tensor {
  /// A number in −1…1 for each pair.
  fileprivate func wobble(_ i: Int, _ j: Int, _ seed: UInt64) -> Float {
    Seeded.value(seed, i * shape[1] + j, low: -1, high: 1)
  }
}
