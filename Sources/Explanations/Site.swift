import Networks
import Tensors

/// A target found in a network: elements of a node's output whose relevance starts.
struct Site {
  let node: Node.ID
  /// For each item of the batch the elements of the item; of a class at a position or a single unit one.
  let elements: [[Int]]
  /// Elements of an item of the output.
  let item: Int
  /// What the elements are multiplied by to be the target's scores: −1 for the negative side of a single logit.
  var sign: Float = 1
  /// The class, if the elements are scores of one; nil for a unit.
  var classIndex: Int?
  /// For each item of the batch the positions, counted row by row, at which the elements are the class's scores.
  var places: [[Int]] = []

  /// Whether the target is a single element of each item.
  var isSingle: Bool { elements.allSatisfy { $0.count == 1 } }

  /// - Throws: `RelevanceKitError` if there is no such target, or no relevance can go from it to the input.
  init(of target: Target, in trace: Trace) throws {
    let target = try target.resolved(in: trace)
    if let index = target.classIndex, !(0..<trace.classes).contains(index) {
      throw ExplanationError.noSuchClass(index, classes: trace.classes)
    }
    switch target {
    case .class(let index, let position):
      let layout = trace.layout
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
      self.init(ofClass: index, at: [[Int]](repeating: [place], count: trace.batch), in: trace)
    case .region(let index):
      let places = trace.regions.map { $0.first { $0.classIndex == index }?.places ?? [] }
      guard trace.layout.hasPositions else { throw ExplanationError.noRegions(class: index) }
      self.init(ofClass: index, at: places, in: trace)
      guard places.contains(where: { !$0.isEmpty }) else { throw ExplanationError.emptyRegion(class: index) }
    case .top: preconditionFailure("a rank was resolved to a class")
    case .unit(let name, let channel, let position): try self.init(name, channel, position, in: trace)
    }
  }

  /// The scores of a class at some positions of each item.
  private init(ofClass index: Int, at places: [[Int]], in trace: Trace) {
    let layout = trace.layout
    node = trace.plan.network.logits
    item = trace.forward.shape(of: node).count / trace.batch
    sign = layout.sign(ofClass: index)
    elements = places.map { $0.map { layout.element(ofClass: index, at: $0) } }
    classIndex = index
    self.places = places
  }

  private init(_ name: String, _ channel: Int, _ position: [Int]?, in trace: Trace) throws {
    let network = trace.plan.network
    let id = try network.graph.requiredNode(named: name)
    guard id != network.input, trace.reaches(id) else {
      throw ExplanationError.noRelevance(node: network.graph[id].name)
    }
    let shape = trace.forward.shape(of: id)
    // Channels come second; where there are no positions, last.
    let channels = shape.rank < 2 ? 1 : shape[1]
    let extents = TensorShape(Array(shape.dimensions.dropFirst(2)))
    guard (0..<channels).contains(channel) else {
      throw ExplanationError.noSuchUnit("channel \(channel)", node: name, shape: shape)
    }
    try network.graph[id].checkSign(ofChannel: channel, called: name)
    var (first, count) = (channel * extents.count, extents.count)
    if let position {
      guard let place = extents.place(of: position) else {
        let text = position.map(String.init).joined(separator: ",")
        throw ExplanationError.noSuchUnit("position \(text)", node: name, shape: shape)
      }
      first += place
      count = 1
    }
    node = id
    elements = [[Int]](repeating: Array(first..<first + count), count: trace.batch)
    item = shape.count / trace.batch
    // A unit of the logits is a class where classes have one score each.
    let layout = trace.layout
    if id == network.logits, count == 1, !layout.hasPositions,
      let index = (0..<layout.classes).first(where: {
        layout.element(ofClass: $0) == first && layout.sign(ofClass: $0) > 0
      })
    {
      classIndex = index
      places = [[Int]](repeating: [0], count: trace.batch)
    }
  }

  func values(in trace: Trace, item index: Int) -> [Float] {
    let values = trace.forward.itemByItem(trace.forward.value(of: node), at: node)
    return values.withUnsafeElements { values in elements[index].map { sign * values[index * item + $0] } }
  }

  func score(in trace: Trace, item index: Int) -> Float { values(in: trace, item: index).reduce(0, +) }
}

extension Node {
  /// - Throws: `RelevanceKitError` if a channel's values are held with the opposite sign, under a name of the node.
  func checkSign(ofChannel channel: Int, called name: String) throws {
    if let turned, turned.isTurned(name, channel: channel) {
      throw ExplanationError.turnedUnit(channel, node: name, factor: turned.factor)
    }
  }
}
