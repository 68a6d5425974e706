import RelevanceNetworks

extension GatherElements: WritableOperator {
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}

extension GatherND: WritableOperator {
  var attributes: [WrittenNode.Attribute] { [("batch_dims", .int(batchAxes))] }
}
