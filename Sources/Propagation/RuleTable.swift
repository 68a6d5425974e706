import Networks
import Tensors

/// Which rule applies where: ordered rows of which the first that matches a node decides.
///
/// A table is resolved against a network into a `RulePlan` before anything runs. Nodes that only rearrange values, and
/// sums, have a rule in every table (`RuleTable.structure`), which a row of one's own can replace.
public struct RuleTable: Sendable {
  /// One row: nodes that match the selector get the rule.
  public struct Row: Sendable, CustomStringConvertible {
    /// Which nodes the row is for.
    public let selector: Selector
    /// What they get.
    public let rule: any Rule

    /// Makes a row.
    public init(_ selector: Selector, _ rule: any Rule) {
      self.selector = selector
      self.rule = rule
    }

    public var description: String { "\(selector): \(rule)" }
  }

  /// The name that plans and reports show.
  public let name: String
  /// The rows, most important first.
  public let rows: [Row]
  /// The range of the input's pixels, for rule z^B.
  public let pixelRange: PixelRange?

  /// Makes a table.
  public init(name: String, rows: [Row], pixelRange: PixelRange? = nil) {
    self.name = name
    self.rows = rows
    self.pixelRange = pixelRange
  }

  /// The table with rows put before its own.
  public func prepending(_ rows: Row...) -> RuleTable {
    RuleTable(name: name, rows: rows + self.rows, pixelRange: pixelRange)
  }

  /// The table for inputs whose pixels have another range.
  public func with(pixelRange: PixelRange?) -> RuleTable {
    RuleTable(name: name, rows: rows, pixelRange: pixelRange)
  }

  /// The rows that every table ends with.
  public static let structure: [Row] = [
    Row(
      .operators(
        .concat, .flatten, .reshape, .transpose, .squeeze, .unsqueeze, .slice, .gather, .pad, .expand, .resize, .cast),
      Rearrange()),
    Row(.operators(.add), ShareBySummand()),
  ]
}

/// Which nodes a row of a rule table is for; all conditions that are given must hold.
public struct Selector: Hashable, Sendable, CustomStringConvertible {
  /// Where a weighted layer lies by data flow.
  public enum Position: String, Hashable, Sendable, CaseIterable {
    /// No weighted layer comes before it.
    case first
    /// No weighted layer comes after it on the way to what is explained.
    case last
  }

  /// Operator families; nil matches every family.
  public let operators: Set<OperatorKind>?
  /// A pattern for the node's name, where `*` stands for any characters and `?` for one; nil matches every name.
  public let name: String?
  /// The position by data flow; nil matches every position.
  public let position: Position?

  /// Makes a selector.
  public init(operators: Set<OperatorKind>? = nil, name: String? = nil, position: Position? = nil) {
    self.operators = operators
    self.name = name
    self.position = position
  }

  /// Nodes of some operator families, at a position if one is given.
  public static func operators(_ kinds: OperatorKind..., position: Position? = nil) -> Selector {
    Selector(operators: Set(kinds), position: position)
  }

  /// Nodes whose name fits a pattern.
  public static func name(_ pattern: String) -> Selector { Selector(name: pattern) }

  /// Whether a node matches; `isFirst` and `isLast` tell its position.
  func matches(_ node: Node, isFirst: Bool, isLast: Bool) -> Bool {
    if let operators, !operators.contains(node.operation.kind) { return false }
    if let name, ![node.name].appending(node.aliases).contains(where: { $0.matches(glob: name) }) { return false }
    switch position {
    case .first: return isFirst
    case .last: return isLast
    case nil: return true
    }
  }

  public var description: String {
    var conditions: [String] = []
    if let operators {
      // In the order of the families' declaration, so that the same set reads the same everywhere.
      conditions.append(OperatorKind.allCases.filter(operators.contains).map(\.rawValue).joined(separator: "|"))
    }
    if let name { conditions.append("name \(name)") }
    if let position { conditions.append(position.rawValue) }
    return conditions.isEmpty ? "any" : conditions.joined(separator: ", ")
  }
}

extension Array {
  fileprivate func appending(_ others: [Element]) -> [Element] { self + others }
}

extension String {
  /// Whether the string fits a pattern in which `*` stands for any characters and `?` for one.
  package func matches(glob pattern: String) -> Bool {
    let (text, pattern) = (Array(unicodeScalars), Array(pattern.unicodeScalars))
    // Greedy with one point to return to: the last star, and how much of the text it has taken.
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
