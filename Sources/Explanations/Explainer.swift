import RelevanceExecution
import Foundation
import RelevanceImaging
import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// Explains the decisions of one network under one rule table. Immutable; safe to share between threads.
public struct Explainer: Sendable {
  /// The rule of every node, resolved from the table. Where the table does not fit the network, `plan.objection` says why; methods
  /// that bring tables of their own can be used all the same.
  public let plan: RulePlan
  /// How images become inputs of the network.
  public let preprocessing: Preprocessing
  package let executor: Executor
  /// Bytes that relevance may take while several targets are propagated together.
  let memoryBudget: Int
  private let plans = Cache<String, RulePlan>()
  /// By node what constants join tokens there, for the last shape of the input.
  let tokenConstants = Cache<TensorShape, [String: TokenShare.Kind]>(limit: 1)
  /// The nodes from which relevance can go to the input.
  let reachable: Set<Node.ID>

  /// Resolves a rule table for a network.
  ///
  /// - Parameters:
  ///   - network: what is explained.
  ///   - rules: the table; nil means `RuleTable.recommended` with the preprocessing's pixel range.
  ///   - preprocessing: how images become inputs.
  ///   - threads: how many threads a run uses, from 1 to 1024, of which at most four per processor, or 16, are used; nil means one per
  ///     processor, or as many as the address space has room for.
  ///   - convolution: how convolutions are computed.
  ///   - instructionSet: which vector units are used; nil means `InstructionSet.preferred`.
  ///   - memoryBudget: bytes that relevance may take while several targets are propagated together; more targets than fit
  ///     are propagated group by group. One target is always propagated.
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit one another, if the number of threads is another, or more than there is
  ///   room for, or if the processor lacks the instruction set.
  public init(
    _ network: NeuralNetwork, rules: RuleTable? = nil, preprocessing: Preprocessing = .imageNet, threads: Int? = nil,
    convolution: ConvolutionAlgorithm = .automatic, instructionSet: InstructionSet? = nil,
    memoryBudget: Int = 1 << 30
  ) throws {
    plan = try (rules ?? .recommended(for: network, pixelRange: preprocessing.pixelRange)).draft(for: network)
    self.preprocessing = preprocessing
    executor = Executor(
      network, threads: threads, convolution: convolution, instructionSet: instructionSet)
    try executor.checkThreads()
    reachable = Set(network.nodes(reaching: network.ends))
    self.memoryBudget = memoryBudget
  }

  /// The same with another plan.
  init(_ other: Explainer, plan: RulePlan) {
    (self.plan, preprocessing, executor) = (plan, other.preprocessing, other.executor)
    (memoryBudget, reachable) = (other.memoryBudget, other.reachable)
  }

  /// The network.
  public var network: NeuralNetwork { plan.network }

  /// How the logits are arranged for an input of a shape, and what they decide.
  package func scoreLayout(forInput shape: TensorShape) throws -> ScoreLayout {
    try executor.scoreLayout(forInput: shape)
  }

  /// How many threads a run uses.
  public var threads: Int { executor.threads }

  /// Runs the network and records what explanations need. A trace is recorded once and explained as often as one likes.
  ///
  /// - Parameter input: a preprocessed image, 1 × channels × height × width, or a batch of them.
  /// - Throws: `RelevanceKitError` if the shape does not fit the network, if input or logits are NaN or infinite, if there are
  ///   none, if the network mixes the items of the batch, if the values do not fit memory, or if a window slides over more than two axes.
  public func trace(_ input: Tensor) throws -> Trace { try trace(input, clock: nil) }

  /// The same; `clock` is told what nodes take.
  package func trace(_ input: Tensor, clock: NodeClock?) throws -> Trace {
    let forward = try executor.trace(input, sideProducts: plan.sideProducts, clock: clock)
    try check(forward.plan, input)
    return Trace(forward, explainer: self)
  }

  /// - Throws: `RelevanceKitError` if there is nothing to explain, or a batch that the network mixes.
  private func check(_ plan: ExecutionPlan, _ input: Tensor) throws {
    let output = plan.shapes[network.logits.index]
    guard output.count > 0 else {
      throw ExecutionError.empty(node: network.graph[network.logits].name, shape: output)
    }
    // Only a batch that the caller chose can be refused; another first axis is part of one input.
    guard case .mixed(let id) = plan.batching, case .symbolic? = network.inputShape.extents.first else { return }
    throw ExecutionError.mixesBatch(node: network.graph[id].name, items: input.shape[0])
  }

