import RelevanceSupport

/// A type whose values can be asked for by name and parameters, in a file or on a command line: a rule, a method, an evaluation.
public protocol Parameterized: Sendable {
  /// What values of the type are, for errors: `rule`.
  static var kind: String { get }
  /// The name in files, on command lines and in reports.
  static var name: String { get }
  /// What can be given besides the name; by default nothing.
  static var parameters: [Parameter<Self>] { get }
  /// The value with the usual parameters.
  init()
  /// What is wrong with parameters that do not go together, and what would be right; nil, as by default, if they do.
  var objection: (found: String, expected: String)? { get }
}

extension Parameterized {
  public static var parameters: [Parameter<Self>] { [] }
  public var objection: (found: String, expected: String)? { nil }

  /// Makes a value with parameters that are given as texts.
  ///
  /// - Throws: `RelevanceKitError` for a parameter that the type does not have, or a value that it does not take.
  public init(_ texts: [(name: String, text: String)]) throws {
    self.init()
    for (name, text) in texts { try set(name, to: text) }
    try checkParameters()
  }

  /// Gives a parameter a value, which is checked by itself.
  mutating func set(_ name: String, to text: String) throws {
    guard let parameter = Self.parameters.first(where: { $0.name == name }) else {
      throw Self.unknownParameter(name)
    }
    guard let value = parameter.value(of: text) else {
      throw Self.badValue(found: "\(name) \"\(text)\"", expected: parameter.expected)
    }
    parameter.set(&self, value)
  }

  /// Checks the values of all parameters, whoever gave them.
  ///
  /// - Throws: `RelevanceKitError` if a parameter has a value that it does not take, or parameters do not go together.
  package func checkParameters() throws {
    for parameter in Self.parameters {
      let value = parameter.get(self)
      guard !parameter.takes(value) else { continue }
      throw Self.badValue(found: "\(parameter.name) \(value.text)", expected: parameter.expected)
    }
    if let objection { throw Self.badValue(found: objection.found, expected: objection.expected) }
  }

  /// The values of the parameters that descriptions show, as texts.
  package func texts(where isShown: (Parameter<Self>, String) -> Bool) -> [(name: String, text: String)] {
    Self.parameters.map { ($0, $0.get(self).text) }.filter { !$1.isEmpty && isShown($0, $1) }.map { ($0.name, $1) }
  }

  package static var parameterNames: [String] { parameters.map(\.name) }

  static func unknownParameter(_ name: String) -> ArgumentError {
    .unknownParameter(name, kind: kind, of: Self.name, known: parameterNames)
  }

  package static func badValue(found: String, expected: String) -> ArgumentError {
    .badValue(of: "\(kind) \(name)", found: found, expected: expected)
  }
}

/// A parameter: its name, the property that has its value, and what values it takes.
public struct Parameter<Owner: Parameterized>: Sendable {
  /// The name.
  public let name: String
  /// What can be given, in words.
  public let expected: String
  /// What it is for, in a sentence; may be empty.
  package let help: String
  /// What its values are called, such as `pixels`; nil for what its name says.
  package let valueName: String?
  /// The value if none is given; one without a text if one must be given, or need not be.
  package let usual: any ParameterValue
  /// Whether descriptions of rules leave it out where it has its usual value.
  let isTacit: Bool
  let get: @Sendable (Owner) -> any ParameterValue
  /// Gives it a value of the type of `usual`.
  package let set: @Sendable (inout Owner, any ParameterValue) -> Void
  private let accepts: @Sendable (any ParameterValue) -> Bool

  /// Declares a parameter.
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - path: the property that has its value.
  ///   - expected: what can be given, in words; nil for what its type says.
  ///   - isTacit: whether descriptions of rules leave it out where it has its usual value; nil for that of one of a few words.
  ///   - accepts: whether it takes a value.
  public init<Value: ParameterValue>(
    _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, expected: String? = nil, isTacit: Bool? = nil,
    where accepts: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    self.init(name, path, "", expected: expected, isTacit: isTacit, where: accepts)
  }

  /// Declares a parameter with a sentence that says what it is for, and with what its values are called.
  package init<Value: ParameterValue>(
    _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, _ help: String, in valueName: String? = nil,
    expected: String? = nil, isTacit: Bool? = nil, where accepts: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    (self.name, self.help, self.valueName) = (name, help, valueName)
    self.expected = expected ?? Value.expected
    self.isTacit = isTacit ?? !Value.words.isEmpty
    usual = (Value.self as? any OmittedValue.Type)?.omitted as? Value ?? Owner()[keyPath: path]
    get = { $0[keyPath: path] }
    set = { if let value = $1 as? Value { $0[keyPath: path] = value } }
    self.accepts = { ($0 as? Value).map(accepts) ?? false }
  }

