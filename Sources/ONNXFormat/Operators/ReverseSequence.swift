import RelevanceNetworks

extension ReverseSequence: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      batchAxis: try node.attributes.int("batch_axis") ?? 1, timeAxis: try node.attributes.int("time_axis") ?? 0)
  }
  var attributes: [WrittenNode.Attribute] { [("batch_axis", .int(batchAxis)), ("time_axis", .int(timeAxis))] }
}
