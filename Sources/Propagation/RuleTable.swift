import RelevanceNetworks
import RelevanceTensors

/// Which rule applies where: ordered rows of which the first that matches a node decides.
///
/// A table is resolved against a network into a `RulePlan` before anything runs. Nodes that only rearrange values, and
/// sums, have a rule in every table (`RuleTable.structure`), which a row of one's own can replace.
/// ```swift
/// let table = RuleTable(name: "mine", pixelRange: .imageNet) {
///   RuleTable.Row(.operators(.conv, position: .first), ZBoxRule())
///   RuleTable.Row(.name("features.*"), GammaRule(gamma: 0.1))
///   RuleTable.default(pixelRange: nil)
/// }
/// ```
public struct RuleTable: Sendable {
  /// One row: nodes that match the selector get the rule.
  public struct Row: Sendable, CustomStringConvertible {
    /// Which nodes the row is for.
    public let selector: Selector
    /// What they get.
    public let rule: any Rule
    /// Whether nodes at which the rule cannot be used are left to the rows below, with a warning of the plan.
    public let isOptional: Bool

    /// Makes a row.
    public init(_ selector: Selector, _ rule: any Rule, isOptional: Bool = false) {
      (self.selector, self.rule, self.isOptional) = (selector, rule, isOptional)
    }

    public var description: String { "\(selector): \(rule)" }
  }

  /// The name that plans and reports show.
  public let name: String
  /// The rows, most important first.
  public let rows: [Row]
  /// The range of the input's pixels, for rule z^B.
  public let pixelRange: PixelRange?

  /// Makes a table.
  public init(name: String, rows: [Row], pixelRange: PixelRange? = nil) {
    (self.name, self.rows, self.pixelRange) = (name, rows, pixelRange)
  }

  /// Makes a table of rows, or rows and other tables, written one below the other.
  public init(name: String, pixelRange: PixelRange? = nil, @RowBuilder _ rows: () -> [Row]) {
    self.init(name: name, rows: rows(), pixelRange: pixelRange)
  }

  /// Joins rows that are written one below the other.
  @resultBuilder public enum RowBuilder {
    /// One row.
    public static func buildExpression(_ row: Row) -> [Row] { [row] }
    /// All rows of another table.
    public static func buildExpression(_ table: RuleTable) -> [Row] { table.rows }
    /// Rows in the order in which they are written.
    public static func buildBlock(_ rows: [Row]...) -> [Row] { rows.flatMap { $0 } }
    /// The rows of an `if` without `else`; none where the condition does not hold.
    public static func buildOptional(_ rows: [Row]?) -> [Row] { rows ?? [] }
    /// The rows of an `if`, or of a case of a `switch`.
    public static func buildEither(first rows: [Row]) -> [Row] { rows }
    /// The rows of an `else`, or of another case of a `switch`.
    public static func buildEither(second rows: [Row]) -> [Row] { rows }
    /// The rows of all rounds of a `for` loop.
    public static func buildArray(_ rows: [[Row]]) -> [Row] { rows.flatMap { $0 } }
  }

  /// The table with rows put before its own.
  public func prepending(_ rows: Row...) -> RuleTable {
    RuleTable(name: name, rows: rows + self.rows, pixelRange: pixelRange)
  }

  /// The table for inputs whose pixels have another range.
  public func with(pixelRange: PixelRange?) -> RuleTable { RuleTable(name: name, rows: rows, pixelRange: pixelRange) }

  /// The rows that every table ends with.
  package static let structure: [Row] = [
    Row(
      Selector(operators: Set(OperatorKind.all(.rearrangement))), RearrangeRule()),
    Row(.operators(.add), ShareBySummandRule()),
    Row(Selector(operators: Set(OperatorKind.all(.decision))), AbsorbRule()),
  ]
}
