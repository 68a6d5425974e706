import RelevanceNetworks

extension Modulo: WritableOperator {
  init(reading node: NodeReader) throws { self.init(takesSignOfDividend: try node.attributes.flag("fmod")) }
  var opset: Int { 10 }
  var attributes: [WrittenNode.Attribute] { [("fmod", .flag(takesSignOfDividend))] }
}
