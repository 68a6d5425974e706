import RelevanceExecution
import Foundation
import RelevanceImaging
import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// Explains the decisions of one network under one rule table. It is immutable and safe to share between threads.
public struct Explainer: Sendable {
  /// The rule of every node, resolved from the table. If the table does not fit the network, `plan.objection` states
  /// the reason; methods that use their own tables still work.
  public let plan: RulePlan
  /// The conversion of images to inputs of the network.
  public let preprocessing: Preprocessing
  package let executor: Executor
  /// The memory in bytes that relevance can use while several targets are propagated together.
  let memoryBudget: Int
  private let plans = Cache<String, RulePlan>()
  /// For each node, the constants that join the tokens there, for the most recent input shape.
  let tokenConstants = Cache<TensorShape, [String: TokenShare.Kind]>(limit: 1)
  /// The nodes from which relevance can reach the input.
  let reachable: Set<Node.ID>

  /// Resolves a rule table for a network.
  ///
  /// - Parameters:
  ///   - network: the network to explain.
  ///   - rules: the table; nil for `RuleTable.recommended` with the preprocessing's pixel range.
  ///   - preprocessing: the conversion of images to inputs.
  ///   - threads: the number of threads of a run, from 1 to 1024. At most four per processor, or 16 in total if that is
  ///     more, are used. Nil means one per processor, or fewer if the address space has no room for them.
  ///   - convolution: the algorithm for convolutions.
  ///   - instructionSet: the vector instructions to use; nil for `InstructionSet.preferred`.
  ///   - memoryBudget: the memory in bytes that relevance can use while several targets are propagated together. If
  ///     more targets are explained, they are propagated in groups. One target is always propagated.
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit together, if the number of threads is not allowed
  ///   or exceeds the address space, or if the processor does not support the instruction set.
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

  /// A copy with another plan.
  init(_ other: Explainer, plan: RulePlan) {
    (self.plan, preprocessing, executor) = (plan, other.preprocessing, other.executor)
    (memoryBudget, reachable) = (other.memoryBudget, other.reachable)
  }

  /// The network.
  public var network: NeuralNetwork { plan.network }

  /// The arrangement of the logits for an input shape, and the decision that they encode.
  package func scoreLayout(forInput shape: TensorShape) throws -> ScoreLayout {
    try executor.scoreLayout(forInput: shape)
  }

  /// The number of threads that a run uses.
  public var threads: Int { executor.threads }

  /// Runs the network and records the values that explanations need. A trace can be explained repeatedly without
  /// another forward pass.
  ///
  /// - Parameter input: a preprocessed image, 1 × channels × height × width, or a batch of them.
  /// - Throws: `RelevanceKitError` if the shape does not fit the network, if the input or the logits contain NaN or
  ///   infinity, if there are no logits, if the network mixes the items of the batch, if the values do not fit into
  ///   memory, or if a window slides over more than two axes.
  public func trace(_ input: Tensor) throws -> Trace { try trace(input, clock: nil) }

  /// As `trace(_:)`; `clock` records the time of each node.
  package func trace(_ input: Tensor, clock: NodeClock?) throws -> Trace {
    let forward = try executor.trace(input, sideProducts: plan.sideProducts, clock: clock)
    try check(forward.plan, input)
    return Trace(forward, explainer: self)
  }

  /// - Throws: `RelevanceKitError` if there are no logits, or if the network mixes the items of the batch.
  private func check(_ plan: ExecutionPlan, _ input: Tensor) throws {
    let output = plan.shapes[network.logits.index]
    guard output.count > 0 else {
      throw ExecutionError.empty(node: network.graph[network.logits].name, shape: output)
    }
    // Only a batch that the caller chose can be rejected; any other first axis is part of a single input.
    guard case .mixed(let id) = plan.batching, case .symbolic? = network.inputShape.extents.first else { return }
    throw ExecutionError.mixesBatch(node: network.graph[id].name, items: input.shape[0])
  }

  /// The scores of each of several inputs of one shape. Inputs are run in batches that fit into the memory budget, or
  /// one by one if the network does not accept batches.
  package func scores(of inputs: [Tensor]) throws -> [ClassScores] {
    // Larger batches are not faster.
    try together(inputs, atMost: 16, where: { $1.items == $2 && $1.layout == $0.layout }) { some, single in
      let values = try executor.logits(Tensor(joining: some))
      return some.indices.map {
        ClassScores(single.layout.scores(ofItem: values.part($0, of: some.count)), layout: single.layout)
      }
    }
  }

  /// Applies `body` to inputs of one shape, in batches that fit into the memory budget. Inputs are passed one by one if
  /// the batched plan does not treat each item like the single plan, because constants in the graph may depend on the
  /// batch size.
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

  /// The plan for a method's table.
  func plan(for table: RuleTable) throws -> RulePlan {
    try plans.value(for: table.text) { try table.resolve(for: network) }
  }
}

