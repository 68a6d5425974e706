import RelevanceExecution
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// A rule table resolved for a network: one rule for every node that relevance can reach. Immutable and printable.
public struct RulePlan: Sendable {
  /// A node, its rule, and the row of the table that assigned the rule.
  public struct Assignment: Sendable {
    /// The node.
    public internal(set) var site: RuleSite
    /// The rule.
    public internal(set) var rule: any Rule
    /// The number of the row, from 1; nil for the built-in rows that every table ends with.
    public let row: Int?
    /// The selector of the row.
    package let selector: RuleTable.Selector
    /// The rows above it, and why each did not match.
    package let passedOver: [(row: RuleTable.Row, reason: String)]
    /// Why the rule cannot be applied to the node; nil if it can.
    public let objection: String?
  }

  /// The network.
  public let network: NeuralNetwork
  /// The table.
  public let table: RuleTable
  /// The assignments in the order of evaluation. If the table does not fit the network, only nodes that a row matches
  /// have one.
  public let assignments: [Assignment]
  /// Why the table cannot be used for the network; nil if it can. Methods that use their own tables ignore it.
  public let objection: (any RelevanceKitError)?
  /// The nodes without a matching row, or with a rule that does not apply.
  private let unfit: Set<Node.ID>
  private let leadingToLayers: Set<Node.ID>
  private let byNode: [Node.ID: Int]

  fileprivate init(
    network: NeuralNetwork, table: RuleTable, assignments: [Assignment], objection: (any RelevanceKitError)?,
    unfit: Set<Node.ID>
  ) {
    (self.network, self.table, self.assignments, self.objection) = (network, table, assignments, objection)
    self.unfit = unfit
    leadingToLayers = Self.nodesLeadingToLayers(assignments)
    // A table that does not fit the network is not used.
    let dividing = objection == nil ? assignments.filter(\.dividesByPositiveProduct) : []
    sideProducts = Dictionary(
      uniqueKeysWithValues: dividing.map { ($0.site.id, $0.site.isRectified ? .positiveOutputs : .everywhere) })
    byNode = Dictionary(uniqueKeysWithValues: assignments.enumerated().map { ($0.element.site.id, $0.offset) })
  }

  /// The plan with other rules for some nodes, which must send relevance to the same operands. With `includesOffsets`,
  /// the offsets that affine nodes add to the operands of these nodes contribute like the rest.
  package func replacingRules(_ rules: [Node.ID: any Rule], includesOffsets: Bool = false) -> RulePlan {
    let changed = assignments.map { one in
      guard let rule = rules[one.site.id] else { return one }
      var changed = one
      changed.rule = rule
      changed.site.includesOffset = one.site.includesOffset || includesOffsets
      return changed
    }
    return RulePlan(network: network, table: table, assignments: changed, objection: objection, unfit: unfit)
  }

  /// The assignment of a node; nil where no relevance can arrive.
  public subscript(id: Node.ID) -> Assignment? { byNode[id].map { assignments[$0] } }

  /// Whether the plan can propagate relevance from the logits down to a node's output, regardless of problems below the
  /// node.
  package func fits(downTo id: Node.ID) -> Bool { unfit.allSatisfy { $0 <= id } }

  /// Whether all values of an affine node reach only layers whose contributions include the signs of the affine node.
  func leadsToLayers(_ id: Node.ID) -> Bool { leadingToLayers.contains(id) }

  /// The nodes that compute `W⁺·x` in the forward pass, and where the result must be exact.
  package let sideProducts: [Node.ID: SideProduct.Scope]
}

extension RuleTable {
  /// Assigns a rule to every node between the input and the explained output.
  ///
  /// - Throws: `RelevanceKitError` listing all nodes that no row matches, or all nodes whose rule does not apply; for
  ///   an invalid parameter of a rule or an invalid pixel range; and if the shapes of the network's nodes do not match.
  /// - Complexity: O(nodes × rows).
  public func resolve(for network: NeuralNetwork) throws -> RulePlan {
    let plan = try draft(for: network)
    if let objection = plan.objection { throw objection }
    return plan
  }

