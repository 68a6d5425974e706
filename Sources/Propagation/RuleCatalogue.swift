import Tensors

/// A rule that can be asked for by name and parameters, in a table's file or on a command line.
///
/// A type of one's own that conforms, added to a catalogue, takes part like the rules here.
public protocol NamedRule: Rule {
  /// The name in tables and plans, in lower camel case.
  static var name: String { get }
  /// What can be given besides the name; by default nothing.
  static var parameters: [RuleParameter] { get }
  /// Makes the rule from parameters that have been checked one by one.
  ///
  /// - Throws: `RuleArgumentError` if they do not go together.
  init(_ arguments: RuleArguments) throws
  /// The parameters' values; those that are left out have none. By default empty.
  var arguments: [String: RuleArgument] { get }
}

extension NamedRule {
  public static var parameters: [RuleParameter] { [] }
  public var arguments: [String: RuleArgument] { [:] }

  /// `epsilon(epsilon: 0.01)`: the name, numbers, and choices that are not the default.
  public var description: String {
    let shown = Self.parameters.compactMap { parameter -> String? in
      guard let value = arguments[parameter.name], !parameter.isTacit || value != parameter.defaultValue else {
        return nil
      }
      return "\(parameter.name): \(value)"
    }
    return shown.isEmpty ? Self.name : "\(Self.name)(\(shown.joined(separator: ", ")))"
  }
}

/// The value of a rule's parameter.
public enum RuleArgument: Hashable, Sendable, CustomStringConvertible {
  /// A number, such as ε.
  case number(Float)
  /// One of some words, such as `absorbed`.
  case word(String)
  /// Numbers, such as one bound per channel.
  case numbers([Float])

  public var description: String {
    switch self {
    case .number(let number): number == number.rounded() && abs(number) < 1e6 ? "\(Int(number))" : "\(number)"
    case .word(let word): word
    case .numbers(let numbers): "[\(numbers.map { RuleArgument.number($0).description }.joined(separator: ", "))]"
    }
  }
}

/// A parameter of a rule: its name and what values it takes.
public struct RuleParameter: Sendable {
  /// What values a parameter takes.
  public enum Kind: Sendable {
    /// A finite number of at least `least`.
    case number(least: Float)
    /// One of some words.
    case word([String])
    /// A finite number, or a list of them, which is written `[1, 2, 3]`.
    case numbers
  }
  /// The name.
  public let name: String
  /// What values it takes.
  public let kind: Kind
  /// The value if none is given; nil for one that may be left out.
  public let defaultValue: RuleArgument?
  /// Whether descriptions leave it out where it has its default value.
  public let isTacit: Bool

  /// A number; without a default it may be left out.
  public static func number(_ name: String, _ defaultValue: Float?, atLeast least: Float = -.infinity) -> RuleParameter
  {
    RuleParameter(
      name: name, kind: .number(least: least), defaultValue: defaultValue.map(RuleArgument.number), isTacit: false)
  }

  /// A number or a list of numbers, which may be left out.
  public static func numbers(_ name: String) -> RuleParameter {
    RuleParameter(name: name, kind: .numbers, defaultValue: nil, isTacit: false)
  }

  /// One of an enumeration's cases.
  public static func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _ defaultValue: Choice, isTacit: Bool = true
  ) -> RuleParameter where Choice.RawValue == String {
    RuleParameter(
      name: name, kind: .word(Choice.allCases.map(\.rawValue)), defaultValue: .word(defaultValue.rawValue),
      isTacit: isTacit)
  }

  /// What can be given, in words.
  public var expected: String {
    switch kind {
    case .number(let least):
      least == -.infinity ? "a number" : "a number of at least \(RuleArgument.number(least))"
    case .word(let words): words.joined(separator: " or ")
    case .numbers: "a number, or a list such as [1, 2, 3]"
    }
  }

  /// The value that a text means; nil if the parameter does not take it.
  func value(of text: String) -> RuleArgument? {
    switch kind {
    case .number(let least):
      guard let number = Float(text), number.isFinite, number >= least else { return nil }
      return .number(number)
    case .word(let words): return words.contains(text) ? .word(text) : nil
    case .numbers:
      guard text.hasPrefix("["), text.hasSuffix("]"), text.count > 1 else {
        return RuleParameter.number(name, nil).value(of: text)
      }
      let parts = text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
      let numbers = parts.compactMap { Float($0.filter { $0 != " " }) }
      return numbers.count == parts.count && numbers.allSatisfy(\.isFinite) ? .numbers(numbers) : nil
    }
  }
}

/// The parameters that a rule is made with: each one that was given, else its default.
public struct RuleArguments: Sendable {
  let rule: String
  let values: [String: RuleArgument]

