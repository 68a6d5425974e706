import Support
import Tensors

/// A type whose values can be asked for by name and parameters, in a file or on a command line: a rule, a method.
public protocol Parameterized: Sendable, CustomStringConvertible {
  /// What values of the type are, for errors: `rule`.
  static var kind: String { get }
  /// The name in files, on command lines and in reports.
  static var name: String { get }
  /// What can be given besides the name; by default nothing.
  static var parameters: [Parameter] { get }
  /// Makes a value from parameters that have been checked one by one.
  ///
  /// - Throws: `ArgumentError` if they do not go together.
  init(_ arguments: Arguments) throws
  /// The parameters' values; those that are left out have none. By default empty.
  var arguments: [String: Arguments.Value] { get }
}

extension Parameterized {
  public static var parameters: [Parameter] { [] }
  public var arguments: [String: Arguments.Value] { [:] }

  /// What kind of thing has which name, for errors: `rule epsilon`.
  static var title: String { "\(kind) \(name)" }
}

/// A parameter: its name and what values it takes.
public struct Parameter: Sendable {
  /// What values a parameter takes.
  public enum Kind: Sendable {
    /// A finite number of at least `least`.
    case number(least: Float)
    /// A whole number.
    case whole(ClosedRange<UInt64>)
    /// One of some words.
    case word([String])
    /// A finite number, or a list of them, which is written `[1, 2, 3]`.
    case numbers
    /// A text, of which `isValid` says whether it is one of those that `expected` describes.
    case text(expected: String, isValid: @Sendable (String) -> Bool)
  }
  /// The name.
  public let name: String
  /// What values it takes.
  public let kind: Kind
  /// The value if none is given; nil for one that may be left out.
  public let defaultValue: Arguments.Value?
  /// Whether descriptions leave it out where it has its default value.
  public let isTacit: Bool

  /// A number; without a default it may be left out.
  public static func number(_ name: String, _ defaultValue: Float?, atLeast least: Float = -.infinity) -> Parameter {
    Parameter(name: name, kind: .number(least: least), defaultValue: defaultValue.map { .number($0) }, isTacit: false)
  }

  /// A whole number.
  public static func whole(
    _ name: String, _ defaultValue: UInt64, in range: ClosedRange<UInt64> = 1...1_000_000
  ) -> Parameter {
    Parameter(name: name, kind: .whole(range), defaultValue: .whole(defaultValue), isTacit: false)
  }

  /// A number or a list of numbers, which may be left out.
  public static func numbers(_ name: String) -> Parameter {
    Parameter(name: name, kind: .numbers, defaultValue: nil, isTacit: false)
  }

  /// One of an enumeration's cases.
  public static func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _ defaultValue: Choice, isTacit: Bool = true
  ) -> Parameter where Choice.RawValue == String {
    Parameter(
      name: name, kind: .word(Choice.allCases.map(\.rawValue)), defaultValue: .word(defaultValue.rawValue),
      isTacit: isTacit)
  }

  /// A text that means a value of some type, which `expected` describes; without a default it may be left out.
  public static func text<Value: LosslessStringConvertible & Sendable>(
    _ name: String, _ defaultValue: Value?, expected: String
  ) -> Parameter {
    Parameter(
      name: name, kind: .text(expected: expected) { Value($0) != nil },
      defaultValue: defaultValue.map { .word($0.description) }, isTacit: false)
  }

  /// What can be given, in words.
  public var expected: String {
    switch kind {
    case .number(let least):
      least == -.infinity ? "a number" : "a number of at least \(Arguments.Value.number(least))"
    case .whole(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .word(let words): words.joined(separator: " or ")
    case .numbers: "a number, or a list such as [1, 2, 3]"
    case .text(let expected, _): expected
    }
  }

  /// The value that a text means; nil if the parameter does not take it.
  func value(of text: String) -> Arguments.Value? {
    switch kind {
    case .number(let least):
      guard let number = Float(text), number.isFinite, number >= least else { return nil }
      return .number(number)
    case .whole(let range): return UInt64(text).flatMap { range.contains($0) ? .whole($0) : nil }
    case .word(let words): return words.contains(text) ? .word(text) : nil
    case .text(_, let isValid): return isValid(text) ? .word(text) : nil
    case .numbers:
      guard text.hasPrefix("["), text.hasSuffix("]"), text.count > 1 else {
        return Parameter.number(name, nil).value(of: text)
      }
      let parts = text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
      let numbers = parts.compactMap { Float($0.filter { $0 != " " }) }
      return numbers.count == parts.count && numbers.allSatisfy(\.isFinite) ? .numbers(numbers) : nil
    }
  }
}

