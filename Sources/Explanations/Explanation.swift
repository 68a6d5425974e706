import Foundation
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// Which parts of an input spoke for a target, and how strongly.
public struct Explanation: Sendable {
  /// What is explained: never a rank, but the class that had it.
  public let target: Target
  /// How.
  public let method: any AttributionMethod
  /// The explained score of each item of the batch: a logit (a probability where `ScoreLayout.areProbabilities` and no logit is found behind
  /// it), the mean of a region's, the sum of a unit's activations, or a cosine.
  public let scores: [Float]
  /// What a class's score is called.
  let scoreName: String
  /// The map before negative parts are dropped: batch × channels × height × width, for methods of relevance in units of the
  /// score. Grad-CAM's has one channel.
  public let signedRelevance: Tensor
  /// What became of relevance at every node, from the target down, and of a contrast's negative part in the end; empty if
  /// it was not asked for, or the method has no relevance. Of a contrast sums are small: target and dual start with the
  /// same score, of opposite signs.
  public let ledger: Ledger
  /// For integrated gradients what the map's sum is short of `y(x) − y(x₀)`, for each item of the batch.
  public internal(set) var completenessErrors: [Float]?

  /// Of a `Target.box` what it is in each item of the batch: class, position, confidence and box; else empty.
  public internal(set) var boxes: [Candidate] = []

  /// What relevance had to pass; empty if it went everywhere.
  public internal(set) var conditions: [Condition] = []
  /// Whether only what passed all conditions counts, and no branches beside them.
  public internal(set) var isExclusive = true

  /// What is worth knowing of how it was explained, a sentence each: see `AttributionMethod.remarks(in:)`.
  public package(set) var remarks: [String] = []

  /// The constants between the image and the target that took a part of the score, such as a class token; empty without a ledger.
  public internal(set) var tokenShares: [TokenShare] = []

  /// The explained score (of the first item).
  public var score: Float { scores[0] }

  /// Relevance of each element of the input: batch × channels × height × width, in units of the score. Contrastive methods
  /// keep only what speaks for the target more than for its dual: `max(0, ·)`, *Gu18* eq. 2.
  ///
  /// - Complexity: O(count) for contrastive methods, whose positive part is a copy; else O(1).
  public var relevance: Tensor { method.isContrastive ? signedRelevance.positivePart : signedRelevance }

  /// What the map's values are in, for people: `logit`, `probability`, or `activation of conv5` where a unit is explained, for methods
  /// that share out the score; other methods have units of their own.
  ///
  /// Maps of the same unit can be compared by their values, and can share a color scale.
  public var quantity: String {
    switch target {
    case .class, .region, .top, .box: method.quantity(of: scoreName)
    case .cosine: method.quantity(of: "cosine")
    case .unit(let node, _, _): method.quantity(of: "activation of \(node)")
    }
  }

  /// Whether the target's score is negative or zero, so that there is no support to explain.
  public var isUnsupported: Bool { score <= 0 }
}

