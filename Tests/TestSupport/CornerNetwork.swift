import RelevanceKit

/// A network whose 8 hidden units each respond to one of the four corners of 3 × 24 × 24 pixels. Units `u` and `u + 4`
/// respond to the same corner.
package enum CornerNetwork {
  /// The side of the input.
  package static let side = 24
  /// The number of units of the layers `fc` and `relu2`.
  package static let units = 8

  /// The rows and columns of the corner that a unit responds to.
  package static func corner(of unit: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (near, far) = (2..<9, 15..<22)
    return (unit / 2 % 2 == 0 ? near : far, unit % 2 == 0 ? near : far)
  }

  /// The weights of `fc`, units × pixels: positive in a unit's corner, slightly negative everywhere else.
  package static let weight = {
    var weight = Tensor(shape: [units, 3, side, side], repeating: -0.01)
    for unit in 0..<units {
      let corner = corner(of: unit)
      for channel in 0..<3 {
        for row in corner.rows {
          for column in corner.columns {
            let noise = Seeded.value(21, (unit * side + row) * side + column, low: 0, high: 0.2)
            weight[unit, channel, row, column] = (unit < 4 ? 1 : 0.6) + noise
          }
        }
      }
    }
    return weight.reshaped(to: [units, 3 * side * side])
  }()

  /// Pixels in 0…1.
  package static func input() -> Tensor { Seeded.tensor([1, 3, side, side], seed: 31, low: 0, high: 1) }

  /// `conv` (an identity for each channel), `relu1`, `flatten`, `fc`, `relu2`, `head`; for a batch of any size or a
  /// fixed batch of one.
  package static func network(fixesBatch: Bool = false) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, side, side])
    let identity = Tensor(shape: [3, 3, 1, 1], elements: [1, 0, 0, 0, 1, 0, 0, 0, 1])
    builder.add(
      "conv", .convolution(Convolution(weight: identity, bias: nil, window: try Window(kernel: [1, 1]), groups: 1)))
    builder.add("relu1", .relu)
    builder.add("flatten", .flatten(axis: 1))
    builder.add("fc", .linear(Linear(weight: weight, bias: nil)))
    builder.add("relu2", .relu)
    builder.add("head", .seededLinear(inputs: units, outputs: 5, seed: 2))
    guard fixesBatch else { return try builder.network() }
    var nodes = try builder.graph().nodes
    nodes[0] = Node(name: "x", operation: .input(SymbolicShape([1, 3, side, side].map { .fixed($0) })), inputs: [])
    return try NeuralNetwork(Graph(name: "corners", nodes: nodes, output: Node.ID(nodes.count - 1)))
  }

  /// An explainer with the default table.
  package static func explainer(
    fixesBatch: Bool = false, threads: Int? = nil, memoryBudget: Int = 1 << 30
  ) throws -> Explainer {
    let range = PixelRange(lower: [0, 0, 0], upper: [1, 1, 1])
    return try Explainer(
      network(fixesBatch: fixesBatch), rules: .default(pixelRange: range), threads: threads, memoryBudget: memoryBudget)
  }
}
