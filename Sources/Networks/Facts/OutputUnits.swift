import RelevanceTensors

extension NeuralNetwork {
  /// The node that holds the values of an output of the model file; nil if the name is none of an output, or the output was left out.
  package func node(ofOutput name: String) -> Node.ID? {
    if let kept = graph.keptOutputs.first(where: { $0.name == name }) { return kept.node }
    guard let index = graph.explainedOutputs.firstIndex(of: name) else { return nil }
    // Of several that are joined, each is an operand.
    return graph.explainedOutputs.count == 1 ? graph.output : graph[graph.output].inputs[index]
  }

  /// The axis of an output's node that counts its channels.
  ///
  /// That is, in this order: the axis of the classes; the one along which the last weighted layer's channels lie; of three axes the shorter
  /// one behind the batch's, since there are more anchors than channels; the second.
  package func channelAxis(ofOutput id: Node.ID, _ layout: ScoreLayout, _ inferred: [Inferred]) -> Int {
    let shape = inferred[id.index].shape
    let isScores = id == graph.output && shape == inferred[logits.index].shape
    let isExplained =
      id == logits || isScores || graph.explainedOutputs.count > 1 && graph[graph.output].inputs.contains(id)
    if isExplained, let axis = layout.channelAxis, shape.rank + axis >= 0 { return shape.rank + axis }
    if let axis = channelAxes(inferred)[id.index] { return axis }
    return shape.rank == 3 && shape[2] < shape[1] ? 2 : min(1, shape.rank - 1)
  }
}
