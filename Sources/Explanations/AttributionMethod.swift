import RelevancePropagation
import RelevanceTensors

/// How a decision is explained: a seed, a rule table, and what is made of the maps.
///
/// A custom type that conforms explains like the methods here, `trace.explain(target, by: MyMethod())`; added to a catalog, it is found by
/// its name. What most methods have in common is the default: relevance starts with 1 at the target, goes back by the explainer's table, and
/// what arrives is the map.
public protocol AttributionMethod: Parameterized, CustomStringConvertible {
  /// The table that relevance goes back by; nil for the one that the explainer was made with. Of tables whose name and rows are printed
  /// alike the same plan is used.
  var table: RuleTable? { get }
  /// Where relevance starts. By default with 1 at each of a target's elements.
  ///
  /// - Throws: `RelevanceKitError` for a target that does not exist, or that the method cannot explain.
  func seeds(for targets: [Target], in trace: Trace) throws -> Seeds
  /// The map of each target. By default what arrives at the input when `seeds(for:in:)` go back by `table`.
  ///
  /// - Parameters:
  ///   - targets: at least one.
  ///   - trace: the run.
  ///   - ledger: whether it is wanted what became of relevance at every node.
  /// - Throws: As `Trace.explain(_:by:ledger:)`.
  func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap]
  /// Whether maps are a difference of which only the positive part counts. By default not.
  var isContrastive: Bool { get }
  /// Whether maps are shares of the target's score by the explainer's table, so that a ledger makes sense. By default for methods without a
  /// table.
  var isRelevance: Bool { get }
  /// Whether maps are what goes back through the network from a target, so that conditions can say which channels it passes. By default yes; a
  /// method with a `maps(of:in:ledger:)` of its own that does anything else says no.
  var takesConditions: Bool { get }
  /// What the sign of a map's values says. By default whether they support the target; of contrasts, none is negative.
  var sign: MapSign { get }
  /// What a map's values are in, where the target's score is in `score`: `logit`, or `activation of conv5`. By default the same.
  func quantity(of score: String) -> String
  /// What is known to mislead when the method explains under the explainer's plan, a sentence each; see also `RulePlan.warnings`. By default
  /// nothing.
  ///
  /// - Complexity: O(nodes and edges).
  func warnings(under plan: RulePlan) -> [String]
  /// What is worth knowing of how the method explains a run, a sentence each, such as the layer that it has chosen. By default nothing.
  ///
  /// - Throws: As `maps(of:in:ledger:)`.
  func remarks(in trace: Trace) throws -> [String]
}

/// What the sign of a map's values says.
public enum MapSign: Sendable {
  /// No value is negative.
  case nonNegative
  /// Positive values support the target, negative ones contradict it.
  case support
  /// How the score changes with the input, which is no matter of support.
  case slope
}

/// What a method finds for a target.
public struct AttributionMap: Sendable, Codable {
  /// A value for each element of the input, before negative parts are dropped: of the input's shape, or with one channel.
  public var values: Tensor
  /// What became of relevance at every node, from the target down; empty if the method has no relevance, or nobody asked for it.
  public var ledger: [LedgerEntry] = []
  /// For integrated gradients what the map's sum is short of `y(x) − y(x₀)`, for each item of the batch.
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

  /// The name, and after a colon the parameters that are not the usual ones: `clrp1:against=386,strength=1.5`.
  public var description: String {
    let given = texts { $1 != $0.usual.text }.map { "\($0.name)=\($0.text)" }
    return given.isEmpty ? name : "\(name):\(given.joined(separator: ","))"
  }
}

/// The methods that can be asked for by name.
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

  /// Each method with its usual parameters.
  ///
  /// - Complexity: O(types).
  public var methods: [any AttributionMethod] { types.map { $0.init() } }

  /// Makes a method from one word, as it is written on a command line: `name` or `name:key=value,key=value`.
  ///
  /// - Throws: `RelevanceKitError` for an unknown name, a parameter that the method does not have, or a value that it does not take.
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
