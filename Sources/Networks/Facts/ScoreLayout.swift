import RelevanceTensors

/// The decision that a network's scores make.
public enum Decision: Hashable, Sendable {
  /// One of several classes. The softmax of the logits is their probabilities.
  case oneClass
  /// Each class independently. The sigmoid of its logit is its probability.
  case eachClass
  /// One of two classes, by a single logit. Its sigmoid is the probability of class `positive`, and its negative is the
  /// logit of the other class.
  case twoClasses(positive: Int)
  /// No decision: the output is a quantity, such as an age or an angle.
  case quantity
}

/// The arrangement of one item's scores: the axis of the classes and the positions.
///
/// A classifier has one score per class. A segmentation network has one per class and pixel, a detector one per class
/// and anchor, a recognizer one per class and step. In these networks, a class alone is not a target.
public struct ScoreLayout: Hashable, Sendable {
  /// The decision that the scores make.
  public let decision: Decision
  /// The number of classes. It is 2 for a single logit that decides between two classes.
  public let classes: Int
  /// Whether the network computes probabilities from the scores itself.
  package let endsInActivation: Bool
  /// Whether scores are probabilities, and not logits. These come from a sigmoid or softmax before the end of a network
  /// that joins them to other values.
  public let areProbabilities: Bool
  /// The number of channels per position in addition to the classes: boxes, an objectness, coefficients of masks.
  public let otherChannels: Int
  /// The probable background class if classes have scores at several positions: the other one of two classes with one
  /// logit; or class 0, of two classes or for the pixels of an image, unless the class names indicate otherwise.
  public let background: Int?
  /// The extents of the position axes, in order; empty if each class has a single score.
  public let positions: [Int]
  /// The element of the first class at the first position.
  private let first: Int
  /// The distance between neighboring classes, in elements.
  private let classStride: Int
  /// The element of the objectness at the first position.
  private let objectness: Int?
  /// The distance between neighbors along each axis of positions, in elements.
  private let strides: [Int]
  /// The axis of the channels, that is, of classes and additional channels, counted from the end (−1 is the last axis).
  /// Nil if there is none.
  package let channelAxis: Int?
  /// The elements, at the first position, of the first four channels that are neither classes nor an objectness: a box,
  /// in the file's order.
  private let box: [Int]?

  /// Whether classes have scores at several positions.
  public var hasPositions: Bool { !positions.isEmpty }
  /// The number of positions; 1 if classes have single scores.
  public var positionCount: Int { positions.reduce(1, *) }
  /// Whether each position has an objectness, the probability that it contains any object, in addition to the classes.
  public var hasObjectness: Bool { objectness != nil }
  /// Whether positions are candidates for objects, as in a detector, and not parts of the image.
  public var isOfCandidates: Bool {
    hasPositions && (otherChannels > 0 || decision == .eachClass || positions.count { $0 > 1 } == 1)
  }

  /// Creates the layout of a classifier with one logit per class.
  public init(classes: Int, decision: Decision = .oneClass) {
    self.init(decision: decision, endsInActivation: true, extents: [classes], classAxis: nil)
  }

