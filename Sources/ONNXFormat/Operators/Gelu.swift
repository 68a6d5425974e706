import RelevanceNetworks

extension Gelu: WritableOperator {
  init(reading node: NodeReader) throws {
    switch try node.attributes.string("approximate") ?? "none" {
    case "none": self.init(approximate: false)
    case "tanh": self.init(approximate: true)
    case let other: throw Defect("approximate is \(shown(other)); expected none or tanh")
    }
  }
  var opset: Int { 20 }
  var attributes: [WrittenNode.Attribute] { [("approximate", .string(isApproximate ? "tanh" : "none"))] }
}
