import Networks
import Tensors

/// The shape of every node's output, with the extents open that follow the input's open ones.
///
/// Shapes are inferred for one size of the input, and once more with each open extent changed: an extent of a node that
/// changes is open. It has the name of the input's extent if it is always equal to it, and else none.
struct OpenExtents {
  /// What is inferred for one size that the network takes.
  let example: [Inferred]
  /// The shapes with open extents.
  let shapes: [SymbolicShape]

  /// Infers the shapes of a network.
  ///
  /// - Throws: `GraphError` if its nodes do not fit one another.
  init(of network: Network) throws {
    let base = try network.fittingInputShape()
    let example = try network.graph.inferred(forInput: base)
    var open = example.map { $0.shape.dimensions.map { SymbolicExtent.fixed($0) } }
    for (name, axes) in Self.openAxes(of: network.inputShape) {
      var extents = base.dimensions
      // By a multiple of all that networks usually halve their input by.
      for axis in axes { extents[axis] += axis == 0 ? 2 : 64 }
      let changed = Self.inferred(network.graph, Shape(extents))
      for (index, after) in changed.enumerated() {
        let before = example[index].shape
        guard let after, after.rank == before.rank else {
          open[index] = before.dimensions.map { _ in .symbolic("") }
          continue
        }
        for axis in 0..<before.rank where before[axis] != after[axis] {
          let follows = before[axis] == base[axes[0]] && after[axis] == extents[axes[0]]
          let isFixed = open[index][axis] == .fixed(before[axis])
          open[index][axis] = .symbolic(follows && isFixed ? name : "")
        }
      }
    }
    open[network.input.index] = network.inputShape.extents
    self.example = example
    self.shapes = open.map { SymbolicShape($0) }
  }

  /// The axes that are open, those of one name together.
  private static func openAxes(of shape: SymbolicShape) -> [(name: String, axes: [Int])] {
    var result: [(name: String, axes: [Int])] = []
    for (axis, extent) in shape.extents.enumerated() {
      guard case .symbolic(let name) = extent else { continue }
      if !name.isEmpty, let index = result.firstIndex(where: { $0.name == name }) {
        result[index].axes.append(axis)
      } else {
        result.append((name, [axis]))
      }
    }
    return result
  }

  /// The shapes of all nodes that can be inferred; nil for those that cannot take an input of this size.
  private static func inferred(_ graph: Graph, _ input: Shape) -> [Shape?] {
    var result: [Inferred?] = []
    for node in graph.nodes {
      if case .input = node.operation {
        result.append(Inferred(input))
        continue
      }
      let operands = node.inputs.compactMap { result[$0.index] }
      result.append(operands.count == node.inputs.count ? try? node.operation.inferred(from: operands) : nil)
    }
    return result.map { $0?.shape }
  }
}
