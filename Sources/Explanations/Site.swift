import RelevanceNetworks
import RelevanceTensors

/// A target located in the network: the elements of node outputs where relevance starts.
struct Site {
  /// The relation between the target's score and its elements.
  enum Kind {
    /// The score is the sum of the elements.
    case sum
    /// The score is the mean of the elements.
    case mean
    /// The score is the cosine between the elements and a reference.
    case cosine(Reference)
  }

  /// For each item of the batch, the node.
  private(set) var nodes: [Node.ID]
  /// For each item of the batch, the elements; one element for a single unit or a class at a position.
  private(set) var elements: [[Int]]
  /// The relation between the score and the elements.
  private(set) var kind = Kind.sum
  /// For each item, the factor from element values to the target's scores: −1 for the negative side of a single logit,
  /// otherwise 1.
  private(set) var signs: [Float]
  /// For each item, the class if the elements are scores of a class; nil for a unit.
  private(set) var classIndices: [Int?]
  /// For each item of the batch, the positions (counted row by row) at which the elements are scores of the class.
  private(set) var places: [[Int]]
  /// Whether the elements are logits, or values that are not known to be probabilities.
  private(set) var areLogits = true

  /// Whether the target is a single element of each item.
  var isSingle: Bool { elements.allSatisfy { $0.count == 1 } }

  /// - Throws: `RelevanceKitError` if there is no such target, or if no relevance can reach the input from it.
  init(of target: Target, in trace: Trace) throws {
    let target = try target.resolved(in: trace)
    if let index = target.classIndex, !(0..<trace.classes).contains(index) {
      throw ExplanationError.noSuchClass(index, classes: trace.classes)
    }
    let layout = trace.layout
    switch target {
    case .class(let index, let position):
      let place: Int
      if let position {
        guard layout.hasPositions, let found = layout.index(ofPosition: position) else {
          throw ExplanationError.noSuchPosition(position, positions: layout.positions)
        }
        place = found
      } else {
        guard !layout.hasPositions else {
          throw ExplanationError.needsPosition(class: index, positions: layout.positions)
        }
        place = 0
      }
      self.init(ofClasses: trace.items.map { _ in index }, at: trace.items.map { _ in [place] }, in: trace)
    case .region(let index):
      guard layout.hasPositions else { throw ExplanationError.noRegions(class: index) }
      let places = trace.regions.map { $0.first { $0.classIndex == index }?.places ?? [] }
      guard places.contains(where: { !$0.isEmpty }) else {
        let others = Set(trace.regions.flatMap { $0.map(\.classIndex) }).sorted()
        throw ExplanationError.emptyRegion(class: index, others: others)
      }
      self.init(ofClasses: places.map { _ in index }, at: places, in: trace)
      kind = .mean
    case .box(let rank):
      let boxes = try trace.boxes(ofRank: rank)
      self.init(ofClasses: boxes.map(\.classIndex), at: boxes.map { [$0.place] }, in: trace)
    case .cosine(let reference):
      let node = trace.plan.network.logits
      let count = trace.forward.shape(of: node).count / trace.batch
      try reference.check(count: count, shape: trace.forward.shape(of: node))
      self.init(node, Array(0..<count), in: trace)
      kind = .cosine(reference)
    case .top: preconditionFailure("a rank was resolved to a class")
    case .unit(let name, let channel, let position): try self.init(name, channel, position, in: trace)
    }
  }

  /// The scores of a class of each item at several positions.
  private init(ofClasses classes: [Int], at places: [[Int]], in trace: Trace) {
    let layout = trace.layout
    let network = trace.plan.network
    let found = zip(classes.indices, places).map { item, places in
      places.map { trace.scoreSource(ofClass: classes[item], at: $0, item: item) }
    }
    // All of an item's scores must start at one node. Logits are used only if all of the item's logits are at the same
    // node.
    let behind = found.map { found in found.first?.isLogit == true && Set(found.map(\.node)).count == 1 }
    areLogits = !layout.areProbabilities || zip(behind, places).allSatisfy { $0 || $1.isEmpty }
    (nodes, elements) = (classes.map { _ in network.logits }, [])
    for item in classes.indices {
      if areLogits, layout.areProbabilities, let first = found[item].first {
        nodes[item] = first.node
        elements.append(found[item].map(\.element))
      } else {
        elements.append(places[item].map { layout.element(ofClass: classes[item], at: $0) })
      }
    }
    signs = classes.map { layout.sign(ofClass: $0) }
    classIndices = classes
    self.places = places
  }

