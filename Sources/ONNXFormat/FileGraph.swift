import RelevanceNetworks

/// A graph of a file, reduced to names: the values that each node uses and computes.
package struct FileGraph {
  /// A node of the file.
  package struct Node {
    let message: UnsafePointer<NodeProto>
    /// The operator, with the domain in front unless it is ONNX's own.
    package let op: String
    /// The node's name, or the name of its first output if it has none.
    package let name: String
    /// The values that the node uses, including those that graphs in its attributes use from outside. Empty names are
    /// left out.
    let inputs: [String]
    /// The values that the node computes. Empty names are left out.
    package let outputs: [String]
  }

  let nodes: [Node]
  /// The names of the graph's inputs that are not initializers.
  let inputs: [String]
  let outputs: [String]
  /// The extents of the outputs that declare them.
  let outputExtents: [String: [SymbolicExtent]]
  /// For each value, the positions of the nodes that compute it. More than one is an error, which the importer reports.
  let makers: [String: [Int]]

  init(_ graph: UnsafePointer<GraphProto>) {
    nodes = messages(graph.pointee.n_node, graph.pointee.node).map { Node($0) }
    var constants = Set(Self.initializers(of: graph))
    inputs = messages(graph.pointee.n_input, graph.pointee.input).map { text($0.pointee.name) }
      .filter { constants.insert($0).inserted }
    outputs = messages(graph.pointee.n_output, graph.pointee.output).map { text($0.pointee.name) }
    var extents: [String: [SymbolicExtent]] = [:]
    for output in messages(graph.pointee.n_output, graph.pointee.output) {
      extents[text(output.pointee.name)] = Input(output)?.shape.extents
    }
    outputExtents = extents
    var makers: [String: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs { makers[output, default: []].append(index) }
    }
    self.makers = makers
  }

  /// The positions of the nodes that compute a node's inputs.
  func operands(of index: Int) -> [Int] { nodes[index].inputs.flatMap { makers[$0] ?? [] } }

  /// For each node, whether one of the given values depends on it.
  func ancestors(of values: [String]) -> [Bool] {
    var found = [Bool](repeating: false, count: nodes.count)
    var open = values.flatMap { makers[$0] ?? [] }
    while let index = open.popLast() {
      guard !found[index] else { continue }
      found[index] = true
      open += operands(of: index)
    }
    return found
  }

  /// For each node, whether it depends on one of the given values. Only nodes that `isConsidered` marks count, if it is
  /// given.
  func descendants(of values: [String], among isConsidered: [Bool]? = nil) -> [Bool] {
    var users: [String: [Int]] = [:]
    for (index, node) in nodes.enumerated() where isConsidered?[index] ?? true {
      for input in node.inputs { users[input, default: []].append(index) }
    }
    var found = [Bool](repeating: false, count: nodes.count)
    var open = values
    while let value = open.popLast() {
      for user in users[value] ?? [] where !found[user] {
        found[user] = true
        open += nodes[user].outputs
      }
    }
    return found
  }

  fileprivate static func initializers(of graph: UnsafePointer<GraphProto>) -> [String] {
    messages(graph.pointee.n_initializer, graph.pointee.initializer).map { text($0.pointee.name) }
      + messages(graph.pointee.n_sparse_initializer, graph.pointee.sparse_initializer)
      .map { text($0.pointee.values?.pointee.name) }
  }
}

extension FileGraph.Node {
  init(_ node: UnsafePointer<NodeProto>) {
    let domain = text(node.pointee.domain)
    let type = text(node.pointee.op_type)
    let given = text(node.pointee.name)
    message = node
    op = isStandard(domain: domain) ? type : "\(domain).\(type)"
    outputs = texts(node.pointee.n_output, node.pointee.output).filter { !$0.isEmpty }
    name = given.isEmpty ? outputs.first ?? type : given
    inputs = Self.names(takenBy: node)
  }

  private static func names(takenBy node: UnsafePointer<NodeProto>) -> [String] {
    var names = texts(node.pointee.n_input, node.pointee.input)
    for attribute in messages(node.pointee.n_attribute, node.pointee.attribute) {
      let graphs = [attribute.pointee.g].compactMap { $0.map { UnsafePointer($0) } }
      for graph in graphs + messages(attribute.pointee.n_graphs, attribute.pointee.graphs) {
        let inner = messages(graph.pointee.n_node, graph.pointee.node)
        var own = Set(FileGraph.initializers(of: graph))
        own.formUnion(messages(graph.pointee.n_input, graph.pointee.input).map { text($0.pointee.name) })
        for node in inner { own.formUnion(texts(node.pointee.n_output, node.pointee.output)) }
        let taken =
          messages(graph.pointee.n_output, graph.pointee.output).map { text($0.pointee.name) }
          + inner.flatMap { Self.names(takenBy: $0) }
        names += taken.filter { !own.contains($0) }
      }
    }
    return names.filter { !$0.isEmpty }
  }
}

extension FileGraph {
  /// The nodes that the given values depend on, operands first, otherwise in the order of the file.
  ///
  /// - Throws: `Defect` if the nodes form a cycle.
  func nodes(before results: [String]) throws -> [Node] {
    let live = ancestors(of: results)
    let order = nodes.indices.filter { live[$0] }
    let isSorted = !order.contains { index in operands(of: index).contains { $0 >= index } }
    return try (isSorted ? order : sorted(order)).map { nodes[$0] }
  }

  /// Repeatedly takes the first node in the file whose operands are complete.
  private func sorted(_ live: [Int]) throws -> [Int] {
    var missing: [Int: Int] = [:]
    var users: [Int: [Int]] = [:]
    for index in live {
      let operands = Set(operands(of: index))
      missing[index] = operands.count
      for operand in operands { users[operand, default: []].append(index) }
    }
    // The smallest index is last.
    var ready = Array(live.filter { missing[$0] == 0 }.reversed())
    var sorted: [Int] = []
    while let index = ready.popLast() {
      sorted.append(index)
      for user in users[index] ?? [] {
        missing[user]! -= 1
        guard missing[user] == 0 else { continue }
        var (low, high) = (0, ready.count)
        while low < high {
          let middle = (low + high) / 2
          if ready[middle] > user { low = middle + 1 } else { high = middle }
        }
        ready.insert(user, at: low)
      }
    }
    guard sorted.count == live.count else { throw cycle(among: Set(live).subtracting(sorted)) }
    return sorted
  }

  private func cycle(among waiting: Set<Int>) -> Defect {
    var path: [Int] = []
    var positions: [Int: Int] = [:]
    var index = waiting.min()!
    while positions[index] == nil {
      positions[index] = path.count
      path.append(index)
      // Every waiting node has a waiting operand.
      index = operands(of: index).first { waiting.contains($0) }!
    }
    // Each node uses the output of the one before it; the first uses the output of the last.
    let circle = path[positions[index]!...].reversed().map { "\(shown(nodes[$0].name)) (\(shown(nodes[$0].op)))" }
    let rest = circle.count > Self.longestList ? " and \(circle.count - Self.longestList) more" : ""
    let named = circle.prefix(Self.longestList).joined(separator: ", ")
    return Defect("expected a graph without cycles; found a cycle of nodes: \(named)\(rest)")
  }

  private static let longestList = 5
}
