import Explanations

/// An evaluation with its name and parameters declared: all that command lines, merging and documentation need to know of it.
package protocol NamedEvaluation: ItemwiseEvaluation {
  /// The name on command lines; by default the same as in journals.
  static var subcommand: String { get }
  /// What it measures, in a line.
  static var abstract: String { get }
  /// More of it, with an example of a command line.
  static var discussion: String { get }
  /// What can be chosen, in the order of the help.
  static var parameters: [EvaluationParameter<Self>] { get }
  /// The methods that it is about; nil, as by default, if any can be compared.
  static var methods: [AttributionMethod]? { get }
  /// The evaluation with the usual choices.
  init()
  /// What is drawn at random: the same for the same seed; of no effect where nothing is drawn.
  var seed: UInt64 { get set }
  /// Why choices, each of which is good, do not go together, in a sentence; by default they do.
  var objection: String? { get }
  /// Prepares to evaluate a subject on data.
  func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation<Self>
}

extension NamedEvaluation {
  package static var subcommand: String { name }
  package static var methods: [AttributionMethod]? { nil }
  package var objection: String? { nil }
  package var seed: UInt64 {
    get { 0 }
    set {}
  }
}

/// A value that can be written on a command line.
package protocol ParameterValue: Sendable {
  init?(text: String)
  var text: String { get }
  /// What it can be, if that is one of a few words.
  static var words: [String] { get }
}

extension ParameterValue { package static var words: [String] { [] } }

extension ParameterValue where Self: LosslessStringConvertible {
  package init?(text: String) { self.init(text) }
  package var text: String { description }
}

extension ParameterValue where Self: CaseIterable & RawRepresentable, RawValue == String {
  package init?(text: String) { self.init(rawValue: text) }
  package var text: String { rawValue }
  package static var words: [String] { allCases.map(\.rawValue) }
}

extension Int: ParameterValue {}
extension Double: ParameterValue {}
extension String: ParameterValue {}

/// A parameter of an evaluation: its name, what it is for, and what values it takes.
package struct EvaluationParameter<Evaluation: NamedEvaluation>: Sendable {
  /// The name, in lower case.
  package let name: String
  /// What it is for, in a sentence.
  package let help: String
  /// What its values are called, such as `pixels`; nil for what its name says.
  package let valueName: String?
  /// The value if none is given; an empty text if one must be.
  package let usual: any ParameterValue
  /// Gives the parameter a value of the type of `usual`.
  package let set: @Sendable (inout Evaluation, any ParameterValue) -> Void
  /// Why its value is not taken, in a sentence; nil if it is.
  package let objection: @Sendable (Evaluation) -> String?

  /// Declares a parameter that takes values which `accepts` is true for, `expected` in words.
  init<Value: ParameterValue>(
    _ name: String, _ path: any WritableKeyPath<Evaluation, Value> & Sendable, _ help: String,
    in valueName: String? = nil,
    expected: String = "", where accepts: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    (self.name, self.help, self.valueName) = (name, help, valueName)
    usual = Evaluation()[keyPath: path]
    set = { if let value = $1 as? Value { $0[keyPath: path] = value } }
    objection = { evaluation in
      let value = evaluation[keyPath: path]
      return accepts(value) ? nil : "--\(name) is \(value.text); expected \(expected)"
    }
  }

  /// The side of patches.
  static func patchSide(_ path: any WritableKeyPath<Evaluation, Int> & Sendable, _ help: String) -> Self {
    Self("patch", path, help, in: "pixels", expected: "an odd number of pixels below 10000") {
      (1...9999).contains($0) && $0 % 2 == 1
    }
  }
}
