import RelevanceNetworks

extension GraphImporter {
  /// The outputs of an If whose condition does not depend on the image. Its nodes are those of the selected branch.
  mutating func branch(of node: FileGraph.Node) throws -> [Value] {
    guard
      let condition = try texts(node.message.pointee.n_input, node.message.pointee.input).first
        .flatMap({ try operand(named: $0) })
    else { throw Defect("input cond is missing") }
    let attributes = try Attributes(of: node.message)
    guard let taken = try attributes.graph(try holds(condition) ? "then_branch" : "else_branch") else {
      throw Defect("the selected branch is missing; expected then_branch and else_branch")
    }
    // A branch can use all outer names. Its own names are removed afterwards, so that another If can use them again.
    let (outerValues, outerInitializers) = (values, initializers)
    defer { (values, initializers) = (outerValues, outerInitializers) }
    try addInitializers(of: taken)
    let file = FileGraph(taken)
    for node in try file.nodes(before: file.outputs) { try add(node) }
    return try file.outputs.map { name in
      guard let operand = try operand(named: name) else { throw Defect("its branch has no value named \(shown(name))") }
      return .operand(operand)
    }
  }

  /// Whether a condition holds for inputs of any size, tested with two different sizes.
  private func holds(_ condition: Operand) throws -> Bool {
    let refusal = Unsupported("its condition depends on the image or its size; expected a constant condition")
    switch condition {
    case .constant(let tensor):
      guard tensor.shape.count == 1 else { throw Defect("cond has shape \(tensor.shape); expected one Boolean value") }
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
