import RelevanceTensors

/// Inserts axes of extent 1.
package struct Unsqueeze: Reshaping {
  package let axes: [Int]
  package init(axes: [Int]) { self.axes = axes }

  package var kind: OperatorKind { .unsqueeze }
  package func outputRank(of operands: [Int?]) -> Int? { (operands.first ?? nil).map { $0 + axes.count } }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    let rank = x.rank + axes.count
    let added = try Set(axes.map { try counted($0, rank: rank) })
    guard added.count == axes.count else { throw Misfit("axes \(axes) repeat") }
    var rest = x.dimensions.makeIterator()
    return TensorShape((0..<rank).map { added.contains($0) ? 1 : rest.next()! })
  }
}