/// The parameters that a value is made with: each one that was given, else its default.
public struct Arguments: Sendable {
  /// The value of a parameter.
  public enum Value: Hashable, Sendable, CustomStringConvertible {
    /// A number, such as ε.
    case number(Float)
    /// A whole number, such as how many samples are drawn.
    case whole(UInt64)
    /// One of some words, such as `absorbed`, or any text.
    case word(String)
    /// Numbers, such as one bound per channel.
    case numbers([Float])

    public var description: String {
      switch self {
      case .number(let number): number == number.rounded() && abs(number) < 1e6 ? "\(Int(number))" : "\(number)"
      case .whole(let number): "\(number)"
      case .word(let word): word
      case .numbers(let numbers): "[\(numbers.map { Self.number($0).description }.joined(separator: ", "))]"
      }
    }
  }

  private let title: String
  private let values: [String: Value]

  /// Checks each parameter by itself.
  ///
  /// - Throws: `ArgumentError` for a parameter that the type does not have, or a value that it does not take.
  public init(_ type: any Parameterized.Type, _ texts: [(name: String, text: String)] = []) throws {
    title = type.title
    var values: [String: Value] = [:]
    for parameter in type.parameters { values[parameter.name] = parameter.defaultValue }
    for (name, text) in texts {
      guard let parameter = type.parameters.first(where: { $0.name == name }) else {
        throw ArgumentError.unknownParameter(name, of: type)
      }
      guard let value = parameter.value(of: text) else {
        throw ArgumentError.badValue(of: type.title, found: "\(name) \"\(text)\"", expected: parameter.expected)
      }
      values[name] = value
    }
    self.values = values
  }

  /// The number that a parameter has; traps if no such parameter with a default is declared.
  public func number(_ name: String) -> Float { declared(optionalNumber(name), "number", name) }

  /// The number that a parameter has; nil if it was left out.
  public func optionalNumber(_ name: String) -> Float? {
    guard case .number(let number)? = values[name] else { return nil }
    return number
  }

  /// The whole number that a parameter has; traps if no such parameter is declared.
  public func whole(_ name: String) -> UInt64 {
    guard case .whole(let number)? = values[name] else { return declared(nil, "whole number", name) }
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

  /// The choice that a parameter has; traps if no such parameter is declared.
  public func choice<Choice: RawRepresentable>(_ name: String) -> Choice where Choice.RawValue == String {
    declared(optionalText(name).flatMap(Choice.init(rawValue:)), "choice", name)
  }

  /// What the text of a parameter means; traps if no such parameter with a default is declared.
  public func text<Value: LosslessStringConvertible>(_ name: String) -> Value {
    declared(optionalText(name), "text", name)
  }

  /// What the text of a parameter means; nil if it was left out.
  public func optionalText<Value: LosslessStringConvertible>(_ name: String) -> Value? {
    guard case .word(let word)? = values[name] else { return nil }
    return Value(word)
  }

  private func declared<Value>(_ value: Value?, _ kind: String, _ name: String) -> Value {
    guard let value else { preconditionFailure("\(title) declares no \(kind) \(name)") }
    return value
  }

  /// An error about parameters that do not go together.
  public func error(found: String, expected: String) -> ArgumentError {
    .badValue(of: title, found: found, expected: expected)
  }
}

/// Something that cannot be made as it was asked for.
public enum ArgumentError: RelevanceKitError, Equatable {
  /// Nothing of the kind has the name.
  case unknownName(String, kind: String, known: [String])
  /// What is named has no such parameter.
  case unknownParameter(String, kind: String, of: String, known: [String])
  /// A parameter does not take its value, or not together with another.
  case badValue(of: String, found: String, expected: String)

  static func unknownParameter(_ name: String, of type: any Parameterized.Type) -> ArgumentError {
    .unknownParameter(name, kind: type.kind, of: type.name, known: type.parameters.map(\.name))
  }

  public var category: ErrorCategory { .usage }

  /// What was found.
  public var found: String {
    switch self {
    case .unknownName(let name, let kind, _): name.isEmpty ? "no \(kind)" : "\(kind) \(name)"
    case .unknownParameter(let name, let kind, let owner, _): "\(name) at \(kind) \(owner)"
    case .badValue(_, let found, _): found
    }
  }

  /// What would have been right.
  public var expected: String {
    func one(of known: [String], like name: String) -> String {
      (Suggestion.nearest(to: name, among: known).map { "\($0)? One of " } ?? "one of ") + known.joined(separator: ", ")
    }
    return switch self {
    case .unknownName(let name, _, let known): one(of: known, like: name)
    case .unknownParameter(let name, _, let owner, let known):
      known.isEmpty ? "no parameters: \(owner) has none" : one(of: known, like: name)
    case .badValue(_, _, let expected): expected
    }
  }

  public var description: String {
    switch self {
    case .badValue(let title, _, _): "\(title): found \(found); expected \(expected)"
    default: "found \(found); expected \(expected)"
    }
  }
}
