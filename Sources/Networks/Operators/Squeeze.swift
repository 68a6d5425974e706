import RelevanceTensors

/// Removes axes of extent 1. Nil removes all of them.
package struct Squeeze: Reshaping {
  package let axes: [Int]?
  package init(axes: [Int]?) { self.axes = axes }

  package var kind: OperatorKind { .squeeze }
  package func outputRank(of operands: [Int?]) -> Int? {
    axes.flatMap { axes in (operands.first ?? nil).map { $0 - axes.count } }
  }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    let dropped =
      try axes.map { try Set($0.map { try counted($0, rank: x.rank) }) }
      ?? Set(x.dimensions.indices.filter { x[$0] == 1 })
    guard dropped.allSatisfy({ x[$0] == 1 }) else { throw Misfit("axes \(dropped.sorted()) of \(x) are not all 1") }
    return x.reduced(over: dropped, keepsAxes: false)
  }
}