  init(
    decision: Decision, endsInActivation: Bool, extents: [Int], classAxis: Int?, channels: ClassChannels? = nil,
    areProbabilities: Bool = false, background: Background? = nil
  ) {
    self.endsInActivation = endsInActivation
    self.areProbabilities = areProbabilities
    let (extents, axis) = classAxis.map { (extents, $0) } ?? ([extents.reduce(1, *)], 0)
    let strides = TensorShape(extents).strides
    let range = channels?.classes ?? 0..<extents[axis]
    let isSingle = range.count == 1
    var decision = decision
    if !isSingle, decision == .quantity { decision = .oneClass }
    if !isSingle, case .twoClasses = decision { decision = .eachClass }
    self.decision = decision
    classes = isSingle && decision.isTwofold ? 2 : range.count
    otherChannels = extents[axis] - range.count
    first = range.lowerBound * strides[axis]
    objectness = channels?.objectness.map { $0 * strides[axis] }
    classStride = isSingle ? 0 : strides[axis]
    let others = extents.indices.filter { $0 != axis }
    let places = others.contains { extents[$0] > 1 } ? others : []
    positions = places.map { extents[$0] }
    self.strides = places.map { strides[$0] }
    channelAxis = classAxis.map { $0 - extents.count }
    let beside = (0..<extents[axis]).filter { !range.contains($0) && $0 != channels?.objectness }
    box = beside.count < 4 ? nil : beside.prefix(4).map { $0 * strides[axis] }
    let isPicture = channels == nil && positions.count { $0 > 1 } > 1
    self.background =
      switch decision {
      case _ where places.isEmpty || objectness != nil: nil
      case .twoClasses(let positive): 1 - positive
      case .oneClass where classes > 1:
        switch background {
        case .class(let index)?: index
        case Background.none?: nil
        case nil: isPicture || classes == 2 ? 0 : nil
        }
      default: nil
      }
  }

  /// The element of an item that contains the score of a class at a position. Positions are counted in row-major order.
  ///
  /// - Complexity: O(axes of positions).
  package func element(ofClass index: Int, at position: Int = 0) -> Int {
    offset(ofPosition: position) + first + index * classStride
  }

  private func offset(ofPosition position: Int) -> Int {
    var (element, rest) = (0, position)
    for axis in positions.indices.reversed() {
      element += rest % positions[axis] * strides[axis]
      rest /= positions[axis]
    }
    return element
  }

  /// The objectness at each position; nil if there is none.
  ///
  /// - Complexity: O(positions).
  public func objectness(ofItem values: Tensor) -> [Float]? {
    guard let objectness else { return nil }
    return values.withUnsafeElements { values in
      (0..<positionCount).map { values[objectness + offset(ofPosition: $0)] }
    }
  }

  /// The four numbers of the box at a position, in the network's form; nil if there are no boxes beside the scores.
  package func box(ofItem values: Tensor, at position: Int) -> [Float]? {
    guard let box else { return nil }
    let offset = offset(ofPosition: position)
    return values.withUnsafeElements { values in box.map { values[offset + $0] } }
  }

  /// The factor that converts the element to the score of a class: −1 for the negative side of a single logit.
  package func sign(ofClass index: Int) -> Float {
    if case .twoClasses(let positive) = decision, index != positive { -1 } else { 1 }
  }

  /// The index of a position in row-major order; nil if there is no such position. Axes of extent 1 may be omitted.
  public func index(ofPosition position: [Int]) -> Int? {
    let long = positions.filter { $0 > 1 }
    let extents = position.count == positions.count ? positions : long
    return TensorShape(extents).place(of: position)
  }

  /// The coordinates of a position, given its index in row-major order.
  public func coordinates(ofPosition index: Int) -> [Int] { TensorShape(positions).coordinates(of: index) }

  /// The scores of an item, classes × positions.
  ///
  /// - Complexity: O(classes × positions).
  public func scores(ofItem values: Tensor) -> Tensor {
    let count = positionCount
    return Tensor(uninitialized: TensorShape([classes, count])) { result in
      values.withUnsafeElements { values in
        for index in 0..<classes {
          let sign = sign(ofClass: index)
          for position in 0..<count {
            result[index * count + position] = sign * values[element(ofClass: index, at: position)]
          }
        }
      }
    }
  }
}

extension ScoreLayout: CustomStringConvertible {
  /// `1000 classes`, `21 classes at each of 65×65 positions`, `2 classes from one logit`, `a quantity`.
  public var description: String {
    let what =
      switch decision {
      case .oneClass: classes == 1 ? "1 class" : "\(classes) classes"
      case .eachClass: "\(classes) independent class\(classes == 1 ? "" : "es")"
      case .twoClasses: "2 classes from one logit"
      case .quantity: "a quantity"
      }
    let place = hasPositions ? " at each of \(positions.map(String.init).joined(separator: "×")) positions" : ""
    let rest = otherChannels - (hasObjectness ? 1 : 0)
    let beside = [
      hasObjectness ? "an objectness" : nil, rest > 0 ? "\(rest) other channel\(rest == 1 ? "" : "s")" : nil,
    ].compactMap { $0 }
    return what + place + (beside.isEmpty ? "" : ", plus " + beside.joined(separator: " and "))
  }
}

