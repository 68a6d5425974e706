import RelevanceTensors

/// The matrix products `a·b` along the last two axes of two operands, both of which may depend on the image, as in
/// NumPy and ONNX. The other axes broadcast. An operand with one axis is a row on the left and a column on the right.
package struct MatrixProduct: Operator {
  package init() {}
  package var kind: OperatorKind { .batchMatMul }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard operands.count == 2 else { throw Misfit("expected 2 operands, found \(operands.count)") }
    return try MatrixExtents(operands[0].shape, operands[1].shape).output
  }

  package func outputRank(of operands: [Int?]) -> Int? {
    guard operands.count == 2, let a = operands[0], let b = operands[1] else { return nil }
    return max(a, b, 2) - (a == 1 ? 1 : 0) - (b == 1 ? 1 : 0)
  }

  package func elementKind(of operands: [ElementKind]) -> ElementKind { .real }
  package func origin(of operands: [Inferred]) throws -> Origin { .matrixProduct }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.allSatisfy { $0 } }

  package func range(at site: RangeSite) -> ValueRange? {
    // Each element is a sum of as many products as the shared axis has elements.
    guard let a = site.range(0)?.hull, let b = site.range(1)?.hull,
      let depth = try? MatrixExtents(site.operands[0].shape, site.operands[1].shape).depth, depth > 0,
      let product = Interval(a.lower, a.upper).corners(with: Interval(b.lower, b.upper), { $0 * $1 })
    else { return nil }
    let (lower, upper) = (product.lower * Float(depth), product.upper * Float(depth))
    guard lower.isFinite, upper.isFinite else { return nil }
    return ValueRange(lower, upper, rank: site.output.shape.rank)
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let a = operands[0].literal?.floats, let b = operands[1].literal?.floats else { return nil }
    let extents = try MatrixExtents(a.shape, b.shape)
    return .floats(
      Tensor(uninitialized: extents.output) { result in
        a.withUnsafeElements { a in
          b.withUnsafeElements { b in
            for (place, matrices) in extents.matrices.enumerated() {
              for row in 0..<extents.rows {
                for column in 0..<extents.columns {
                  let sum = (0..<extents.depth).reduce(0.0) { sum, p in
                    let left = a[matrices.a * extents.rows * extents.depth + row * extents.depth + p]
                    let right = b[matrices.b * extents.depth * extents.columns + p * extents.columns + column]
                    return sum + Double(left) * Double(right)
                  }
                  result[(place * extents.rows + row) * extents.columns + column] = Float(sum)
                }
              }
            }
          }
        }
      })
  }
}

/// The extents of the matrices of two operands.
package struct MatrixExtents: Sendable {
  /// The rows of each matrix of the result.
  package let rows: Int
  package let columns: Int
  /// The extent that rows of the left and columns of the right operand share.
  package let depth: Int
  package let output: TensorShape
  /// For each matrix of the result, the indices of its factors.
  package let matrices: [(a: Int, b: Int)]

  /// - Throws: `Misfit` if the operands do not fit.
  package init(_ a: TensorShape, _ b: TensorShape) throws {
    guard a.rank >= 1, b.rank >= 1 else { throw Misfit("shapes \(a) and \(b) contain no matrices") }
    rows = a.rank == 1 ? 1 : a[-2]
    columns = b.rank == 1 ? 1 : b[-1]
    depth = a[-1]
    func front(_ shape: TensorShape) -> TensorShape { TensorShape(Array(shape.dimensions.dropLast(2))) }
    let (leftAxes, rightAxes) = (front(a), front(b))
    guard (b.rank == 1 ? b[0] : b[-2]) == depth, let leading = leftAxes.broadcast(with: rightAxes) else {
      throw Misfit("matrices of shapes \(a) and \(b) cannot be multiplied")
    }
    output = try TensorShape(
      checking: leading.dimensions + (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns]))
    matrices = StridedWalk(over: leading, broadcasting: leftAxes, rightAxes).map { ($0, $1) }
  }
}
