import RelevanceNetworks

extension RuleTable {
  /// The condition of a row: it matches the nodes for which all given conditions hold.
  public struct Selector: Hashable, Sendable, CustomStringConvertible {
    /// The position of a weighted layer in the data flow.
    public enum Position: String, Hashable, Sendable, CaseIterable {
      /// No weighted layer comes before the layer.
      case first
      /// No weighted layer comes after the layer on the way to the explained output.
      case last
    }

    /// Operator families; nil matches every family.
    public let operators: Set<OperatorKind>?
    /// A pattern for the node's name, where `*` stands for any characters and `?` for one; nil matches every name.
    public let name: String?
    /// The position in the data flow; nil matches every position.
    public let position: Position?
    /// The number of axes of the output, including the batch axis; nil matches any number.
    public let rank: Int?
    /// The number of operands that depend on the input; nil matches any number.
    public let live: Int?

    /// Creates a selector.
    public init(
      operators: Set<OperatorKind>? = nil, name: String? = nil, position: Position? = nil, rank: Int? = nil,
      live: Int? = nil
    ) {
      (self.operators, self.name, self.position) = (operators, name, position)
      (self.rank, self.live) = (rank, live)
    }

    /// Nodes of some operator families, with the given position, number of axes, and number of operands that depend on
    /// the input.
    public static func operators(
      _ kinds: OperatorKind..., position: Position? = nil, rank: Int? = nil, live: Int? = nil
    ) -> Selector {
      Selector(operators: Set(kinds), position: position, rank: rank, live: live)
    }

    /// Nodes whose name, or the name of a node that was merged into them, matches a pattern.
    public static func name(_ pattern: String) -> Selector { Selector(name: pattern) }

    struct Candidate {
      let node: Node
      let isFirst: Bool
      let isLast: Bool
      let rank: Int
      let live: Int
    }

    /// Why a node does not match; nil if it does.
    func mismatch(_ candidate: Candidate) -> String? {
      let node = candidate.node
      if let operators, !operators.contains(node.operation.kind) {
        return "the node is \(node.kind)"
      }
      if let name, !([node.name] + node.aliases).contains(where: { $0.matches(glob: name) }) {
        return "the name does not match the pattern"
      }
      switch position {
      case .first where !candidate.isFirst: return "another weighted layer comes before the node"
      case .last where !candidate.isLast: return "another weighted layer comes after the node"
      default: break
      }
      if let rank, rank != candidate.rank {
        return "the node's output has \(candidate.rank) axes"
      }
      if let live, live != candidate.live {
        return "\(candidate.live) of the node's operands \(candidate.live == 1 ? "depends" : "depend") on the input"
      }
      return nil
    }

    /// Families in the order of their declaration, so that equal sets have equal descriptions.
    static func sorted(_ kinds: Set<OperatorKind>) -> [OperatorKind] { OperatorKind.all.filter(kinds.contains) }

    private static func list(_ kinds: Set<OperatorKind>) -> String { sorted(kinds).map(\.name).joined(separator: "|") }

    public var description: String {
      var conditions: [String] = []
      if let operators { conditions.append(Self.list(operators)) }
      if let name { conditions.append("name \(name)") }
      if let position { conditions.append(position.rawValue) }
      if let rank { conditions.append("rank \(rank)") }
      if let live { conditions.append("\(live) live") }
      return conditions.isEmpty ? "any" : conditions.joined(separator: ", ")
    }
  }
}

extension String {
  /// Whether the string matches a pattern in which `*` stands for any characters and `?` for one.
  package func matches(glob pattern: String) -> Bool {
    let (text, pattern) = (Array(unicodeScalars), Array(pattern.unicodeScalars))
    // A greedy match with one point of return: the last star, and the length of the text that it matches.
    var (t, p) = (0, 0)
    var star: (pattern: Int, text: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == "*" {
        star = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
        t += 1
        p += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        p = last.pattern + 1
        t = last.text + 1
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}
