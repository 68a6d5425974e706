/// A rule that can be created from its name and parameters, in a table's file or on a command line.
///
/// Names are in lower camel case. A custom type that conforms and is added to a catalog can be used like the rules of
/// this package.
public protocol NamedRule: Rule, Parameterized {}

extension NamedRule {
  public static var kind: String { "rule" }

  /// `epsilon(epsilon: 0.01)`: the name, numbers, and choices that differ from their defaults.
  public var description: String {
    let shown = texts.map { "\($0.name): \($0.text)" }
    return shown.isEmpty ? Self.name : "\(Self.name)(\(shown.joined(separator: ", ")))"
  }

  var texts: [(name: String, text: String)] { texts { !$0.isTacit || $1 != $0.usual.text } }
}

/// Types that can be selected by name.
public struct Catalog<Member: Sendable>: Sendable {
  /// The types, in the order in which they are listed.
  public let types: [Member]
  let declaration: @Sendable (Member) -> any Parameterized.Type

  /// Creates a catalog; `type` returns the declaration of a member.
  package init(_ types: [Member], _ type: @escaping @Sendable (Member) -> any Parameterized.Type) {
    self.types = types
    declaration = type
  }

  /// The catalog with additional types; each replaces a type with the same name.
  public func adding(_ types: Member...) -> Catalog {
    let names = Set(types.map { declaration($0).name })
    return Catalog(self.types.filter { !names.contains(declaration($0).name) } + types, declaration)
  }

  /// The names, in order.
  ///
  /// - Complexity: O(types).
  public var names: [String] { types.map { declaration($0).name } }

  /// The type with a name.
  ///
  /// - Throws: `RelevanceKitError` for an unknown name.
  public func type(named name: String) throws -> Member {
    guard let found = types.first(where: { declaration($0).name == name }) else {
      throw ArgumentError.unknownName(name, kind: types.first.map { declaration($0).kind } ?? "", known: names)
    }
    return found
  }
}

/// The rules that can be selected by name.
public typealias RuleCatalog = Catalog<any NamedRule.Type>

extension RuleCatalog {
  /// All rules of this package.
  public static var standard: RuleCatalog {
    RuleCatalog([
      ZRule.self, EpsilonRule.self, GammaRule.self, GeneralizedGammaRule.self, ZPlusRule.self, AlphaBetaRule.self,
      ZBoxRule.self, WSquareRule.self,
      FlatRule.self, WinnerTakesAllRule.self, WinnerShareRule.self, EvenRule.self, ProportionalRule.self, PassRule.self,
      TaylorRule.self,
      MatrixProductRule.self, SoftmaxRule.self, ShareBySummandRule.self, SignalTakesAllRule.self, EqualSharesRule.self,
      RearrangeRule.self, AbsorbRule.self,
      GradientRule.self,
    ]) { $0 }
  }

  /// Creates a rule from its name and parameters.
  ///
  /// - Throws: `RelevanceKitError` for an unknown name, an unknown parameter, or a value that the parameter does not
  ///   accept.
  public func rule(named name: String, _ parameters: [(name: String, text: String)] = []) throws -> any NamedRule {
    try type(named: name).init(parameters)
  }
}
