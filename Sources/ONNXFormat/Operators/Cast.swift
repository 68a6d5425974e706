import Networks

extension NodeReader {
  /// Cast to a type of real numbers, integers or truth values; the precision of real numbers is not followed.
  func cast() throws -> Imported {
    guard let number = try attributes.int("to") else { throw Defect("attribute to is missing") }
    let type = ElementType(number: Int32(truncatingIfNeeded: number))
    guard type.isReal || type.isInteger else { throw Unsupported("a cast to \(type)") }
    return .node(Cast(to: type.kind), [try operand(0, "input")])
  }
}

extension Cast: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, .cast(file.inputs(of: id)[0], to: target))
  }
}
