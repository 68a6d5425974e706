import RelevanceSupport

/// A type whose values are created from a name and parameters in a file or on a command line: a rule, a method, an
/// evaluation.
public protocol Parameterized: Sendable {
  /// The kind of the values, for errors: `rule`.
  static var kind: String { get }
  /// The name in files, on command lines and in reports.
  static var name: String { get }
  /// The parameters that can be given in addition to the name; by default none.
  static var parameters: [Parameter<Self>] { get }
  /// Creates the value with default parameters.
  init()
  /// The invalid combination of parameters, and the expected one; nil, the default, if the parameters are compatible.
  var objection: (found: String, expected: String)? { get }
}

extension Parameterized {
  public static var parameters: [Parameter<Self>] { [] }
  public var objection: (found: String, expected: String)? { nil }

  /// Creates a value with parameters given as text.
  ///
  /// - Throws: `RelevanceKitError` for an unknown parameter or a value that the parameter does not accept.
  public init(_ texts: [(name: String, text: String)]) throws {
    self.init()
    for (name, text) in texts { try set(name, to: text) }
    try checkParameters()
  }

  /// Sets a parameter and checks its value, but not its combination with others.
  mutating func set(_ name: String, to text: String) throws {
    guard let parameter = Self.parameters.first(where: { $0.name == name }) else {
      throw Self.unknownParameter(name)
    }
    guard let value = parameter.value(of: text) else {
      throw Self.badValue(found: "\(name) \"\(text)\"", expected: parameter.expected)
    }
    parameter.set(&self, value)
  }

  /// Checks the values of all parameters, whether they were set from text or in code.
  ///
  /// - Throws: `RelevanceKitError` if a parameter has an invalid value, or if parameters are incompatible.
  package func checkParameters() throws {
    for parameter in Self.parameters {
      let value = parameter.get(self)
      guard !parameter.takes(value) else { continue }
      throw Self.badValue(found: "\(parameter.name) \(value.text)", expected: parameter.expected)
    }
    if let objection { throw Self.badValue(found: objection.found, expected: objection.expected) }
  }

  /// The values of the parameters that descriptions show, as text.
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

/// A parameter: its name, the property that stores its value, and the values that it accepts.
public struct Parameter<Owner: Parameterized>: Sendable {
  /// The name.
  public let name: String
  /// The accepted values, in words.
  public let expected: String
  /// The purpose of the parameter, in one sentence; may be empty.
  package let help: String
  /// The name of its values in help texts, such as `pixels`; nil for the parameter's name.
  package let valueName: String?
  /// The default value; its text is empty if the parameter has no default and is required or can be omitted.
  package let usual: any ParameterValue
  /// Whether descriptions of rules omit it if it has its default value.
  let isTacit: Bool
  let get: @Sendable (Owner) -> any ParameterValue
  /// Sets it to a value of the type of `usual`.
  package let set: @Sendable (inout Owner, any ParameterValue) -> Void
  private let accepts: @Sendable (any ParameterValue) -> Bool

  /// Creates a parameter.
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - path: the property that stores its value.
  ///   - expected: the accepted values, in words; nil for the description of its type.
  ///   - isTacit: whether descriptions of rules omit the parameter if it has its default value; nil means that
  ///     parameters whose values are one of a few words are omitted.
  ///   - accepts: whether a value is accepted.
  public init<Value: ParameterValue>(
    _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, expected: String? = nil, isTacit: Bool? = nil,
    where accepts: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    self.init(name, path, "", expected: expected, isTacit: isTacit, where: accepts)
  }

  /// Creates a parameter with a sentence that states its purpose, and with the name of its values.
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

  /// Creates a parameter with a number of at least `least`.
  public init(_ name: String, _ path: any WritableKeyPath<Owner, Float> & Sendable, atLeast least: Float) {
    self.init(name, path, expected: "a number of at least \(least.text)") { $0 >= least }
  }

  /// Creates a parameter with an integer.
  public init<Value: ParameterValue & FixedWidthInteger>(
    _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, in range: ClosedRange<Value> = 1...1_000_000
  ) {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    self.init(name, path, expected: expected, where: range.contains)
  }

  /// Whether values are numbers, so that a single one may be a sweep.
  var isNumeric: Bool { usual is any NumericValue }

  /// Why the value is not accepted; nil if it is.
  package func objection(to owner: Owner) -> String? {
    let value = get(owner)
    return takes(value) ? nil : "\(name) is \(value.text); expected \(expected)"
  }

  func takes(_ value: any ParameterValue) -> Bool { value.isUsable && accepts(value) }

  /// The value that a text represents; nil if the parameter does not accept it.
  func value(of text: String) -> (any ParameterValue)? {
    func value<Value: ParameterValue>(like usual: Value) -> (any ParameterValue)? { Value(text: text) }
    return value(like: usual).flatMap { takes($0) ? $0 : nil }
  }
}

/// A value that a parameter can have.
public protocol ParameterValue: Sendable {
  /// Reads a text; nil if it is not a value.
  init?(text: String)
  /// The value as text; empty if there is none.
  var text: String { get }
  /// The possible values, if they are a few words.
  static var words: [String] { get }
  /// The expected text, in words.
  static var expected: String { get }
  /// Whether the value can be valid at all. By default true; numbers must be finite.
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

/// A value that can be a single number.
protocol NumericValue: ParameterValue {}
extension Float: NumericValue {}
extension Optional: NumericValue where Wrapped: NumericValue {}

/// A value that can be absent; its owner decides what that means.
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

/// A name, parameter or value that is not valid.
package enum ArgumentError: RelevanceKitError, Equatable {
  case unknownName(String, kind: String, known: [String])
  case unknownParameter(String, kind: String, of: String, known: [String])
  case badValue(of: String, found: String, expected: String)

  package var category: ErrorCategory { .usage }

  /// The text that was found.
  package var found: String {
    switch self {
    case .unknownName(let name, let kind, _): name.isEmpty ? "no \(kind)" : "\(kind) \(name)"
    case .unknownParameter(let name, let kind, let owner, _): "\(name) at \(kind) \(owner)"
    case .badValue(_, let found, _): found
    }
  }

  /// The text that was expected.
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
