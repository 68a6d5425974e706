import Foundation
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// The relevance of each element of an input for a target.
public struct Explanation: Sendable {
  /// The explained target. A rank is replaced by the class with this rank.
  public let target: Target
  /// The attribution method.
  public let method: any AttributionMethod
  /// The explained score of each item of the batch: a logit, the mean logit of a region, the sum of a unit's
  /// activations, or a cosine. If `ScoreLayout.areProbabilities` holds and no logit is found before the probability,
  /// the score is the probability.
  public let scores: [Float]
  /// The name of a class's score: `logit` or `probability`.
  let scoreName: String
  /// The map before negative values are dropped: batch × channels × height × width, in units of the score for methods
  /// that compute relevance. A map of Grad-CAM has one channel.
  public let signedRelevance: Tensor
  /// The relevance flow at every node, from the target to the input, followed by an entry for the negative part of a
  /// contrast. Empty if no ledger was requested or the method has no relevance. The sums of contrastive methods are
  /// small, because target and dual start with the same score with opposite signs.
  public let ledger: Ledger
  /// For integrated gradients, `y(x) − y(x₀)` minus the sum of the map, for each item of the batch.
  public internal(set) var completenessErrors: [Float]?

  /// For a `Target.box`, the class, position, confidence and box in each item of the batch; otherwise empty.
  public internal(set) var boxes: [Candidate] = []

  /// The channels that relevance had to pass through; empty if there was no restriction.
  public internal(set) var conditions: [Condition] = []
  /// Whether only relevance that passed through all conditioned nodes counts. If false, parallel branches count too.
  public internal(set) var isExclusive = true

  /// Facts about how the method explained the run, one sentence each (see `AttributionMethod.remarks(in:)`).
  public package(set) var remarks: [String] = []

  /// The constants between the image and the target that received a part of the score, such as a class token; empty
  /// without a ledger.
  public internal(set) var tokenShares: [TokenShare] = []

  /// The explained score of the first item.
  public var score: Float { scores[0] }

  /// The relevance of each element of the input: batch × channels × height × width, in units of the score. Contrastive
  /// methods keep only the relevance that supports the target more than its dual: `max(0, ·)`, *Gu18* eq. 2.
  ///
  /// - Complexity: O(count) for contrastive methods, whose positive part is a copy; otherwise O(1).
  public var relevance: Tensor { method.isContrastive ? signedRelevance.positivePart : signedRelevance }

  /// The quantity of the map's values as a text: `logit`, `probability`, or `activation of conv5` for a unit, if the
  /// method distributes the score. Other methods have their own quantities.
  ///
  /// Maps of the same quantity can be compared by their values and can share a color scale.
  public var quantity: String {
    switch target {
    case .class, .region, .top, .box: method.quantity(of: scoreName)
    case .cosine: method.quantity(of: "cosine")
    case .unit(let node, _, _): method.quantity(of: "activation of \(node)")
    }
  }

  /// Whether the target's score is zero or negative, so that there is no support to explain.
  public var isUnsupported: Bool { score <= 0 }
}

