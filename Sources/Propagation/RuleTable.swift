import RelevanceNetworks
import RelevanceTensors

/// The assignment of rules to nodes: ordered rows, of which the first that matches a node applies. Other tools call a
/// table a *composite*.
///
/// A table is resolved for a network into a `RulePlan` before anything runs. Sums and nodes that only rearrange values
/// have a rule in every table, which a custom row can replace.
/// ```swift
/// let table = RuleTable(name: "mine", pixelRange: .imageNet) {
///   RuleTable.Row(.operators(.conv, position: .first), ZBoxRule())
///   RuleTable.Row(.name("features.*"), GammaRule(gamma: 0.1))
///   RuleTable.default(pixelRange: nil)
/// }
/// ```
public struct RuleTable: Sendable {
  /// One row: it assigns its rule to the nodes that its selector matches.
  public struct Row: Sendable, CustomStringConvertible {
    /// The nodes that the row matches.
    public let selector: Selector
    /// The rule of these nodes.
    public let rule: any Rule
    /// Whether rows below apply to nodes for which the rule cannot be used; the plan then has a warning.
    public let isOptional: Bool

    /// Creates a row.
    public init(_ selector: Selector, _ rule: any Rule, isOptional: Bool = false) {
      (self.selector, self.rule, self.isOptional) = (selector, rule, isOptional)
    }

    public var description: String { "\(selector): \(rule)" }
  }

  /// The name that plans and reports show.
  public let name: String
  /// The rows, most important first.
  public let rows: [Row]
  /// The range of the input's pixels, which rule z^B uses.
  public let pixelRange: PixelRange?

  /// Creates a table from rows.
  public init(name: String, rows: [Row], pixelRange: PixelRange? = nil) {
    (self.name, self.rows, self.pixelRange) = (name, rows, pixelRange)
  }

  /// Creates a table from rows and other tables, written one below the other.
  public init(name: String, pixelRange: PixelRange? = nil, @RowBuilder _ rows: () -> [Row]) {
    self.init(name: name, rows: rows(), pixelRange: pixelRange)
  }

  /// A result builder that joins rows written one below the other.
  @resultBuilder public enum RowBuilder {
    /// One row.
    public static func buildExpression(_ row: Row) -> [Row] { [row] }
    /// All rows of another table.
    public static func buildExpression(_ table: RuleTable) -> [Row] { table.rows }
    /// Rows in the order in which they are written.
    public static func buildBlock(_ rows: [Row]...) -> [Row] { rows.flatMap { $0 } }
    /// The rows of an `if` without `else`; none if the condition is false.
    public static func buildOptional(_ rows: [Row]?) -> [Row] { rows ?? [] }
    /// The rows of an `if`, or of a case of a `switch`.
    public static func buildEither(first rows: [Row]) -> [Row] { rows }
    /// The rows of an `else`, or of another case of a `switch`.
    public static func buildEither(second rows: [Row]) -> [Row] { rows }
    /// The rows of all iterations of a `for` loop.
    public static func buildArray(_ rows: [[Row]]) -> [Row] { rows.flatMap { $0 } }
  }

  /// The table with additional rows before its own.
  public func prepending(_ rows: Row...) -> RuleTable {
    RuleTable(name: name, rows: rows + self.rows, pixelRange: pixelRange)
  }

  /// The table with another pixel range.
  public func with(pixelRange: PixelRange?) -> RuleTable { RuleTable(name: name, rows: rows, pixelRange: pixelRange) }

  /// The built-in rows that every table ends with.
  package static let structure: [Row] = [
    Row(
      Selector(operators: Set(OperatorKind.all(.rearrangement))), RearrangeRule()),
    Row(.operators(.add), ShareBySummandRule()),
    Row(Selector(operators: Set(OperatorKind.all(.decision))), AbsorbRule()),
  ]
}
