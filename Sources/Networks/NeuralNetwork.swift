import RelevanceSupport
import RelevanceTensors

/// A classifier that can be run and explained: a graph with one input, in canonical form.
///
/// Immutable, and cheap to copy: weights are shared.
public struct NeuralNetwork: Sendable {
  /// The canonical graph: every node matters to the output, none of them does nothing.
  public let graph: Graph
  /// The node that takes the image.
  public let input: Node.ID
  /// The node whose values are explained: the output, or what goes into the softmax or sigmoid that ends the graph.
  public let logits: Node.ID
  /// How the graph goes on from the logits to its output.
  let ending: Ending
  /// How many classes are known to be, from labels for instance.
  private(set) var expectedClasses: Int?
  /// What the scores are known to decide, whatever the graph looks like.
  private(set) var expectedDecision: Decision?
  /// Which class is known to stand for no object, or that none does; nil if nothing is known.
  private(set) var expectedBackground: Background?
  /// What has been found out for inputs of some shapes.
  let analyses = Cache<TensorShape, Analysis>(limit: 8)

  /// Brings a graph into canonical form.
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

  /// What the scores decide, as far as the graph and what was told by `expecting(classes:decision:)` say; of a single score.
  var decision: Decision {
    if let expectedDecision { return expectedDecision }
    if ending.decision == .quantity, expectedClasses == 2 { return .twoClasses(positive: 1) }
    return ending.decision
  }

  /// The network with what is known of its scores besides: the number of classes, from which follow the axis that they lie along and
  /// whether a single logit stands for two; or what the scores decide.
  public func expecting(classes: Int? = nil, decision: Decision? = nil) -> NeuralNetwork {
    var copy = self
    copy.expectedClasses = classes ?? expectedClasses
    copy.expectedDecision = decision ?? expectedDecision
    return copy
  }

  /// The network with what is known of the class that stands for no object, where classes have scores at several positions.
  package func expecting(background: Background?) -> NeuralNetwork {
    var copy = self
    copy.expectedBackground = background ?? expectedBackground
    return copy
  }
}

/// Which class stands for no object.
package enum Background: Hashable, Sendable {
  case `class`(Int)
  case none
}
