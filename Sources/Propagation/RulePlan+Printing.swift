import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension RulePlan: CustomStringConvertible {
  /// The plan as a table: node, operator, rule, and the row that matched.
  ///
  /// - Complexity: O(nodes).
  public var description: String { Columns.text(rows(shapes: nil)) }

  /// The plan as a table, with the shape of each output for an input of the given shape.
  ///
  /// - Throws: `RelevanceKitError` if the network does not accept the shape.
  public func description(forInput shape: TensorShape) throws -> String {
    Columns.text(rows(shapes: try network.graph.shapes(forInput: shape)))
  }

  /// The rows of the table, the heading first. Without shapes the table has no shape column.
  package func rows(shapes: [TensorShape]?) -> [[String]] {
    var rows = [["NODE", "OPERATOR", "SHAPE", "RULE", "ROW"]]
    for id in network.graph.ids where network.graph[id].kind != .constant {
      let node = network.graph[id]
      let assignment = self[id]
      rows.append([
        node.name, node.kind.name, shapes.map { $0[id.index].description } ?? "",
        assignment?.rule.description ?? "–", assignment?.origin ?? absence(at: id),
      ])
    }
    return shapes == nil ? rows.map { [$0[0], $0[1], $0[3], $0[4]] } : rows
  }

  /// Why a node has no rule.
  private func absence(at id: Node.ID) -> String {
    if id == network.input { return "the input" }
    if case .unmatched(_, let nodes)? = objection as? RuleTableError,
      nodes.contains(RuleTableError.title(of: network.graph[id]))
    {
      return "no row matches"
    }
    return "no relevance arrives"
  }

  /// Why no relevance arrives at a node; nil where a rule is missing.
  private func cause(ofAbsenceAt id: Node.ID) -> String? {
    guard id != network.input, objection == nil else { return nil }
    let isOnWay = Set(network.nodes(reaching: network.ends))
    guard isOnWay.contains(id) else {
      return network.graph.nodesBefore(network.ends)[id.index]
        ? "its value does not depend on the image" : "no score depends on it"
    }
    // Search forward for rules that give this node no relevance, for example rules that treat attention as a constant.
    let consumers = network.graph.consumers
    var (seen, ends, open) = (Set([id]), Set<Node.ID>(), [id])
    while let here = open.popLast() {
      for next in consumers[here.index] where isOnWay.contains(next) && seen.insert(next).inserted {
        if self[next] == nil { open.append(next) } else { ends.insert(next) }
      }
    }
    let names = ends.sorted().prefix(2).compactMap { end in
      self[end].map { "\(network.graph[end].name) under \($0.rule)" }
    }
    guard !names.isEmpty else { return nil }
    let verbs = ends.count == 1 ? ("treats", "gives") : (ends.count == 2 ? "treat" : "and others treat", "give")
    return "\(names.joined(separator: " and ")) \(verbs.0) its value as a constant and \(verbs.1) it no relevance"
  }

  /// Why a node has its rule: the row that matched, and why each row above it did not.
  public func reason(for id: Node.ID) -> String {
    let node = network.graph[id]
    let title = "\(node.name) (\(node.kind))"
    guard let assignment = self[id] else {
      let absence = id == network.input ? "relevance ends at the input" : absence(at: id)
      return "\(title): no rule, since \(absence)\(cause(ofAbsenceAt: id).map { ": \($0)" } ?? "")".printable
    }
    var lines = [
      "\(title): rule \(assignment.rule), from \(assignment.row == nil ? "a built-in row" : "row \(assignment.origin)")"
    ]
    for (index, passed) in assignment.passedOver.enumerated() {
      let number = index < table.rows.count ? "row \(index + 1)" : "built in"
      lines.append("  not \(number): \(passed.row): \(passed.reason)")
    }
    if !node.aliases.isEmpty { lines.append("  also called \(node.aliases.joined(separator: ", "))") }
    return lines.map(\.printable).joined(separator: "\n")
  }
}

extension RulePlan.Assignment {
  /// The number of the row and its selector, with a remark if the rule does not apply.
  var origin: String {
    (row.map { "\($0): \(selector)" } ?? "built in") + (objection == nil ? "" : "; does not apply, see below")
  }
}
