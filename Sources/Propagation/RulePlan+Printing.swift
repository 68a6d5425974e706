import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension RulePlan: CustomStringConvertible {
  /// The plan as a table: node, operator, rule, and the row that matched.
  ///
  /// - Complexity: O(nodes).
  public var description: String { Columns.text(rows(shapes: nil)) }

  /// The plan with the shape of each output for an input of the given shape.
  ///
  /// - Throws: `RelevanceKitError` if the shape does not fit.
  public func description(forInput shape: TensorShape) throws -> String {
    Columns.text(rows(shapes: try network.graph.shapes(forInput: shape)))
  }

  /// The rows of the table, the heading first; without shapes there is no such column.
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
    // Forward to the rules that give nothing to what comes from here, such as attention that is taken for a constant.
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
    let verbs = ends.count == 1 ? ("takes", "gives") : (ends.count == 2 ? "take" : "and others take", "give")
    return "\(names.joined(separator: " and ")) \(verbs.0) its value for a constant, and \(verbs.1) it nothing"
  }

  /// Why a node has the rule that it has: the row that matched, and the rows above it and why they did not.
  public func reason(for id: Node.ID) -> String {
    let node = network.graph[id]
    let title = "\(node.name) (\(node.kind))"
    guard let assignment = self[id] else {
      let absence = id == network.input ? "no relevance goes on from the input" : absence(at: id)
      return "\(title): no rule, since \(absence)\(cause(ofAbsenceAt: id).map { ": \($0)" } ?? "")".printable
    }
    var lines = [
      "\(title): rule \(assignment.rule), from \(assignment.row == nil ? "a row that is built in" : "row \(assignment.origin)")"
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
  /// The number of the row and its selector, and why the rule does not fit if it does not.
  var origin: String {
    (row.map { "\($0): \(selector)" } ?? "built in") + (objection == nil ? "" : "; does not fit, see below")
  }
}