/// A reason why a target cannot be explained.
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
  /// No layer of the network has attention between image tokens.
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
      "channel \(channel) of node \(node) has a negative factor in \(factor), so its weights are stored with the "
        + "opposite sign; expected a unit of \(factor) or of a node after it"
    case .noRelevance(let node):
      "no relevance can reach the input from node \(node); expected a node between the input and the logits"
    case .noWeightedHead(let node, let op):
      "clrp2 negates the weights of the last layer before the target, but node \(node) (\(op)) is between them"
    case .needsClass(let method):
      "\(method) contrasts a class with the other classes, but a unit has no alternatives; expected a class, or clrp2"
    case .contrastWithItself(let index):
      "clrp1 contrasts class \(index) with itself; expected another class to contrast it with"
    case .contrastWithNothing:
      "clrp1 contrasts with an empty list of classes; expected at least one class, or .others for all"
    case .noPositions(let method, let node, let shape):
      "\(method) needs a layer with height and width or with image tokens, but the output of node \(node) has shape "
        + "\(shape)"
    case .needsPosition(let index, let positions):
      "class \(index) has a score at each of \(Self.extents(positions)) positions; expected "
        + "class:\(index)@\(Self.example(positions)) "
        + "for one position, or region:\(index) for all positions where the class has the largest score"
    case .noSuchPosition(let position, let positions):
      positions.isEmpty
        ? "there is no position \(Self.list(position)): each class has one score; expected the class alone"
        : "there is no position \(Self.list(position)): the scores have \(Self.extents(positions)) positions, from "
          + "\(Self.list(positions.map { _ in 0 })) to \(Self.list(positions.map { $0 - 1 }))"
    case .noRegions(let index): "region:\(index): each class has one score and no positions; expected class:\(index)"
    case .emptyRegion(let index, let others):
      "region:\(index): class \(index) has the largest score at no position; expected one of the classes "
        + others.prefix(12).map(String.init).joined(separator: ", ")
        + (others.count > 12 ? " and \(others.count - 12) more" : "")
    case .noBoxes(let layout):
      "box: expected a detector, whose classes have scores at several positions: batch × (4 + classes) × positions, "
        + "batch × positions × (4 + 1 + classes), or boxes and scores as two outputs; found \(layout)"
    case .noSuchBox(let rank, let boxes): "box:\(rank): no box has this rank; expected 1 to \(boxes)"
    case .outputLeftOut(let name):
      "\(name): this output of the file was not read; expected its name in furtherOutputs"
    case .referenceCount(let name, let found, let expected, let shape):
      "cosine:\(name): the reference has \(found) elements; expected \(expected), as in each item of the output, whose "
        + "shape is \(shape)"
    case .noDirection(let name):
      "cosine:\(name): the reference has no direction: all its elements are 0, or some are not finite"
    case .needsUnit(let method):
      "\(method) contrasts a class or a unit with its opposite, but a cosine has no opposite; expected lrp or another "
        + "method without a contrast"
    case .notFinite(let target, let method, let node):
      "the map of \(target) by \(method) has values that are not finite (NaN or infinite), because of node \(node)"
    case .noAttention(let method):
      "\(method) needs attention between image tokens: a softmax over tokens whose output is multiplied by their "
        + "values, after a convolution that creates the tokens; the network has none; `relevance list methods` prints "
        + "methods for every network"
    case .noSpatialLayer(let method):
      "\(method) needs a layer with height and width or with image tokens, but no layer before the logits has them"
    }
  }

  private static func extents(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "×") }
  private static func list(_ position: [Int]) -> String { position.map(String.init).joined(separator: ",") }
  /// The position in the middle.
  private static func example(_ positions: [Int]) -> String { list(positions.map { $0 / 2 }) }
}

extension Explanation {
  /// Doubts about how relevance was propagated, one sentence each: more than half of the score is absorbed, or
  /// relevance grows to many times the score. Empty without a ledger, and for contrasts, whose sums indicate neither;
  /// explain the same target by LRP instead.
  ///
  /// - Complexity: O(entries of the ledger).
  public var warnings: [String] {
    // The relevance that conditions remove is removed on purpose.
    guard method.isRelevance, !method.isContrastive, score != 0, conditions.isEmpty else { return [] }
    return [lossWarning, growthWarning].compactMap { $0 }
  }

  /// The share of the score above which absorbed relevance causes a warning.
  private static let largeLoss = 0.5
  /// The ratio of relevance to score above which growth causes a warning.
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
      "\(percent) % of the score of \(target) is absorbed, most of it at node \(largest.entry.node) "
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
      "the relevance of \(target) grows to \(factor) times its score in magnitude, mostly at node \(steepest.node) "
      + "(\(steepest.kind), \(steepest.rule)), by \(step) times; positive and negative shares cancel in its sum"
  }
}

extension AbsorptionCause {
  /// The cause as part of a sentence.
  fileprivate var explanation: String {
    switch self {
    case .bias: "its bias absorbs a share"
    case .stabilizer: "the stabilizer absorbs a share"
    case .zeroDenominator: "no input supports its outputs (zero denominator)"
    case .decision: "its output is a decision, which cannot be divided among its inputs"
    case .rule: "the rule does not conserve relevance"
    case .condition: "the condition passes only some channels"
    case .clipped: "negative relevance is dropped"
    case .rounding: "rounding"
    }
  }
}
