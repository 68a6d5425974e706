import RelevanceTensors

/// The first operand's slices at the positions in the second operand; each row of its last axis is a position.
package struct GatherND: Selecting {
  /// The number of leading axes that both operands share.
  package let batchAxes: Int
  package init(batchAxes: Int) { self.batchAxes = batchAxes }

  package var kind: OperatorKind { .gatherND }
  package var takesLists: Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? { nil }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let indices = try integers(1, of: operands)
    let shape = operands[1].shape
    let (starts, count) = try Scatter.starts(of: indices, shape, in: x, batchAxes: batchAxes)
    let output = try TensorShape(
      checking: shape.dimensions.dropLast() + x.dimensions[(batchAxes + shape[-1])...])
    return Selection(input: x, output: output, positions: starts.flatMap { $0..<$0 + count })
  }
}