  /// Assigns rules as `resolve(for:)` does, but returns a problem with the table in `RulePlan.objection` instead of
  /// throwing.
  ///
  /// - Throws: `RelevanceKitError` for an invalid parameter or pixel range, and if the shapes of the network's nodes do
  ///   not match.
  /// - Complexity: O(nodes × rows).
  public func draft(for network: NeuralNetwork) throws -> RulePlan {
    for row in rows { try (row.rule as? any Parameterized)?.checkParameters() }
    if let objection = pixelRange?.objection { throw SimpleError("pixel range: found \(objection)", .usage) }
    let graph = network.graph
    let reachable = network.nodes(reaching: network.ends)
    let (first, last) = network.outermostWeightedNodes(before: network.ends)
    let analysis = try network.analysis(forInput: network.exampleInputShape())
    let nonNegative = analysis.isNonNegative
    let ranges = pixelRange.map { network.ranges(of: Set(first.map { graph[$0].inputs[0] }), pixels: $0) } ?? [:]
    let ranks = analysis.inferred.map(\.shape.rank)
    let live = Set(reachable)
    let products = reachable.filter {
      [.mul, .batchMatMul].contains(graph[$0].kind) && graph[$0].inputs.allSatisfy(live.contains)
    }
    let factors = network.ranges(of: Set(products.flatMap { graph[$0].inputs }), pixels: nil).mapValues(\.hull)
    let limits = factors.mapValues { max(abs($0.lower), abs($0.upper)) }
    // 1 + erf(x) can be slightly negative because of rounding.
    func isNonNegative(_ id: Node.ID) -> Bool {
      nonNegative[id.index] || factors[id].map { $0.lower >= -1e-6 * $0.upper } ?? false
    }
    let rows =
      rows.enumerated().map { (number: Int?($0.offset + 1), row: $0.element) }
      + Self.structure.map { (number: nil, row: $0) }

    func match(_ id: Node.ID, at site: RuleSite? = nil) -> (
      (number: Int?, row: Row)?, passedOver: [(row: Row, reason: String)]
    ) {
      let candidate = RuleTable.Selector.Candidate(
        node: graph[id], isFirst: first.contains(id), isLast: last.contains(id), rank: ranks[id.index],
        live: graph[id].inputs.count { live.contains($0) })
      var passedOver: [(row: Row, reason: String)] = []
      for (number, row) in rows {
        var reason = row.selector.mismatch(candidate)
        if reason == nil, row.isOptional, let site { reason = row.rule.objection(at: site) }
        guard let reason else { return ((number, row), passedOver) }
        passedOver.append((row, reason))
      }
      return (nil, passedOver)
    }
    // Where relevance bypasses an affine node, adjacent layers account for its scale and shift.
    let offsets = network.operandOffsets(nonNegative: nonNegative) { match($0).0?.row.rule.constants.arePassed ?? true }

    var assignments: [RulePlan.Assignment] = []
    var unmatched: [Node] = []
    var objections: [(Node, Row, String)] = []
    var unfit: Set<Node.ID> = []
    // From the logits down, because a node needs a rule only if a node above sends it relevance.
    var receives = Set(network.ends)
    for id in reachable.reversed() where id != network.input && receives.contains(id) {
      let node = graph[id]
      let isFirst = first.contains(id)
      let site = RuleSite(
        id: id, network: network, operandIsLive: node.inputs.map { live.contains($0) },
        operandIsNonNegative: node.inputs.map(isNonNegative),
        operandLimits: node.inputs.map { limits[$0] ?? .infinity },
        operandCounts: node.inputs.map { analysis.shapes[$0.index].count },
        operandRange: isFirst ? ranges[node.inputs[0]] : nil, isFirst: isFirst,
        steps: node.steps(at: id, in: analysis), offsets: offsets)
      let (match, passedOver) = match(id, at: site)
      guard let match else {
        unmatched.append(node)
        unfit.insert(id)
        receives.formUnion(node.inputs)
        continue
      }
      let objection = match.row.rule.objection(at: site)
      if let objection {
        objections.append((node, match.row, objection))
        unfit.insert(id)
      }
      for (index, operand) in node.inputs.enumerated() where match.row.rule.sendsRelevance(to: index, at: site) {
        receives.insert(operand)
      }
      assignments.append(
        RulePlan.Assignment(
          site: site, rule: match.row.rule, row: match.number, selector: match.row.selector, passedOver: passedOver,
          objection: objection))
    }
    assignments.reverse()
    var objection: RuleTableError?
    if !unmatched.isEmpty {
      let products = unmatched.filter { $0.kind == .batchMatMul }
      objection =
        products.count == unmatched.count
        ? .noRuleForProducts(table: name, nodes: products.reversed().map(\.name), tables: Self.namesOfTablesForProducts)
        : .unmatched(table: name, nodes: unmatched.reversed().map { RuleTableError.title(of: $0) })
    } else if !objections.isEmpty {
      objection = .notApplicable(
        table: name, reasons: objections.reversed().map { "\($0.1.rule) at \($0.0.name): \($0.2)" })
    }
    if objection == nil { Self.markRectified(&assignments, in: network) }
    return RulePlan(
      network: network, table: self, assignments: assignments, objection: objection, unfit: unfit)
  }

