import RelevanceTensors

extension NeuralNetwork {
  /// The node with the values of an output of the model file; nil if no output has this name, or if the output was
  /// removed.
  package func node(ofOutput name: String) -> Node.ID? {
    if let kept = graph.keptOutputs.first(where: { $0.name == name }) { return kept.node }
    guard let index = graph.explainedOutputs.firstIndex(of: name) else { return nil }
    // For joined outputs, each output is an operand.
    return graph.explainedOutputs.count == 1 ? graph.output : graph[graph.output].inputs[index]
  }

  /// The channel axis of an output's node.
  ///
  /// This is the first of the following that exists: the axis of the classes; the channel axis of the last weighted
  /// layer; with three axes, the shorter of the two after the batch, because there are more anchors than channels; the
  /// second axis.
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
