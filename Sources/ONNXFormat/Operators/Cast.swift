import Networks

/// Cast to a type of real numbers, integers or truth values; the precision of real numbers is not followed.
extension Cast: WritableOperator {
  init(reading node: NodeReader) throws {
    let type = ElementType(number: Int32(truncatingIfNeeded: try node.attributes.required("to")))
    guard type.isReal || type.isInteger else { throw Unsupported("a cast to \(type)") }
    self.init(to: type.kind)
  }
  var attributes: [WrittenNode.Attribute] { [("to", .int(Int(ElementType(target).number)))] }
}
