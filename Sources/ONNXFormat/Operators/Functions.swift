import Networks

extension NodeReader {
  /// A function of each element.
  func elementwise(_ function: some ElementwiseFunction) throws -> Imported { .node(function, [try operand(0, "X")]) }

  /// A function of pairs of elements.
  func pairwise(_ function: some PairwiseFunction) throws -> Imported {
    .node(function, [try operand(0, "A"), try operand(1, "B")])
  }

  /// An operator that is only computed of what follows from shapes.
  func ofShapes(_ function: some LiteralFunction) throws -> Imported {
    .node(function, try operands.indices.map { try operand($0, "\($0)") })
  }

  /// Sum, Min, Max of any number of operands, two at a time.
  func chain(_ operation: any Operator) throws -> Imported {
    guard !operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
    let all = try operands.indices.map { try operand($0, "\($0)") }
    return all.count == 1 ? .node(Identity(), all) : .chain(operation, all)
  }
}
