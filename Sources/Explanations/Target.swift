import Networks
import Tensors

/// What an explanation is of.
public enum Target: Hashable, Sendable {
  /// A class, by its position among the logits.
  case `class`(Int)
  /// A unit of any node, in units of its activation: a channel at a position (height and width), or, without one, the whole
  /// channel. A unit of a fully connected layer is a channel.
  case unit(node: String, channel: Int, position: [Int]? = nil)

  /// The class; nil for a unit.
  public var classIndex: Int? {
    if case .class(let index) = self { index } else { nil }
  }
}

extension Target: CustomStringConvertible {
  /// `class:340`, `unit:conv5/13`, `unit:conv5/13@6,7`: as targets are written on the command line.
  public var description: String {
    switch self {
    case .class(let index): "class:\(index)"
    case .unit(let node, let channel, let position):
      "unit:\(node)/\(channel)" + (position.map { "@" + $0.map(String.init).joined(separator: ",") } ?? "")
    }
  }

  /// Reads a description; nil if it is none. Names of nodes may contain any characters: the last slash ends them.
  public init?(_ description: String) {
    if description.hasPrefix("class:") {
      guard let index = Int(description.dropFirst("class:".count)), index >= 0 else { return nil }
      self = .class(index)
      return
    }
    guard description.hasPrefix("unit:"), let slash = description.lastIndex(of: "/") else { return nil }
    let node = String(description[description.index(description.startIndex, offsetBy: 5)..<slash])
    let rest = description[description.index(after: slash)...].split(separator: "@", omittingEmptySubsequences: false)
    guard !node.isEmpty, let channel = rest.first.flatMap({ Int($0) }), channel >= 0, rest.count <= 2 else {
      return nil
    }
    guard rest.count == 2 else {
      self = .unit(node: node, channel: channel)
      return
    }
    let position = rest[1].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !position.isEmpty, position.allSatisfy({ $0 != nil && $0! >= 0 }) else { return nil }
    self = .unit(node: node, channel: channel, position: position.compactMap { $0 })
  }
}

/// A target found in a network: elements of a node's output whose relevance starts.
struct Site {
  let node: Node.ID
  /// The elements of an item of the output; of a class or a single unit one.
  let elements: Range<Int>
  /// Elements of an item of the output.
  let item: Int
  /// The class, if the target is a single logit.
  let classIndex: Int?

  /// - Throws: `ExplanationError` if there is no such target, or no relevance can go from it to the input.
  init(of target: Target, in trace: Trace) throws {
    let network = trace.plan.network
    switch target {
    case .class(let index):
      guard (0..<trace.classes).contains(index) else {
        throw ExplanationError.noSuchClass(index, classes: trace.classes)
      }
      (node, elements, item, classIndex) = (network.logits, index..<index + 1, trace.classes, index)
    case .unit(let name, let channel, let position):
      let id = try network.graph.requiredNode(named: name)
      guard trace.plan[id] != nil else { throw ExplanationError.noRelevance(node: network.graph[id].name) }
      let shape = trace.forward.shape(of: id)
      // Channels come second; where there are no positions, last.
      let channels = shape.rank < 2 ? 1 : shape[1]
      let extents = Array(shape.dimensions.dropFirst(2))
      guard (0..<channels).contains(channel) else {
        throw ExplanationError.noSuchUnit("channel \(channel)", node: name, shape: shape)
      }
      let positions = extents.reduce(1, *)
      var (first, count) = (channel * positions, positions)
      if let position {
        guard position.count == extents.count, zip(position, extents).allSatisfy({ (0..<$1).contains($0) }) else {
          let text = position.map(String.init).joined(separator: ",")
          throw ExplanationError.noSuchUnit("position \(text)", node: name, shape: shape)
        }
        first += zip(position, extents).reduce(0) { $0 * $1.1 + $1.0 }
        count = 1
      }
      (node, elements, item) = (id, first..<first + count, channels * positions)
      classIndex = id == network.logits && count == 1 ? first : nil
    }
  }

  /// The values of the elements, for an item of the batch.
  func values(in trace: Trace, item index: Int) -> [Float] {
    let values = trace.forward.value(of: node)
    return values.withUnsafeElements { values in elements.map { values[index * item + $0] } }
  }

  /// The score: the sum of the values.
  func score(in trace: Trace, item index: Int) -> Float { values(in: trace, item: index).reduce(0, +) }
}
