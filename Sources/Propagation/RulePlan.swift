import Networks
import Tensors

/// A table resolved for a network: one rule for every node that relevance can reach. Immutable and printable.
public struct RulePlan: Sendable {
  /// A node, its rule, and the row that gave it.
  public struct Assignment: Sendable {
    /// The node.
    public let site: RuleSite
    /// The rule.
    public let rule: any Rule
    /// The number of the row, from 1; nil for the rows that every table ends with.
    public let row: Int?
    /// The row.
    public let selector: Selector
  }

  /// The network.
  public let network: Network
  /// The table.
  public let table: RuleTable
  /// The assignments, operands first.
  public let assignments: [Assignment]
  private let byNode: [Node.ID: Int]

  fileprivate init(network: Network, table: RuleTable, assignments: [Assignment]) {
    self.network = network
    self.table = table
    self.assignments = assignments
    byNode = Dictionary(uniqueKeysWithValues: assignments.enumerated().map { ($0.element.site.id, $0.offset) })
  }

  /// The assignment of a node; nil where no relevance can arrive.
  public subscript(id: Node.ID) -> Assignment? { byNode[id].map { assignments[$0] } }

  /// The nodes that should compute `W⁺·x` in the forward pass.
  package var companions: Set<Node.ID> {
    Set(assignments.filter { $0.rule.usesPositiveProduct(at: $0.site) }.map(\.site.id))
  }
}

extension RuleTable {
  /// Finds the rule for every node between the input and what is explained.
  ///
  /// - Throws: `RuleTableError` listing all nodes that no row matches, or all to which their rule cannot apply.
  public func resolve(for network: Network) throws -> RulePlan {
    let graph = network.graph
    let target = network.logits
    let reachable = network.nodes(reaching: target)
    let (first, last) = network.outermostWeightedNodes(before: target)
    let nonNegative = network.nonNegativeNodes()
    let live = Set(reachable)
    let rows =
      rows.enumerated().map { (number: Int?($0.offset + 1), row: $0.element) }
      + Self.structure.map { (number: nil, row: $0) }

    var assignments: [RulePlan.Assignment] = []
    var unmatched: [Node] = []
    var objections: [(Node, Row, String)] = []
    for id in reachable where id != network.input {
      let node = graph[id]
      let isFirst = first.contains(id)
      guard
        let (number, row) = rows.first(where: {
          $0.row.selector.matches(node, isFirst: isFirst, isLast: last.contains(id))
        })
      else {
        unmatched.append(node)
        continue
      }
      let site = RuleSite(
        id: id, network: network, operandIsLive: node.inputs.map { live.contains($0) },
        operandIsNonNegative: node.inputs.map { nonNegative[$0.index] },
        operandRange: isFirst ? pixelRange.flatMap { network.range(of: node.inputs[0], pixels: $0) } : nil)
      if let objection = row.rule.objection(at: site) { objections.append((node, row, objection)) }
      assignments.append(RulePlan.Assignment(site: site, rule: row.rule, row: number, selector: row.selector))
    }
    guard unmatched.isEmpty else {
      throw RuleTableError.unmatched(table: name, nodes: unmatched.map { "\($0.name) (\($0.operation.kind.rawValue))" })
    }
    guard objections.isEmpty else {
      throw RuleTableError.notApplicable(
        table: name, reasons: objections.map { "\($0.1.rule) at \($0.0.name): \($0.2)" })
    }
    return RulePlan(network: network, table: self, assignments: assignments)
  }
}

extension RulePlan: CustomStringConvertible {
  /// The plan as a table: node, operator, rule, and the row that matched.
  public var description: String { Self.columns(rows(shapes: nil)) }

  /// The plan with the shape of each output for an input of the given shape.
  ///
  /// - Throws: `GraphError` if the shape does not fit.
  public func description(forInput shape: Shape) throws -> String {
    Self.columns(rows(shapes: try network.graph.shapes(forInput: shape)))
  }

  private func rows(shapes: [Shape]?) -> [[String]] {
    var rows = [["NODE", "OPERATOR", "SHAPE", "RULE", "ROW"]]
    for id in network.graph.ids where network.graph[id].operation.kind != .constant {
      let node = network.graph[id]
      let assignment = self[id]
      let row = assignment.map { assignment in assignment.row.map { "\($0): \(assignment.selector)" } ?? "built in" }
      rows.append([
        node.name, node.operation.kind.rawValue, shapes.map { $0[id.index].description } ?? "",
        assignment?.rule.description ?? "–", row ?? (id == network.input ? "the input" : "no relevance arrives"),
      ])
    }
    return shapes == nil ? rows.map { [$0[0], $0[1], $0[3], $0[4]] } : rows
  }

  private static func columns(_ rows: [[String]]) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      return cells.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}

/// A table that does not fit a network.
public enum RuleTableError: RelevanceKitError {
  /// No row matches these nodes.
  case unmatched(table: String, nodes: [String])
  /// Rules were given to nodes that they cannot apply to.
  case notApplicable(table: String, reasons: [String])

  public var category: ErrorCategory { .badData }

  public var description: String {
    switch self {
    case .unmatched(let table, let nodes):
      "rule table \(table): no row matches \(nodes.count == 1 ? "node" : "\(nodes.count) nodes:") \(nodes.joined(separator: ", "))"
    case .notApplicable(let table, let reasons): "rule table \(table): \(reasons.joined(separator: "; "))"
    }
  }
}