/// An explanation that cannot be given.
package enum ExplanationError: RelevanceKitError, Equatable {
  case noSuchClass(Int, classes: Int)
  case noSuchRank(Int, ranks: Int)
  case noSuchItem(Int, items: Int)
  case noSuchUnit(String, node: String, shape: TensorShape)
  case turnedUnit(Int, node: String, factor: String)
  case noRelevance(node: String)
  case noWeightedHead(node: String, operator: String)
  case needsClass(method: String)
  case contrastWithItself(Int)
  case contrastWithNothing
  case noPositions(method: String, node: String, shape: TensorShape)
  case noSpatialLayer(method: String)
  /// Nowhere does the network attend from the tokens of an image to each other.
  case noAttention(method: String)
  case needsPosition(class: Int, positions: [Int])
  case noSuchPosition([Int], positions: [Int])
  case noRegions(class: Int)
  case emptyRegion(class: Int, others: [Int])
  case noBoxes(layout: String)
  case noSuchBox(Int, boxes: Int)
  case outputLeftOut(String)
  case referenceCount(String, found: Int, expected: Int, shape: TensorShape)
  case noDirection(String)
  case needsUnit(method: String)
  case notFinite(target: String, method: String, node: String)

  package var category: ErrorCategory {
    switch self {
    case .noSuchClass, .noSuchRank, .noSuchItem, .noSuchUnit, .turnedUnit, .needsClass, .contrastWithItself,
      .contrastWithNothing, .needsPosition,
      .noSuchPosition, .noRegions, .emptyRegion, .noBoxes, .noSuchBox, .outputLeftOut, .referenceCount, .noDirection,
      .needsUnit:
      .usage
    case .noRelevance, .noWeightedHead, .noPositions, .noSpatialLayer, .noAttention, .notFinite: .badData
    }
  }

  package var description: String {
    switch self {
    case .noSuchClass(let index, let classes): "there is no class \(index): the network has classes 0 to \(classes - 1)"
    case .noSuchRank(let rank, let ranks): "top:\(rank): no class has this rank; expected 1 to \(ranks)"
    case .noSuchItem(let item, let items): "there is no item \(item) in a batch of \(items); they count from 0"
    case .noSuchUnit(let unit, let node, let shape): "node \(node) has no \(unit): its output has shape \(shape)"
    case .turnedUnit(let channel, let node, let factor):
      "channel \(channel) of node \(node) has a negative factor in \(factor), and its weights are held with the sign turned; expected a "
        + "unit of \(factor) or of a node after it"
    case .noRelevance(let node):
      "no relevance can go from node \(node) to the input; expected a node between it and the logits"
    case .noWeightedHead(let node, let op):
      "clrp2 negates the weights of the last layer before the target, but node \(node) (\(op)) lies between"
    case .needsClass(let method):
      "\(method) contrasts a class with the others, and a unit has none that are alternatives to it; expected a class, or clrp2"
    case .contrastWithItself(let index):
      "clrp1 contrasts class \(index) with itself; expected another class to contrast it with"
    case .contrastWithNothing:
      "clrp1 contrasts with an empty list of classes; expected one class or more, or .others for all"
    case .noPositions(let method, let node, let shape):
      "\(method) needs a layer with height and width, or with tokens of the image, and the output of node \(node) has shape \(shape)"
    case .needsPosition(let index, let positions):
      "class \(index) has a score at each of \(Self.extents(positions)) positions; expected class:\(index)@\(Self.example(positions)) "
        + "for one of them, or region:\(index) for those where it is the largest"
    case .noSuchPosition(let position, let positions):
      positions.isEmpty
        ? "there is no position \(Self.list(position)): each class has one score; expected the class alone"
        : "there is no position \(Self.list(position)): the scores have \(Self.extents(positions)) positions, from "
          + "\(Self.list(positions.map { _ in 0 })) to \(Self.list(positions.map { $0 - 1 }))"
    case .noRegions(let index): "region:\(index): each class has one score, and no positions; expected class:\(index)"
    case .emptyRegion(let index, let others):
      "region:\(index): class \(index) has the largest score at no position; the classes that have: "
        + others.prefix(12).map(String.init).joined(separator: ", ")
        + (others.count > 12 ? " and \(others.count - 12) more" : "")
    case .noBoxes(let layout):
      "box: expected a detector, whose classes have scores at each of several positions: batch × (4 + classes) × positions, batch × positions "
        + "× (4 + 1 + classes), or boxes and scores as two outputs; found \(layout)"
    case .noSuchBox(let rank, let boxes): "box:\(rank): no box has this rank; expected 1 to \(boxes)"
    case .outputLeftOut(let name):
      "\(name): this output of the file was left out when it was read; expected it among furtherOutputs"
    case .referenceCount(let name, let found, let expected, let shape):
      "cosine:\(name): the reference has \(found) elements; expected \(expected), as each item of the output, whose shape is \(shape)"
    case .noDirection(let name):
      "cosine:\(name): the reference has no direction: all its elements are 0, or some are not finite"
    case .needsUnit(let method):
      "\(method) contrasts a class or a unit with its opposite, and a cosine has none; expected lrp, or another method that is no contrast"
    case .notFinite(let target, let method, let node):
      "the map of \(target) by \(method) has values that are not finite (NaN or infinite), because of node \(node)"
    case .noAttention(let method):
      "\(method) needs attention between the tokens of an image: a product of what a softmax over tokens gives, behind a convolution that makes the "
        + "tokens; the network has none; `relevance list methods` names methods for every network"
    case .noSpatialLayer(let method):
      "\(method) needs a layer with height and width, or with tokens of the image, and no layer before the logits has them"
    }
  }

  private static func extents(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "×") }
  private static func list(_ position: [Int]) -> String { position.map(String.init).joined(separator: ",") }
  /// The position in the middle.
  private static func example(_ positions: [Int]) -> String { list(positions.map { $0 / 2 }) }
}

