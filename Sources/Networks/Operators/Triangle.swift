import RelevanceTensors

/// Matrices, along the last two axes, with zeros below or above a diagonal.
package struct Triangle: Selecting {
  package let isUpper: Bool
  /// The offset of the diagonal to the right of the main diagonal.
  package let diagonal: List
  package init(isUpper: Bool, diagonal: List) { (self.isUpper, self.diagonal) = (isUpper, diagonal) }

  package var kind: OperatorKind { .trilu }
  package var takesLists: Bool { true }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    guard x.rank >= 2 else { throw Misfit("expected matrices, found shape \(x)") }
    guard let k = try diagonal.values(operands, "k").first else { throw Misfit("k is empty; expected one number") }
    let columns = x[-1]
    let offset = min(max(k, -x[-2] - 1), columns + 1)
    let positions = (0..<x.count).map { position in
      let (row, column) = (position / columns % x[-2], position % columns)
      return (isUpper ? column >= row + offset : column <= row + offset) ? position : -1
    }
    return Selection(input: x, output: x, positions: positions)
  }
}
