import RelevanceNetworks

extension ParametricRelu: WritableOperator {
  /// Before opset 7, a list of slopes has one slope per channel.
  init(reading node: NodeReader) throws {
    var slope = try node.weights(1, "slope")
    if node.opset < 7, slope.shape.rank == 1, slope.shape.count > 1 {
      let rank = try node.rank(
        of: node.operand(0, "X"), else: "X has an unknown number of axes and slope has one number per channel")
      slope = try slope.appending(axes: max(rank - 2, 0))
    }
    self.init(slope: try slope.floats())
  }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    file.operand(of: id, with: [("slope", slope)])
  }
}
