import RelevanceSupport
import RelevanceTensors

/// A classifier that can be run and explained: a graph with one input, in canonical form.
///
/// A network is immutable and cheap to copy, because copies share the weights.
public struct NeuralNetwork: Sendable {
  /// The canonical graph: the output depends on every node, and no node is an identity.
  public let graph: Graph
  /// The input node, whose values are the image.
  public let input: Node.ID
  /// The node whose values are explained: the output, or the operand of the softmax or sigmoid that ends the graph.
  public let logits: Node.ID
  /// How the graph computes its output from the logits.
  let ending: Ending
  /// The known number of classes, for example from labels.
  private(set) var expectedClasses: Int?
  /// The known decision of the scores, which overrides the graph's.
  private(set) var expectedDecision: Decision?
  /// The class that is known to be the background, or the fact that no class is. Nil if nothing is known.
  private(set) var expectedBackground: Background?
  /// Analyses for the most recent input shapes.
  let analyses = Cache<TensorShape, Analysis>(limit: 8)

  /// Converts a graph to canonical form.
  ///
  /// - Throws: `RelevanceKitError` unless the graph has exactly one input.
  package init(_ graph: Graph) throws {
    for node in graph.nodes {
      guard let input = node.operation as? Input else { continue }
      do { try input.shape.checkFixedExtents() } catch let error as SimpleError {
        throw GraphError.shape(node: node.name, operator: node.kind.name, reason: error.description)
      }
    }
    let graph = try graph.rewritten(by: Self.rewrites)
    let inputs = graph.inputs
    guard inputs.count == 1 else { throw GraphError.inputs(inputs.map { graph[$0].name }) }
    self.graph = graph
    self.input = inputs[0]
    ending = Ending(of: graph)
    logits = ending.logits
  }

  /// The network with another graph that computes the same result.
  ///
  /// - Parameters:
  ///   - graph: a graph in canonical form.
  ///   - input: the input's node.
  ///   - logits: the node of the logits.
  init(_ other: NeuralNetwork, computedBy graph: Graph, input: Node.ID, logits: Node.ID) {
    (self.graph, self.input, self.logits) = (graph, input, logits)
    (ending, expectedClasses) = (other.ending, other.expectedClasses)
    (expectedDecision, expectedBackground) = (other.expectedDecision, other.expectedBackground)
  }

  static let rewrites: [any Rewrite] = [
    RemovePassThrough(), CancelTransposes(), MergeLinearBias(), MergeAffine(), MergePadding(), MergeGelu(),
    MergeNormalization(), DeclareChannels(),
    TurnSigns(),
    RemoveUnused(),
  ]

  /// The shape that the input declares.
  public var inputShape: SymbolicShape {
    guard let input = graph[input].operation as? Input else { preconditionFailure("the input node is no input") }
    return input.shape
  }

  /// A concrete shape for the input: fixed extents as declared, batch 1, and `side` for an open height or width.
  public func exampleInputShape(side: Int = 224) -> TensorShape { inputShape.example(side: side) }

  /// The decision of the scores according to the graph and `expecting(classes:decision:)`; for a single score per item.
  var decision: Decision {
    if let expectedDecision { return expectedDecision }
    if ending.decision == .quantity, expectedClasses == 2 { return .twoClasses(positive: 1) }
    return ending.decision
  }

  /// The network with additional facts about its scores: the number of classes, or the decision. The number of classes
  /// determines the axis of the classes and whether a single logit decides between two.
  public func expecting(classes: Int? = nil, decision: Decision? = nil) -> NeuralNetwork {
    var copy = self
    copy.expectedClasses = classes ?? expectedClasses
    copy.expectedDecision = decision ?? expectedDecision
    return copy
  }

  /// The network with the background class, which matters if classes have scores at several positions.
  package func expecting(background: Background?) -> NeuralNetwork {
    var copy = self
    copy.expectedBackground = background ?? expectedBackground
    return copy
  }
}

/// The class that stands for the absence of an object.
package enum Background: Hashable, Sendable {
  case `class`(Int)
  case none
}