extension Explanation {
  /// What is doubtful about how relevance went through the network, a sentence each: most of the score stays behind, or relevance grows
  /// to many times the score. Empty without a ledger, and for contrasts, whose sums say nothing of either; explain the same target by LRP
  /// for these.
  ///
  /// - Complexity: O(entries of the ledger).
  public var warnings: [String] {
    // What conditions take out is what they are for.
    guard method.isRelevance, !method.isContrastive, score != 0, conditions.isEmpty else { return [] }
    return [lossWarning, growthWarning].compactMap { $0 }
  }

  /// The share of the score above which what stays behind is worth a sentence.
  private static let largeLoss = 0.5
  /// How many times the score relevance may grow to before that is worth a sentence.
  private static let largeGrowth = 5.0

  private var lossWarning: String? {
    let total = Double(scores.reduce(0, +))
    let absorbed = ledger.absorbed / (total == 0 ? Double(score) : total)
    let losses = ledger.flatMap { entry in entry.losses.map { (entry: entry, cause: $0.key, amount: $0.value) } }
    guard absorbed > Self.largeLoss, let largest = losses.max(by: { abs($0.amount) < abs($1.amount) }) else {
      return nil
    }
    let percent = String(format: absorbed > 0.995 ? "%.1f" : "%.0f", min(absorbed, 1) * 100)
    return
      "\(percent) % of the score of \(target) stays behind, most of it at node \(largest.entry.node) "
      + "(\(largest.entry.kind), \(largest.entry.rule)): \(largest.cause.explanation)"
  }

  private var growthWarning: String? {
    let start = scores.reduce(0.0) { $0 + Double(abs($1)) }
    guard start > 0, let peak = ledger.map(\.magnitudeOut).max(), peak / start > Self.largeGrowth,
      let steepest = ledger.filter({ $0.magnitudeIn > 0 }).max(by: {
        $0.magnitudeOut / $0.magnitudeIn < $1.magnitudeOut / $1.magnitudeIn
      })
    else { return nil }
    let factor = String(format: "%.0f", peak / start)
    let step = String(format: "%.2g", steepest.magnitudeOut / steepest.magnitudeIn)
    return
      "the relevance of \(target) grows to \(factor) times its score in magnitude, most at node \(steepest.node) "
      + "(\(steepest.kind), \(steepest.rule)), \(step) times; positive and negative shares cancel in its sum"
  }
}

extension AbsorptionCause {
  /// The cause as part of a sentence.
  fileprivate var explanation: String {
    switch self {
    case .bias: "its bias takes a share"
    case .stabilizer: "the stabilizer takes a share"
    case .zeroDenominator: "no input supports its outputs (zero denominator)"
    case .decision: "it decides, and no value of the input is a part of a decision"
    case .rule: "the rule does not conserve relevance"
    case .condition: "the condition lets only some channels pass"
    case .clipped: "negative relevance is dropped"
    case .rounding: "rounding"
    }
  }
}