  /// A number of at least `least`.
  public init(_ name: String, _ path: any WritableKeyPath<Owner, Float> & Sendable, atLeast least: Float) {
    self.init(name, path, expected: "a number of at least \(least.text)") { $0 >= least }
  }

  /// A whole number.
  public init<Value: ParameterValue & FixedWidthInteger>(
    _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, in range: ClosedRange<Value> = 1...1_000_000
  ) {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    self.init(name, path, expected: expected, where: range.contains)
  }

  /// Whether values are numbers, of which a single one may be a sweep.
  var isNumeric: Bool { usual is any NumericValue }

  /// Why the value is not taken; nil if it is.
  package func objection(to owner: Owner) -> String? {
    let value = get(owner)
    return takes(value) ? nil : "\(name) is \(value.text); expected \(expected)"
  }

  func takes(_ value: any ParameterValue) -> Bool { value.isUsable && accepts(value) }

  /// The value that a text means; nil if the parameter does not take it.
  func value(of text: String) -> (any ParameterValue)? {
    func value<Value: ParameterValue>(like usual: Value) -> (any ParameterValue)? { Value(text: text) }
    return value(like: usual).flatMap { takes($0) ? $0 : nil }
  }
}

/// A value that a parameter can have.
public protocol ParameterValue: Sendable {
  /// Reads a text; nil if it means no value.
  init?(text: String)
  /// The value as it is written; empty if there is none.
  var text: String { get }
  /// What it can be, if that is one of a few words.
  static var words: [String] { get }
  /// What a text has to be, in words.
  static var expected: String { get }
  /// Whether any parameter could have the value. By default true; numbers have to be finite.
  var isUsable: Bool { get }
}

extension ParameterValue {
  public var isUsable: Bool { true }
  public static var words: [String] { [] }
  public static var expected: String { words.joined(separator: " or ") }
}
extension ParameterValue where Self: LosslessStringConvertible {
  public init?(text: String) { self.init(text) }
  public var text: String { description }
}
extension ParameterValue where Self: CaseIterable & RawRepresentable, RawValue == String {
  public init?(text: String) { self.init(rawValue: text) }
  public var text: String { rawValue }
  public static var words: [String] { allCases.map(\.rawValue) }
}
extension Optional: ParameterValue where Wrapped: ParameterValue {
  public init?(text: String) {
    guard let value = Wrapped(text: text) else { return nil }
    self = value
  }
  public var text: String { self?.text ?? "" }
  public static var words: [String] { Wrapped.words }
  public static var expected: String { Wrapped.expected }
  public var isUsable: Bool { self?.isUsable ?? true }
}

/// A value of which a single number is one.
protocol NumericValue: ParameterValue {}
extension Float: NumericValue {}
extension Optional: NumericValue where Wrapped: NumericValue {}

/// A value that a parameter need not have, whatever its owner makes of that.
private protocol OmittedValue { static var omitted: Self { get } }
extension Optional: OmittedValue { static var omitted: Self { nil } }

extension Int: ParameterValue {}
extension UInt64: ParameterValue {}
extension Double: ParameterValue { public var isUsable: Bool { isFinite } }
extension String: ParameterValue {}
extension Float: ParameterValue {
  public init?(text: String) {
    guard let number = Float(text) else { return nil }
    self = number
  }
  public var isUsable: Bool { isFinite }
  public var text: String { self == rounded() && abs(self) < 1e6 ? "\(Int(self))" : "\(self)" }
  public static var expected: String { "a number" }
}

/// Something that cannot be made as it was asked for.
package enum ArgumentError: RelevanceKitError, Equatable {
  case unknownName(String, kind: String, known: [String])
  case unknownParameter(String, kind: String, of: String, known: [String])
  case badValue(of: String, found: String, expected: String)

  package var category: ErrorCategory { .usage }

  /// What was found.
  package var found: String {
    switch self {
    case .unknownName(let name, let kind, _): name.isEmpty ? "no \(kind)" : "\(kind) \(name)"
    case .unknownParameter(let name, let kind, let owner, _): "\(name) at \(kind) \(owner)"
    case .badValue(_, let found, _): found
    }
  }

  /// What would have been right.
  package var expected: String {
    switch self {
    case .unknownName(let name, _, let known): Self.one(of: known, like: name)
    case .unknownParameter(let name, _, let owner, let known):
      known.isEmpty ? "no parameters: \(owner) has none" : Self.one(of: known, like: name)
    case .badValue(_, _, let expected): expected
    }
  }

  /// `conv? One of conv, relu`
  static func one(of known: [String], like name: String) -> String {
    (Suggestion.nearest(to: name, among: known).map { "\($0)? One of " } ?? "one of ") + known.joined(separator: ", ")
  }

  package var description: String {
    switch self {
    case .badValue(let title, _, _): "\(title): found \(found); expected \(expected)"
    default: "found \(found); expected \(expected)"
    }
  }
}
