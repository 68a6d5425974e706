import RelevanceTensors

/// Another shape for the same elements. An extent of 0 is copied from the operand (unless `allowZero`), and −1 is
/// inferred.
package struct Reshape: Reshaping {
  package let extents: List
  package let allowZero: Bool
  package init(extents: List, allowZero: Bool) { (self.extents, self.allowZero) = (extents, allowZero) }

  package var kind: OperatorKind { .reshape }
  package var takesLists: Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? {
    if case .fixed(let list) = extents { list.count } else { nil }
  }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    let extents = try self.extents.values(operands, "shape")
    guard extents.filter({ $0 == -1 }).count <= 1, extents.allSatisfy({ $0 >= -1 }) else {
      throw Misfit("shape \(extents) has more than one extent to infer, or a negative one")
    }
    var result = extents
    for (axis, extent) in extents.enumerated() where extent == 0 && !allowZero {
      guard axis < x.rank else { throw Misfit("shape \(extents) copies axis \(axis), which \(x) does not have") }
      result[axis] = x[axis]
    }
    if let open = result.firstIndex(of: -1) {
      let known = try TensorShape(checking: result.filter { $0 != -1 }).count
      guard known > 0, x.count % known == 0 else { throw Misfit("\(x) does not reshape to \(extents)") }
      result[open] = x.count / known
    }
    let shape = try TensorShape(checking: result)
    guard shape.count == x.count else { throw Misfit("\(x) does not reshape to \(extents)") }
    return shape
  }
}
