import RelevanceNetworks

extension Transpose: WritableOperator {
  init(reading node: NodeReader) throws { self.init(order: try node.attributes.ints("perm")) }
  var attributes: [WrittenNode.Attribute] { order.map { [("perm", .ints($0))] } ?? [] }
}
