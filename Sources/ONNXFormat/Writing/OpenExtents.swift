import RelevanceNetworks
import RelevanceTensors

/// The shape of every node's output, with open extents where they depend on the open extents of the input.
///
/// Shapes are inferred for one size of the input, and again with each open extent changed in several ways. An extent of
/// a node that changes is open. If it always equals the extent of the input, it has the same name; otherwise it has
/// none.
package struct OpenExtents {
  /// The inferred shapes for one size that the network accepts.
  package let example: [Inferred]
  package let shapes: [SymbolicShape]

  /// Infers the shapes of a network.
  ///
  /// - Throws: `RelevanceKitError` if its nodes do not fit together.
  package init(of network: NeuralNetwork) throws {
    let base = try network.fittingInputShape()
    let example = try network.analysis(forInput: base).inferred
    var open = example.map { $0.shape.dimensions.map { SymbolicExtent.fixed($0) } }
    for (name, axes) in Self.openAxes(of: network.inputShape) {
      // A multiple of the usual downsampling factors fits most often. The next size up detects rounding to such a
      // multiple, and much larger sizes detect limits.
      let sizes = (axes[0] == 0 ? [2, 1, 1000] : [64, 1, 1024, -(base[axes[0]] / 2)]).map { amount in
        TensorShape(base.dimensions.enumerated().map { axes.contains($0.offset) ? $0.element + amount : $0.element })
      }
      let changed = sizes.map { size in network.graph.partlyInferred(forInput: size).map { $0?.shape } }
      for (index, before) in example.map(\.shape).enumerated() {
        // Pairs of an extent of the input and the shape that follows from it.
        let after = zip(sizes, changed).compactMap { size, shapes in shapes[index].map { (size[axes[0]], $0) } }
        guard !after.isEmpty, after.allSatisfy({ $0.1.rank == before.rank }) else {
          open[index] = before.dimensions.map { _ in .symbolic("") }
          continue
        }
        for axis in 0..<before.rank where after.contains(where: { $0.1[axis] != before[axis] }) {
          let follows = before[axis] == base[axes[0]] && after.allSatisfy { $0.1[axis] == $0.0 }
          let isFixed = open[index][axis] == .fixed(before[axis])
          open[index][axis] = .symbolic(follows && isFixed ? name : "")
        }
      }
    }
    open[network.input.index] = network.inputShape.extents
    self.example = example
    self.shapes = open.map { SymbolicShape($0) }
  }

  /// The open axes, grouped by name.
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
}
