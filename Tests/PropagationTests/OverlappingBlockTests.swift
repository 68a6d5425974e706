import RelevanceKit
import RelevanceTestSupport
import Testing

/// Col2Im's derivative and relevance, against its definition in double precision: each pixel is the sum of the
/// overlapping blocks' elements.
@Suite struct OverlappingBlockTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let image: [Int]
    let block: [Int]
    var padding = [0, 0]
    var strides = [1, 1]
    var dilations = [1, 1]
    /// The number of blocks along each axis.
    let blocks: [Int]
    var testDescription: String { name }

    /// Calls `body` with the position of each element of the columns, in the columns and in the image, for one channel.
    func forEachTerm(_ body: (_ column: Int, _ pixel: Int) -> Void) {
      for row in 0..<block[0] {
        for column in 0..<block[1] {
          for y in 0..<blocks[0] {
            for x in 0..<blocks[1] {
              let place = [
                y * strides[0] + row * dilations[0] - padding[0], x * strides[1] + column * dilations[1] - padding[1],
              ]
              guard (0..<image[0]).contains(place[0]), (0..<image[1]).contains(place[1]) else { continue }
              body(((row * block[1] + column) * blocks[0] + y) * blocks[1] + x, place[0] * image[1] + place[1])
            }
          }
        }
      }
    }
  }

  static let cases = [
    Case(name: "overlap", image: [5, 5], block: [3, 3], padding: [1, 1], strides: [2, 2], blocks: [3, 3]),
    Case(name: "plain", image: [4, 5], block: [2, 2], blocks: [3, 4]),
    Case(name: "uneven", image: [5, 6], block: [3, 2], padding: [1, 0], strides: [2, 2], blocks: [2, 3]),
    Case(name: "gaps", image: [6, 6], block: [2, 2], strides: [4, 4], blocks: [2, 2]),
    Case(name: "dilated", image: [7, 5], block: [2, 3], dilations: [3, 1], blocks: [4, 3]),
  ]

  /// Compares relevance that is propagated from the image to the columns with the expected share of each term.
  private func expect(
    _ one: Case, under table: RuleTable, _ share: (_ x: Double, _ pixel: Double, _ r: Double) -> Double
  ) throws {
    let network = try NeuralNetwork(contentsOf: Fixtures.path("operators/col2im-\(one.name)/model.onnx"))
    // Values of one sign, so that no sum is near 0.
    let x = try Fixtures.tensor("operators/col2im-\(one.name)/input.npy").map { abs($0) + 0.1 }
    let walk = try Walk(network, table, x)
    let end = network.graph[network.graph.output].name
    let r = Seeded.tensor(walk.value(end).shape, seed: 7)
    let (values, upstream) = (x.doubles, r.doubles)
    let (pixels, columns) = (one.image.reduce(1, *), (one.block + one.blocks).reduce(1, *))
    var expected = [Double](repeating: 0, count: x.count)
    for plane in 0..<x.count / columns {
      var sums = [Double](repeating: 0, count: pixels)
      one.forEachTerm { sums[$1] += values[plane * columns + $0] }
      one.forEachTerm { column, pixel in
        let place = plane * columns + column
        expected[place] = share(values[place], sums[pixel], upstream[plane * pixels + pixel])
      }
    }
    #expect(walk.relevance(from: end, r).largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  @Test(arguments: cases) func derivative(one: Case) throws {
    try expect(one, under: .gradient()) { _, _, r in r }
  }

  @Test(arguments: cases) func sharesInProportion(one: Case) throws {
    for table in [RuleTable.default(pixelRange: nil), .cpLRP] { try expect(one, under: table) { $0 / $1 * $2 } }
  }
}
