import RelevanceNetworks

extension GraphImporter {
  /// The outputs of an If whose condition does not depend on the image: its nodes are those of the branch that is taken.
  mutating func branch(of node: FileGraph.Node) throws -> [Value] {
    guard
      let condition = try texts(node.message.pointee.n_input, node.message.pointee.input).first
        .flatMap({ try operand(named: $0) })
    else { throw Defect("input cond is missing") }
    let attributes = try Attributes(of: node.message)
    guard let taken = try attributes.graph(try holds(condition) ? "then_branch" : "else_branch") else {
      throw Defect("a branch is missing")
    }
    // The branch sees the names around it; its own are forgotten afterwards, so that another If may use them again.
    let (outerValues, outerInitializers) = (values, initializers)
    defer { (values, initializers) = (outerValues, outerInitializers) }
    try addInitializers(of: taken)
    let file = FileGraph(taken)
    for node in try file.nodes(before: file.outputs) { try add(node) }
    return try file.outputs.map { name in
      guard let operand = try operand(named: name) else { throw Defect("its branch has no value \(shown(name))") }
      return .operand(operand)
    }
  }

  /// Whether a condition holds for inputs of any size, as far as two different ones tell.
  private func holds(_ condition: Operand) throws -> Bool {
    let refusal = Unsupported("its condition depends on the image or on its size; expected one that is always the same")
    switch condition {
    case .constant(let tensor):
      guard tensor.shape.count == 1 else { throw Defect("cond has shape \(tensor.shape); expected one truth value") }
      return try tensor.integers()[0] != 0
    case .unavailable(_, let isLive):
      if isLive { throw refusal }
      throw Consequence()
    case .node(let id, _):
      let answers = [(batch: 1, side: 224), (batch: 2, side: 320)].map { batch, side -> Bool? in
        guard let graph = try? Graph(name: "", nodes: nodes, output: id),
          let input = nodes.lazy.compactMap({ $0.operation as? Input }).first
        else { return nil }
        let inferred = graph.partlyInferred(forInput: input.shape.example(batch: batch, side: side))
        return inferred[id.index]?.literal?.integers?.first.map { $0 != 0 }
      }
      guard let answer = answers[0], answers[1] == answer else { throw refusal }
      return answer
    }
  }
}

extension GraphImporter {
  /// Whether an operand depends on pixels, and not only on shapes.
  func isLive(_ operand: Operand) -> Bool {
    switch operand {
    case .node(let id, _): isLiveNode[id.index]
    case .constant: false
    case .unavailable(_, let isLive): isLive
    }
  }
}
