import RelevancePropagation
import RelevanceTensors

/// An attribution method: where relevance starts (the seeds), which rule table propagates it, and how the maps are
/// computed.
///
/// A custom type that conforms to this protocol explains like the built-in methods, `trace.explain(target, by:
/// MyMethod())`; added to a catalog, it is found by its name. The defaults are common to most methods: relevance starts
/// with 1 at the target and is propagated by the explainer's table, and the map is the relevance that arrives at the
/// input.
public protocol AttributionMethod: Parameterized, CustomStringConvertible {
  /// The table that propagates relevance; nil for the explainer's table. Tables with the same printed name and rows
  /// share one plan.
  var table: RuleTable? { get }
  /// The relevance that the propagation starts with. The default is 1 at each of a target's elements.
  ///
  /// - Throws: `RelevanceKitError` for a target that does not exist or that the method cannot explain.
  func seeds(for targets: [Target], in trace: Trace) throws -> Seeds
  /// The map of each target. The default is the relevance that arrives at the input when `seeds(for:in:)` is propagated
  /// by `table`.
  ///
  /// - Parameters:
  ///   - targets: at least one target.
  ///   - trace: the recorded run.
  ///   - ledger: whether to record the relevance flow at every node.
  /// - Throws: As `Trace.explain(_:by:ledger:)`.
  func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap]
  /// Whether maps are a difference of which only the positive part is kept. The default is false.
  var isContrastive: Bool { get }
  /// Whether maps are shares of the target's score under the explainer's table, so that a ledger is meaningful. The
  /// default is true for methods without a table.
  var isRelevance: Bool { get }
  /// Whether maps result from propagating the target through the network, so that conditions can select the channels to
  /// propagate through. The default is true. A method whose `maps(of:in:ledger:)` computes maps in another way returns
  /// false.
  var takesConditions: Bool { get }
  /// The meaning of the sign of a map's values. By default, the sign tells whether a value supports or contradicts the
  /// target; maps of contrastive methods have no negative values.
  var sign: MapSign { get }
  /// The quantity of a map's values if the target's score has the quantity `score`: `logit`, or `activation of conv5`.
  /// The default is `score`.
  func quantity(of score: String) -> String
  /// Known reasons why the method's maps can mislead under the explainer's plan, one sentence each; see also
  /// `RulePlan.warnings`. Empty by default.
  ///
  /// - Complexity: O(nodes and edges).
  func warnings(under plan: RulePlan) -> [String]
  /// Facts about how the method explains a run, one sentence each, such as the layer that it selected. Empty by
  /// default.
  ///
  /// - Throws: As `maps(of:in:ledger:)`.
  func remarks(in trace: Trace) throws -> [String]
}

/// The meaning of the sign of a map's values.
public enum MapSign: Sendable {
  /// No value is negative.
  case nonNegative
  /// Positive values support the target, and negative values contradict it.
  case support
  /// The slope of the score with respect to the input, which measures sensitivity rather than support.
  case slope
}

/// The result of a method for one target.
public struct AttributionMap: Sendable, Codable {
  /// A value for each element of the input, before negative values are dropped: in the shape of the input, or with one
  /// channel.
  public var values: Tensor
  /// The relevance flow at every node, from the target to the input; empty if the method has no relevance or no ledger
  /// was requested.
  public var ledger: [LedgerEntry] = []
  /// For integrated gradients, `y(x) − y(x₀)` minus the sum of the map, for each item of the batch.
  public var completenessErrors: [Float]?

  /// Makes a map.
  public init(_ values: Tensor) { self.values = values }

  var isFinite: Bool { values.isFinite && ledger.allSatisfy { $0.magnitudeIn.isFinite && $0.magnitudeOut.isFinite } }
}

extension AttributionMethod {
  public static var kind: String { "method" }
  /// The name in commands, file names and reports.
  public var name: String { Self.name }

  public var table: RuleTable? { nil }
  public var isContrastive: Bool { false }
  public var isRelevance: Bool { table == nil }
  public var takesConditions: Bool { true }
  public var sign: MapSign { isContrastive ? .nonNegative : .support }
  public func quantity(of score: String) -> String { score }
  public func warnings(under plan: RulePlan) -> [String] { [] }
  public func remarks(in trace: Trace) throws -> [String] { [] }

  public func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    try Seeds(of: targets, in: trace) { $0.add($0.signs) }
  }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    try trace.propagated(targets, by: self, ledger: ledger)
  }

  /// The name, followed by a colon and the parameters that differ from their defaults:
  /// `clrp1:against=386,strength=1.5`.
  public var description: String {
    let given = texts { $1 != $0.usual.text }.map { "\($0.name)=\($0.text)" }
    return given.isEmpty ? name : "\(name):\(given.joined(separator: ","))"
  }
}

/// The methods that can be found by name.
public typealias MethodCatalog = Catalog<any AttributionMethod.Type>

extension MethodCatalog {
  /// All methods of this package.
  public static var standard: MethodCatalog {
    MethodCatalog([
      LRP.self, CLRP1.self, CLRP2.self, SGLRP.self, VanillaGradient.self, GradientTimesInput.self, GuidedBackprop.self,
      DeconvNet.self, ExcitationBackprop.self, ContrastiveExcitationBackprop.self, GradCAM.self, GuidedGradCAM.self,
      LayerCAM.self,
      IntegratedGradients.self, SmoothGrad.self, AttentionRollout.self, GradientTimesAttention.self, RandomMap.self,
    ]) { $0 }
  }

  /// Each method with its default parameters.
  ///
  /// - Complexity: O(types).
  public var methods: [any AttributionMethod] { types.map { $0.init() } }

  /// Creates a method from its command-line form: `name` or `name:key=value,key=value`.
  ///
  /// - Throws: `RelevanceKitError` for an unknown name, a parameter that the method does not have, or a value that is
  ///   not allowed.
  public func method(parsing text: String) throws -> any AttributionMethod {
    let (type, pairs) = try parts(of: text, pair: "name=value")
    for (index, (name, _)) in pairs.enumerated() {
      let known = type.parameterNames
      guard known.contains(name) else {
        throw type.badValue(found: name, expected: known.isEmpty ? "no parameters" : known.joined(separator: ", "))
      }
      guard !pairs[..<index].contains(where: { $0.name == name }) else {
        throw type.badValue(found: "\(name) twice", expected: "each parameter once")
      }
    }
    return try type.init(pairs)
  }
}