  /// The same elements of a node's output for every item.
  private init(_ node: Node.ID, _ elements: [Int], in trace: Trace) {
    nodes = trace.items.map { _ in node }
    self.elements = nodes.map { _ in elements }
    (signs, classIndices) = (nodes.map { _ in 1 }, nodes.map { _ in nil })
    places = nodes.map { _ in [] }
  }

  private init(_ name: String, _ channel: Int, _ position: [Int]?, in trace: Trace) throws {
    let network = trace.plan.network
    let output = network.node(ofOutput: name)
    if output == nil, network.graph.node(named: name) == nil, network.graph.outputNames.contains(name) {
      throw ExplanationError.outputLeftOut(name)
    }
    let id = try output ?? network.graph.requiredNode(named: name)
    // Explanations start at the logits, so the node that computes probabilities from them comes after the start.
    let isBehindLogits = id == output && id == network.graph.output && id != network.logits
    guard id != network.input, trace.reaches(id) || isBehindLogits else {
      throw ExplanationError.noRelevance(node: network.graph[id].name)
    }
    let shape = trace.forward.shape(of: id)
    // Channels are the second axis of a node, except in outputs without positions, where they are the last axis.
    let axis =
      output == nil || shape.rank < 2
      ? 1 : network.channelAxis(ofOutput: id, trace.layout, trace.forward.plan.analysis.inferred)
    let channels = shape.rank < 2 ? 1 : shape[axis]
    let others = shape.dimensions.indices.filter { $0 > 0 && $0 != axis }
    let extents = TensorShape(others.map { shape[$0] })
    guard (0..<channels).contains(channel) else {
      throw ExplanationError.noSuchUnit("channel \(channel)", node: name, shape: shape)
    }
    try network.graph[id].checkSign(ofChannel: channel, called: name)
    let places: [Int]
    if let position {
      guard let place = extents.place(of: position) else {
        let text = position.map(String.init).joined(separator: ",")
        throw ExplanationError.noSuchUnit("position \(text)", node: name, shape: shape)
      }
      places = [place]
    } else {
      places = Array(0..<extents.count)
    }
    let strides = shape.strides
    let first = shape.rank < 2 ? 0 : channel * strides[axis]
    var elements = places.map { place in
      zip(others, extents.coordinates(of: place)).reduce(first) { $0 + strides[$1.0] * $1.1 }
    }
    var node = id
    if let behind = output.flatMap({ trace.logits(of: elements, at: $0) }) {
      (node, elements) = behind
    } else if isBehindLogits {
      throw ExplanationError.noRelevance(node: network.graph[id].name)
    }
    self.init(node, elements, in: trace)
    // A unit of the logits is a class if each class has one score.
    let layout = trace.layout
    if node == network.logits, elements.count == 1, !layout.hasPositions,
      let index = (0..<layout.classes).first(where: {
        layout.element(ofClass: $0) == elements[0] && layout.sign(ofClass: $0) > 0
      })
    {
      classIndices = trace.items.map { _ in index }
      self.places = trace.items.map { _ in [0] }
    }
  }

  /// For each element, its share of an item's score and the derivative of the score with respect to it.
  func shares(in trace: Trace, item index: Int) -> (scores: [Float], derivatives: [Float]) {
    let all = trace.forward.itemByItem(trace.forward.value(of: nodes[index]), at: nodes[index])
    let (start, sign) = (index * (all.count / trace.batch), signs[index])
    let values = all.withUnsafeElements { all in elements[index].map { sign * all[start + $0] } }
    switch kind {
    case .sum: return (values, values.map { _ in sign })
    case .mean:
      let count = Float(max(values.count, 1))
      return (values.map { $0 / count }, values.map { _ in sign / count })
    case .cosine(let reference): return reference.shares(of: values)
    }
  }

  func score(in trace: Trace, item index: Int) -> Float {
    let scores = shares(in: trace, item: index).scores
    // A cosine or a mean has many small summands, so they are added in double precision.
    if case .sum = kind { return scores.reduce(0, +) }
    return Float(scores.reduce(0.0) { $0 + Double($1) })
  }
}

extension Node {
  /// - Throws: `RelevanceKitError` if the values of a channel are stored with the opposite sign under the node's name.
  func checkSign(ofChannel channel: Int, called name: String) throws {
    if let turned, turned.isTurned(name, channel: channel) {
      throw ExplanationError.turnedUnit(channel, node: name, factor: turned.factor)
    }
  }
}
