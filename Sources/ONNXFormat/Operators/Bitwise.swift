import RelevanceNetworks

extension NodeReader {
  /// BitShift of integers of any type.
  func bitShift() throws -> Imported {
    let direction = try attributes.present(attributes.string("direction"), "direction")
    guard let operation = Bitwise.Operation(rawValue: direction), [.left, .right].contains(operation) else {
      throw Defect("direction is \(shown(direction)); expected LEFT or RIGHT")
    }
    return try pairwise(Bitwise(operation))
  }
}

extension Bitwise: WritableOperator {
  private var isShift: Bool { [.left, .right].contains(operation) }
  var writtenName: String { isShift ? "BitShift" : operation.rawValue }
  var opset: Int { isShift ? 11 : 18 }
  var attributes: [WrittenNode.Attribute] { isShift ? [("direction", .string(operation.rawValue))] : [] }
}

extension BitwiseNot: WritableOperator {
  var writtenName: String { "BitwiseNot" }
  var opset: Int { 18 }
}