  /// The scores of each of some inputs of one shape: as many at a time as fit into the memory budget, or one by one if the network does
  /// not take batches.
  package func scores(of inputs: [Tensor]) throws -> [ClassScores] {
    // More inputs in one run gain nothing.
    try together(inputs, atMost: 16, where: { $1.items == $2 && $1.layout == $0.layout }) { some, single in
      let values = try executor.logits(Tensor(joining: some))
      return some.indices.map {
        ClassScores(single.layout.scores(ofItem: values.part($0, of: some.count)), layout: single.layout)
      }
    }
  }

  /// What `body` makes of inputs of one shape: of as many at a time as fit into the memory budget, or of one by one if the plan for several
  /// does not do for each what that for one does, since constants in the graph may know the batch.
  func together<Result>(
    _ inputs: [Tensor], atMost most: Int = .max,
    where isAlike: (_ single: ExecutionPlan, _ several: ExecutionPlan, _ count: Int) -> Bool,
    _ body: (_ some: [Tensor], _ single: ExecutionPlan) throws -> [Result]
  ) throws -> [Result] {
    guard let shape = inputs.first?.shape else { return [] }
    let single = try executor.plan(shape)
    let perItem = single.shapes.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.size
    var size = min(inputs.count, most, max(1, memoryBudget / max(perItem, 1)))
    if size > 1, (try? executor.plan(shape.withBatch(size))).map({ isAlike(single, $0, size) }) != true { size = 1 }
    return try inputs.groups(of: size).flatMap { group in
      try Task.checkCancellation()
      return try body(group, single)
    }
  }

  /// The plan of a method's table.
  func plan(for table: RuleTable) throws -> RulePlan {
    try plans.value(for: table.text) { try table.resolve(for: network) }
  }
}

extension RuleTable {
  /// All that is printed of it.
  fileprivate var text: String {
    let range = pixelRange.map { "\($0.lower) \($0.upper)" } ?? ""
    return ([name, range] + rows.map(\.description)).joined(separator: "\n")
  }
}

/// One recorded run of a network: activations and denominators, from which any number of targets is explained.
public struct Trace: Sendable {
  /// The values that are explained, before a final softmax or sigmoid: batch × classes, and, where classes have scores at several
  /// positions, × the extents of `layout.positions`. A single logit that decides between two classes is there twice, once negated.
  public let logits: Tensor
  package let explainer: Explainer
  private(set) var propagator: Propagator
  private var propagators = Cache<String, Propagator>()
  var choices = OutputChoices()
  /// What relevance of each target has to pass; none if all may pass everywhere.
  var passages: [Passage] = []
  let logitSources: LogitSources

  init(_ forward: ForwardTrace, explainer: Explainer) {
    self.explainer = explainer
    propagator = Propagator(plan: explainer.plan, trace: forward)
    logitSources = LogitSources(explainer.network, forward.plan.analysis.inferred)
    let values = forward.value(of: explainer.network.logits)
    let layout = forward.plan.layout
    let scores = (0..<forward.items).map { layout.scores(ofItem: values.part($0, of: forward.items)) }
    logits = Tensor(joining: scores).reshaped(to: TensorShape([forward.items, layout.classes] + layout.positions))
  }

  /// The rule of every node.
  public var plan: RulePlan { propagator.plan }
  /// The input that was run.
  public var input: Tensor { forward.input }
  /// How the logits are arranged, and what they decide.
  public var layout: ScoreLayout { forward.plan.layout }
  /// The number of classes.
  public var classes: Int { layout.classes }
  /// Items in the batch.
  public var batch: Int { forward.items }
  var forward: ForwardTrace { propagator.trace }

  /// Whether a single logit stands for two classes.
  var hasComplement: Bool { if case .twoClasses = layout.decision { true } else { false } }

  /// The classes of the first item by falling logit, with their probabilities; equal ones by number. Where classes have scores at several
  /// positions, those at the first.
  ///
  /// - Complexity: O(classes log classes).
  public func predictions() -> [Prediction] { Prediction.ranking(scores(of: 0), layout: layout) }

