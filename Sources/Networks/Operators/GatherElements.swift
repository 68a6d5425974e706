import RelevanceTensors

/// For each index in the second operand, the first operand's element with this index along an axis and the index's
/// position along the other axes.
package struct GatherElements: Selecting {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .gatherElements }
  package var takesLists: Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? { operands.count == 2 ? operands[1] ?? operands[0] : nil }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let positions = try Scatter.positions(
      of: try integers(1, of: operands), operands[1].shape, in: x, along: counted(axis, rank: x.rank))
    return Selection(input: x, output: operands[1].shape, positions: positions)
  }
}