extension Decision {
  fileprivate var isTwofold: Bool { if case .twoClasses = self { true } else { false } }
}

extension NeuralNetwork {
  /// The arrangement of the logits for an input.
  ///
  /// If probabilities are joined to other channels, as in detectors, the other channels are not classes. The classes'
  /// axis is the first of the following that exists: the axis of the softmax at the end; the axis with as many elements
  /// as there are known classes; the channel axis of the last weighted layer; the second of four axes, or the shortest
  /// axis.
  ///
  /// - Parameter inferred: The shapes for the input, by node.
  /// - Complexity: O(nodes and edges).
  package func scoreLayout(_ inferred: [Inferred]) -> ScoreLayout {
    let shape = inferred[logits.index].shape
    var extents = shape.dimensions
    // The batch axis is not a position. If it was dropped or is another axis, all axes belong to the one item.
    let items = inferred[input.index].shape.dimensions.first ?? 1
    let batch = batching(before: logits, inferred)
    let hasBatch = shape.rank > 0 && shape[0] == items && { if case .mixed = batch { false } else { true } }()
    if hasBatch {
      extents.removeFirst()
    } else if case .items(let items, _) = batch, items > 1, let first = extents.first {
      extents[0] = first / items
    }
    let offset = hasBatch ? 1 : 0
    let decision = self.decision
    func layout(_ extents: [Int], classAxis: Int?) -> ScoreLayout {
      // Probabilities that are moved before the network ends.
      let kind =
        ending.decision == .quantity && extents.count { $0 > 1 } > 1 && extents.count + offset == shape.rank
        ? classAxis.flatMap { extents[$0] > 1 ? probabilities(along: $0 + offset, inferred) : nil } : nil
      return ScoreLayout(
        decision: expectedDecision ?? (kind == .sigmoid ? .eachClass : decision),
        endsInActivation: ending.decision != .quantity || kind != nil, extents: extents, classAxis: classAxis,
        areProbabilities: kind != nil, background: expectedBackground)
    }
    let long = extents.indices.filter { extents[$0] > 1 }
    if ending.decision == .quantity, let channels = classChannels(inferred, offset: offset) {
      return ScoreLayout(
        decision: channels.kind == .softmax ? .oneClass : .eachClass, endsInActivation: channels.kind != .other,
        extents: extents, classAxis: channels.axis, channels: channels, areProbabilities: channels.kind != .other,
        background: expectedBackground)
    }
    if let softmax = ending.softmax {
      let axis = (softmax.axis < 0 ? softmax.axis + shape.rank : softmax.axis) - offset
      if softmax.joinsTrailingAxes, extents.indices.contains(axis) {
        return layout(Array(extents[..<axis]) + [extents[axis...].reduce(1, *)], classAxis: axis)
      }
      if extents.indices.contains(axis) { return layout(extents, classAxis: axis) }
    }
    let channels = channelAxes(inferred)[logits.index].map { $0 - offset }.flatMap {
      extents.indices.contains($0) ? $0 : nil
    }
    // A single channel at many positions is one class or none at each of them.
    let isSingleChannel = extents.count > 1 && channels.map { extents[$0] == 1 } ?? false
    guard long.count > 1 || long.count == 1 && isSingleChannel else { return layout(extents, classAxis: nil) }
    let fitting = extents.indices.filter { extents[$0] == expectedClasses }
    if fitting.count == 1 { return layout(extents, classAxis: fitting[0]) }
    if let channels { return layout(extents, classAxis: channels) }
    return layout(extents, classAxis: extents.count == 3 ? 0 : long.min { extents[$0] < extents[$1] })
  }
}