  /// Checks each parameter by itself.
  ///
  /// - Throws: `RuleArgumentError` for a parameter that the rule does not have, or a value that it does not take.
  public init(_ rule: any NamedRule.Type, _ texts: [(name: String, text: String)]) throws {
    self.rule = rule.name
    var values: [String: RuleArgument] = [:]
    for parameter in rule.parameters { values[parameter.name] = parameter.defaultValue }
    for (name, text) in texts {
      guard let parameter = rule.parameters.first(where: { $0.name == name }) else {
        throw RuleArgumentError.unknownParameter(name, rule: rule.name, known: rule.parameters.map(\.name))
      }
      guard let value = parameter.value(of: text) else {
        throw RuleArgumentError.badValue(
          rule: rule.name, found: "\(name) \"\(text)\"", expected: parameter.expected)
      }
      values[name] = value
    }
    self.values = values
  }

  /// The number that a parameter has; traps if the rule declares no such parameter with a default.
  public func number(_ name: String) -> Float {
    guard let number = optionalNumber(name) else { preconditionFailure("\(rule) declares no number \(name)") }
    return number
  }

  /// The number that a parameter has; nil if it was left out.
  public func optionalNumber(_ name: String) -> Float? {
    guard case .number(let number)? = values[name] else { return nil }
    return number
  }

  /// The numbers that a parameter has, one or a list; nil if it was left out.
  public func optionalNumbers(_ name: String) -> [Float]? {
    if case .numbers(let numbers)? = values[name] { return numbers }
    return optionalNumber(name).map { [$0] }
  }

  /// Whether a parameter was given as a list.
  public func isList(_ name: String) -> Bool {
    if case .numbers? = values[name] { true } else { false }
  }

  /// The choice that a parameter has; traps if the rule declares no such parameter.
  public func choice<Choice: RawRepresentable>(_ name: String) -> Choice where Choice.RawValue == String {
    guard case .word(let word)? = values[name], let choice = Choice(rawValue: word) else {
      preconditionFailure("\(rule) declares no choice \(name)")
    }
    return choice
  }

  /// An error about parameters that do not go together.
  public func error(found: String, expected: String) -> RuleArgumentError {
    .badValue(rule: rule, found: found, expected: expected)
  }
}

/// The rules that can be asked for by name.
public struct RuleCatalogue: Sendable {
  /// The types, in the order in which they are listed.
  public let types: [any NamedRule.Type]

  /// All rules of this package.
  public static let standard = RuleCatalogue(types: [
    Z.self, Epsilon.self, Gamma.self, GeneralisedGamma.self, ZPlus.self, AlphaBeta.self, ZBox.self, WSquare.self,
    Flat.self, WinnerTakesAll.self, WinnerShare.self, Even.self, Proportional.self, Pass.self, Taylor.self,
    ShareBySummand.self, SignalTakesAll.self, EqualShares.self, Rearrange.self, Gradient.self,
  ])

  /// The catalogue with further types; one of the same name takes the place of ours.
  public func adding(_ types: any NamedRule.Type...) -> RuleCatalogue {
    let names = Set(types.map { $0.name })
    return RuleCatalogue(types: self.types.filter { !names.contains($0.name) } + types)
  }

  /// The names, in order.
  ///
  /// - Complexity: O(types).
  public var names: [String] { types.map { $0.name } }

  /// Makes a rule from its name and parameters.
  ///
  /// - Throws: `RuleArgumentError` for an unknown name, a parameter that the rule does not have, or a value that it does not take.
  public func rule(named name: String, _ parameters: [(name: String, text: String)] = []) throws -> any NamedRule {
    let type = try type(named: name)
    return try type.init(RuleArguments(type, parameters))
  }

  /// The type with a name.
  ///
  /// - Throws: `RuleArgumentError.unknownRule`.
  public func type(named name: String) throws -> any NamedRule.Type {
    guard let type = types.first(where: { $0.name == name }) else {
      throw RuleArgumentError.unknownRule(name, known: names)
    }
    return type
  }
}

/// A rule that cannot be made as it was asked for.
public enum RuleArgumentError: RelevanceKitError, Equatable {
  /// No rule has the name.
  case unknownRule(String, known: [String])
  /// The rule has no such parameter.
  case unknownParameter(String, rule: String, known: [String])
  /// A parameter does not take its value, or not together with another.
  case badValue(rule: String, found: String, expected: String)

  public var category: ErrorCategory { .usage }

  /// What was found.
  public var found: String {
    switch self {
    case .unknownRule(let name, _): name.isEmpty ? "no rule" : "rule \(name)"
    case .unknownParameter(let name, let rule, _): "\(name) at rule \(rule)"
    case .badValue(_, let found, _): found
    }
  }

  /// What would have been right.
  public var expected: String {
    switch self {
    case .unknownRule(let name, let known):
      (Suggestion.nearest(to: name, among: known).map { "\($0)? One of " } ?? "one of ") + known.joined(separator: ", ")
    case .unknownParameter(let name, let rule, let known):
      known.isEmpty
        ? "no parameters: \(rule) has none"
        : (Suggestion.nearest(to: name, among: known).map { "\($0)? One of " } ?? "one of ")
          + known.joined(separator: ", ")
    case .badValue(_, _, let expected): expected
    }
  }

  public var description: String {
    switch self {
    case .badValue(let rule, _, _): "rule \(rule): found \(found); expected \(expected)"
    default: "found \(found); expected \(expected)"
    }
  }
}