extension RuleTable {
  /// The table's full printed form.
  fileprivate var text: String {
    let range = pixelRange.map { "\($0.lower) \($0.upper)" } ?? ""
    return ([name, range] + rows.map(\.description)).joined(separator: "\n")
  }
}

/// One recorded run of a network: the activations and denominators from which any number of targets can be explained.
public struct Trace: Sendable {
  /// The values that are explained, before a final softmax or sigmoid: batch × classes or, if classes have scores at
  /// several positions, batch × classes × the extents of `layout.positions`. A single logit that decides between two
  /// classes occurs twice, once negated.
  public let logits: Tensor
  package let explainer: Explainer
  private(set) var propagator: Propagator
  private var propagators = Cache<String, Propagator>()
  var choices = OutputChoices()
  /// The nodes that each target's relevance must pass through; empty if there is no restriction.
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
  /// The recorded input.
  public var input: Tensor { forward.input }
  /// The arrangement of the logits, and the decision that they encode.
  public var layout: ScoreLayout { forward.plan.layout }
  /// The number of classes.
  public var classes: Int { layout.classes }
  /// The number of items in the batch.
  public var batch: Int { forward.items }
  var forward: ForwardTrace { propagator.trace }

  /// Whether a single logit represents two classes.
  var hasComplement: Bool { if case .twoClasses = layout.decision { true } else { false } }

  /// The classes of the first item in descending order of their logits, with probabilities. Classes with equal logits
  /// are ordered by number. If classes have scores at several positions, these are the scores at the first position.
  ///
  /// - Complexity: O(classes log classes).
  public func predictions() -> [Prediction] { Prediction.ranking(scores(of: 0), layout: layout) }

  /// The classes of one item of the batch at one position.
  ///
  /// - Parameters:
  ///   - item: the number of the item, from 0.
  ///   - position: the position; nil for the first, and if classes have only one score.
  /// - Throws: `RelevanceKitError` if there is no such item or position.
  /// - Complexity: O(classes log classes).
  public func predictions(ofItem item: Int, at position: [Int]? = nil) throws -> [Prediction] {
    guard let place = position.map({ layout.index(ofPosition: $0) }) ?? 0 else {
      throw ExplanationError.noSuchPosition(position ?? [], positions: layout.positions)
    }
    return Prediction.ranking(try scores(ofItem: item), layout: layout, place: place)
  }

  /// The scores of one item of the batch, classes × positions (1 position if there are none).
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

  /// Whether relevance can be propagated from a node to the input.
  func reaches(_ id: Node.ID) -> Bool { explainer.reachable.contains(id) }

  /// The propagator for a method's table (nil for the explainer's table), to the input or down to a node.
  func propagator(for table: RuleTable?, downTo last: Node.ID? = nil) throws -> Propagator {
    guard let table else {
      if let objection = plan.objection, !(last.map { plan.fits(downTo: $0) } ?? false) { throw objection }
      return propagator
    }
    return try kept(table.text) { try explainer.plan(for: table) }
  }

  /// The propagator for a variant of the table's plan; `variant` names the change.
  func propagator(
    for table: RuleTable?, variant: String, _ change: (RulePlan) -> RulePlan
  ) throws -> Propagator {
    let plan = try propagator(for: table).plan
    return try kept("\(variant) by \(table?.text ?? "")") { change(plan) }
  }

  /// A propagator with its own denominators, which the trace caches.
  private func kept(_ name: String, plan: () throws -> RulePlan) throws -> Propagator {
    var found = try propagators.value(for: name) { Propagator(plan: try plan(), trace: forward) }
    found.clock = propagator.clock
    return found
  }

  /// The propagator for the negative side of a single logit, which uses the negated weights of the layer before it. Nil
  /// if there is no such layer or its rule does not use weights.
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
    // Some cached propagators are variants of the old plan.
    copy.propagators = Cache()
    return copy
  }

  /// The same trace with a clock that records the time of each node in its backward passes.
  package func timed(by clock: NodeClock?) -> Trace {
    var copy = self
    copy.propagator.clock = clock
    return copy
  }

  package struct Bytes: Sendable {
    package let values: Int
    /// The products `W⁺·x` that were also computed.
    package let sideProducts: Int
    /// The other denominators of the explanations so far.
    package let denominators: Int
  }

  /// The memory in bytes that the trace uses: the values of its nodes, and the intermediate results of explanations so
  /// far.
  ///
  /// - Complexity: O(nodes).
  public var memoryUse: Int { bytes.values + bytes.sideProducts + bytes.denominators }

  /// The memory that the trace uses.
  package var bytes: Bytes {
    let products = plan.sideProducts.keys.map { forward.sideProduct(of: $0)?.count ?? 0 }.reduce(0, +)
    let sideProducts = products * MemoryLayout<Float>.stride
    return Bytes(
      values: forward.bytes - sideProducts, sideProducts: sideProducts,
      denominators: propagators.all.reduce(propagator.denominatorBytes) { $0 + $1.denominatorBytes })
  }
}
