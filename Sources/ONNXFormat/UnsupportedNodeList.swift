/// Nodes that are not supported, in one line: grouped by operator and reason, each group with its number of nodes and the
/// first of their names.
struct UnsupportedNodeList: CustomStringConvertible {
  private let nodes: [ONNXError.UnsupportedNode]

  /// The number of names that a group lists.
  private static let listedNames = 3
  /// The number of groups that an operator has, one for each reason.
  private static let listedReasons = 3
  /// The number of operators that a message lists.
  private static let listedOperators = 20

  init(_ nodes: [ONNXError.UnsupportedNode]) { self.nodes = nodes }

  var description: String {
    let operators = Groups(nodes, by: \.operator)
    var parts = operators.groups.prefix(Self.listedOperators).flatMap { name, nodes -> [String] in
      let reasons = Groups(nodes, by: \.reason)
      let rest = reasons.groups.dropFirst(Self.listedReasons).reduce(0) { $0 + $1.nodes.count }
      return reasons.groups.prefix(Self.listedReasons).map { Self.part(name, $0.nodes, reason: $0.key) }
        + (rest > 0 ? ["\(rest) more \(shown(name))"] : [])
    }
    let rest = operators.groups.dropFirst(Self.listedOperators)
    if !rest.isEmpty {
      parts.append("\(rest.reduce(0) { $0 + $1.nodes.count }) nodes of \(rest.count) more operators")
    }
    return
      "\(nodes.count == 1 ? "1 node is" : "\(nodes.count) nodes are") not supported: \(parts.joined(separator: ", "))"
  }

  private static func part(_ name: String, _ nodes: [ONNXError.UnsupportedNode], reason: String?) -> String {
    let names = nodes.prefix(listedNames).map { shown($0.name) } + (nodes.count > listedNames ? ["…"] : [])
    return shown(name) + (nodes.count > 1 ? " × \(nodes.count)" : "")
      + " (\(names.joined(separator: ", "))\(reason.map { ": " + $0 } ?? ""))"
  }

  /// Nodes that have something in common, in the order of first occurrence.
  private struct Groups<Key: Hashable> {
    private(set) var groups: [(key: Key, nodes: [ONNXError.UnsupportedNode])] = []

    init(_ nodes: [ONNXError.UnsupportedNode], by key: (ONNXError.UnsupportedNode) -> Key) {
      var positions: [Key: Int] = [:]
      for node in nodes {
        let key = key(node)
        if let position = positions[key] {
          groups[position].nodes.append(node)
        } else {
          positions[key] = groups.count
          groups.append((key, [node]))
        }
      }
    }
  }
}
