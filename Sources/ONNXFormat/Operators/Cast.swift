import RelevanceNetworks

/// Cast to real numbers, integers or Boolean values. The precision of real numbers is ignored.
extension Cast: WritableOperator {
  init(reading node: NodeReader) throws {
    // Some files of opsets 1 to 5 already use a number.
    let number = node.opset < 6 ? try? node.attributes.int("to") : try node.attributes.required("to")
    let type = try number.map { ElementType(number: Int32(truncatingIfNeeded: $0)) } ?? Self.named(in: node)
    guard type.isReal || type.isInteger else {
      throw Unsupported("the target type is \(type); expected numbers or BOOL")
    }
    self.init(to: type.kind)
  }
  /// Before opset 6 the type is a name.
  private static func named(in node: NodeReader) throws -> ElementType {
    let name = try node.attributes.present(node.attributes.string("to"), "to")
    guard let type = ElementType(named: name) else { throw Defect("to is \(shown(name)); expected an element type") }
    return type
  }
  var writtenName: String { "Cast" }
  var attributes: [WrittenNode.Attribute] { [("to", .int(Int(ElementType(target).number)))] }
}
