import RelevanceTensors

extension Operator {
  /// Whether the values are the operand's in the same order. This includes permutations with axes of extent 1.
  package func leavesElements(of operand: TensorShape) -> Bool {
    if keepsElements { return true }
    guard let transpose = self as? Transpose else { return false }
    let moved = (transpose.order ?? (0..<operand.rank).reversed()).filter { operand[$0] != 1 }
    return moved == moved.sorted()
  }
}
