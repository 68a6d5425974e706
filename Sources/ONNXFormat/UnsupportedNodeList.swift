/// Unsupported nodes in one line. Several nodes are grouped by operator and reason. Each group lists its number of
/// nodes and the first of their names.
struct UnsupportedNodeList: CustomStringConvertible {
  private let nodes: [ONNXError.UnsupportedNode]

  private static let listedNames = 3
  /// The number of reasons, and thus groups, that are listed for each operator.
  private static let listedReasons = 3
  private static let listedOperators = 20

  init(_ nodes: [ONNXError.UnsupportedNode]) { self.nodes = nodes }

  var description: String {
    if nodes.count == 1 {
      let reason = nodes[0].reason.map { ": " + $0 } ?? ""
      return "node \(shown(nodes[0].name)) (\(shown(nodes[0].op))) is not supported\(reason)"
    }
    let operators = Self.groups(nodes, by: \.op)
    var parts = operators.prefix(Self.listedOperators).flatMap { name, nodes -> [String] in
      let reasons = Self.groups(nodes, by: \.reason)
      let rest = reasons.dropFirst(Self.listedReasons).reduce(0) { $0 + $1.nodes.count }
      return reasons.prefix(Self.listedReasons).map { Self.part(name, $0.nodes, reason: $0.key) }
        + (rest > 0 ? ["\(rest) more \(shown(name))"] : [])
    }
    let rest = operators.dropFirst(Self.listedOperators)
    if !rest.isEmpty {
      parts.append("\(rest.reduce(0) { $0 + $1.nodes.count }) nodes of \(rest.count) more operators")
    }
    return "\(nodes.count) nodes are not supported: \(parts.joined(separator: ", "))"
  }

  private static func part(_ name: String, _ nodes: [ONNXError.UnsupportedNode], reason: String?) -> String {
    let names = nodes.prefix(listedNames).map { shown($0.name) } + (nodes.count > listedNames ? ["…"] : [])
    return shown(name) + (nodes.count > 1 ? " × \(nodes.count)" : "")
      + " (\(names.joined(separator: ", "))\(reason.map { ": " + $0 } ?? ""))"
  }

  /// Nodes that have something in common, in the order of first occurrence.
  private static func groups<Key: Hashable>(
    _ nodes: [ONNXError.UnsupportedNode], by key: (ONNXError.UnsupportedNode) -> Key
  ) -> [(key: Key, nodes: [ONNXError.UnsupportedNode])] {
    let groups = Dictionary(grouping: nodes.enumerated(), by: { key($0.element) })
    return groups.sorted { $0.value[0].offset < $1.value[0].offset }.map { ($0.key, $0.value.map(\.element)) }
  }
}