  /// The classes of an item of the batch at a position.
  ///
  /// - Parameters:
  ///   - item: from 0.
  ///   - position: nil for the first, and where classes have one score.
  /// - Throws: `RelevanceKitError` if there is no such item or position.
  /// - Complexity: O(classes log classes).
  public func predictions(ofItem item: Int, at position: [Int]? = nil) throws -> [Prediction] {
    guard let place = position.map({ layout.index(ofPosition: $0) }) ?? 0 else {
      throw ExplanationError.noSuchPosition(position ?? [], positions: layout.positions)
    }
    return Prediction.ranking(try scores(ofItem: item), layout: layout, place: place)
  }

  /// The scores of an item of the batch, classes × positions (1 where there are none).
  ///
  /// - Throws: `RelevanceKitError` if there is no such item.
  public func scores(ofItem item: Int) throws -> Tensor {
    guard (0..<batch).contains(item) else { throw ExplanationError.noSuchItem(item, items: batch) }
    return scores(of: item)
  }

  package func scores(of item: Int) -> Tensor {
    logits.part(item, of: batch).reshaped(to: TensorShape([classes, layout.positionCount]))
  }

  func softmax(item: Int, place: Int) -> [Double] {
    let scores = Prediction.column(scores(of: item), place)
    return layout.areProbabilities && layout.decision == .oneClass
      ? scores.map(Double.init) : Prediction.softmax(scores)
  }

  func probability(ofClass index: Int, item: Int, place: Int) -> Double {
    Prediction.probabilities(scores(of: item), layout: layout, place: place)?[index] ?? 0
  }

  /// Whether relevance can go from a node to the input.
  func reaches(_ id: Node.ID) -> Bool { explainer.reachable.contains(id) }

  /// How relevance goes back by a method's table, nil for the explainer's, to the input or down to a node.
  func propagator(for table: RuleTable?, downTo last: Node.ID? = nil) throws -> Propagator {
    guard let table else {
      if let objection = plan.objection, !(last.map { plan.fits(downTo: $0) } ?? false) { throw objection }
      return propagator
    }
    return try kept(table.text) { try explainer.plan(for: table) }
  }

  /// The same by the table's plan with other rules, for which `variant` is a name.
  func propagator(
    for table: RuleTable?, variant: String, _ change: (RulePlan) -> RulePlan
  ) throws -> Propagator {
    let plan = try propagator(for: table).plan
    return try kept("\(variant) by \(table?.text ?? "")") { change(plan) }
  }

  /// A propagator with denominators of its own, which the trace keeps.
  private func kept(_ name: String, plan: () throws -> RulePlan) throws -> Propagator {
    var found = try propagators.value(for: name) { Propagator(plan: try plan(), trace: forward) }
    found.clock = propagator.clock
    return found
  }

  /// How relevance goes back from the negative side of a single logit: by the negated weights of the layer before it. Nil if none lies
  /// before it, or its rule knows no weights.
  func negatedPropagator() throws -> Propagator? {
    guard let head = try? LinearHead(from: plan.network.logits, in: plan.network.graph),
      let negated = try propagator(for: nil).plan.negatingWeights(of: head.weighted)
    else { return nil }
    return try kept("negated") { negated }
  }

  /// The same run under another plan for the same network.
  func using(_ plan: RulePlan) -> Trace {
    var copy = self
    copy.propagator = Propagator(plan: plan, trace: forward)
    copy.propagator.clock = propagator.clock
    // Some that are kept are variants of the plan.
    copy.propagators = Cache()
    return copy
  }

  /// The same trace, the walks of which tell `clock` what nodes take.
  package func timed(by clock: NodeClock?) -> Trace {
    var copy = self
    copy.propagator.clock = clock
    return copy
  }

  package struct Bytes: Sendable {
    package let values: Int
    /// Products `W⁺·x` that were computed beside them.
    package let sideProducts: Int
    /// Other denominators of the explanations so far.
    package let denominators: Int
  }

  /// What the trace takes in memory, in bytes: the values of its nodes, and what explanations so far have left for the next ones.
  ///
  /// - Complexity: O(nodes).
  public var memoryUse: Int { bytes.values + bytes.sideProducts + bytes.denominators }

  /// What the trace takes in memory.
  package var bytes: Bytes {
    let products = plan.sideProducts.keys.map { forward.sideProduct(of: $0)?.count ?? 0 }.reduce(0, +)
    let sideProducts = products * MemoryLayout<Float>.stride
    return Bytes(
      values: forward.bytes - sideProducts, sideProducts: sideProducts,
      denominators: propagators.all.reduce(propagator.denominatorBytes) { $0 + $1.denominatorBytes })
  }
}