  /// Finds the nodes at whose outputs relevance from the logits arrives only where a rectifier passes values. Their
  /// denominators need not be exact elsewhere.
  private static func markRectified(_ assignments: inout [RulePlan.Assignment], in network: NeuralNetwork) {
    var sitesOf: [Node.ID: [Int]] = [:]
    for (index, assignment) in assignments.enumerated() {
      for operand in assignment.site.node.inputs { sitesOf[operand, default: []].append(index) }
    }
    // Whether all relevance of a node's output is 0 where the output is 0; computed from the logits down.
    let ends = Set(network.ends)
    var vanishes = Dictionary(uniqueKeysWithValues: ends.map { ($0, false) })
    for index in assignments.indices.reversed() {
      let id = assignments[index].site.id
      if ends.contains(id) { continue }
      let consumers = (sitesOf[id] ?? []).map { assignments[$0] }
      vanishes[id] = consumers.allSatisfy { consumer in
        switch consumer.rule.shareOfZeros(at: consumer.site) {
        case .nothing: true
        case .whatArrivesAtZeros: vanishes[consumer.site.id] ?? false
        case .anything: false
        }
      }
      let isCutOff = consumers.allSatisfy { $0.site.kind == .relu && vanishes[$0.site.id] == true }
      assignments[index].site.isRectified = isCutOff && !consumers.isEmpty
    }
  }
}

extension RulePlan.Assignment {
  /// The contributions of the rule, if it is a contribution rule and applies.
  var contributions: [Contributions] {
    objection == nil ? (rule as? any ContributionRule)?.contributions(at: site) ?? [] : []
  }

  /// Whether the rule divides by `W⁺·x`, which the forward pass can compute together with `W·x`.
  fileprivate var dividesByPositiveProduct: Bool {
    site.node.operation.isWeighted && contributions.contains { $0.isPositiveProduct(at: site) }
  }
}

extension Node {
  /// The start of a sentence that describes how the node rounds or wraps integers; nil if its values are real numbers.
  fileprivate func steps(at id: Node.ID, in analysis: Analysis) -> String? {
    guard analysis.isStepwise(self) else { return nil }
    let type = analysis[id].kind.integerType
    return "\(name) (\(kind)) outputs \(type.map { "\($0) integers" } ?? "truth values")"
  }
}

/// A rule table that does not fit a network.
package enum RuleTableError: RelevanceKitError, Equatable {
  case unmatched(table: String, nodes: [String])
  case noRuleForProducts(table: String, nodes: [String], tables: [String])
  case notApplicable(table: String, reasons: [String])

  package var category: ErrorCategory { .badData }

  static func title(of node: Node) -> String { "\(node.name) (\(node.kind))" }

  package var description: String {
    switch self {
    case .unmatched(let table, let nodes):
      "rule table \(table): no row matches \(nodes.count == 1 ? "node" : "\(nodes.count) nodes:") \(nodes.joined(separator: ", "))"
    case .noRuleForProducts(let table, let nodes, let tables):
      "rule table \(table): no rule for products of two tensors that both depend on the image, as in attention "
        + "(\(nodes.count) BatchMatMul \(nodes.count == 1 ? "node" : "nodes"), first \(nodes[0])); expected a table with "
        + "such a rule: \(tables.joined(separator: ", "))"
    case .notApplicable(let table, let reasons): "rule table \(table): \(reasons.joined(separator: "; "))"
    }
  }
}
