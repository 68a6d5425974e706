import Networks

extension ParametricRelu: WritableOperator {
  init(reading node: NodeReader) throws { self.init(slope: try node.weights(1, "slope").floats()) }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    file.operand(of: id, with: [("slope", slope)])
  }
}
