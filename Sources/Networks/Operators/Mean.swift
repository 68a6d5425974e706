import Tensors

/// Mean over whole axes; over height and width it is global average pooling.
package struct Mean: Operator, Hashable {
  /// The axes; negative ones count from the end.
  package let axes: [Int]
  /// Whether the axes stay, with extent 1.
  package let keepsAxes: Bool
  package init(axes: [Int], keepsAxes: Bool) { (self.axes, self.keepsAxes) = (axes, keepsAxes) }

  /// Global average pooling averages height and width of batch × channels × height × width. Axes counted from the front are taken to
  /// be those of an image; the importer counts them so.
  package var kind: OperatorKind {
    let axes = Set(self.axes)
    return axes == [2, 3] || axes == [-2, -1] ? .globalAveragePool : .reduceMean
  }

  /// The axes for an operand of the given rank, counted from the front.
  package func axes(forRank rank: Int) throws -> Set<Int> { try Set(axes.map { try counted($0, rank: rank) }) }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    let reduced = try axes(forRank: x.rank)
    guard reduced.allSatisfy({ x[$0] > 0 }) else { throw Misfit("the mean of no elements along \(axes) of \(x)") }
    return x.reduced(over: reduced, keepsAxes: keepsAxes)
  }

  package func outputRank(of operands: [Int?]) -> Int? {
    (operands.first ?? nil).map { keepsAxes ? $0 : $0 - axes.count }
  }

  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    operands.first == .truth ? .real : operands.first ?? .real
  }
  package func isStepwise(of operands: [ElementKind]) -> Bool { elementKind(of: operands).integerType != nil }
  package var isLinear: Bool { true }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .reduced(try axes(forRank: firstShape(operands).rank), keepsAxes: keepsAxes)
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func isBounded(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func range(at site: RangeSite) -> ValueRange? {
    guard let axes = try? axes(forRank: site.operands[0].shape.rank) else { return nil }
    let result = site.range(0)?.reduced(over: axes, of: site.operands[0].shape, as: .sum, isMean: true)
    return keepsAxes ? result : result?.dropping(axes)
  }
}

extension OperatorKind {
  /// Mean over height and width, which stay with extent 1 or are dropped.
  public static let globalAveragePool = OperatorKind("GlobalAveragePool", .average)
  /// Mean over other axes.
  public static let reduceMean = OperatorKind("ReduceMean", .average)
}
