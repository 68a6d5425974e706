import Foundation
import Support

extension Ledger: CustomStringConvertible {
  /// A table: node, rule, sums of relevance before and after it, by how much magnitudes grew, and losses by cause. Columns in
  /// which nothing happened are left out, and so is what is as small as rounding.
  ///
  /// - Complexity: O(entries).
  public var description: String {
    let scale = self.map { Swift.max($0.magnitudeIn, $0.magnitudeOut) }.max() ?? 0
    func shown(_ loss: Double) -> Bool { abs(loss) > 1e-6 * scale }
    let causes = AbsorptionCause.allCases.filter { cause in contains { shown($0.losses[cause] ?? 0) } }
    var rows = [["NODE", "RULE", "IN", "OUT", "GROWTH"] + causes.map(\.title)]
    for entry in self {
      let growth = entry.magnitudeIn > 0 ? entry.magnitudeOut / entry.magnitudeIn : 1
      let losses = causes.map { cause in
        let loss = entry.losses[cause] ?? 0
        return shown(loss) ? Self.number(loss) : ""
      }
      rows.append(
        [entry.node, entry.rule, Self.number(entry.relevanceIn), Self.number(entry.relevanceOut)]
          + [abs(growth - 1) < 5e-4 ? "" : String(format: "×%.3g", growth)] + losses)
    }
    let totals = losses
    let sum = causes.map { shown(totals[$0] ?? 0) ? Self.number(totals[$0] ?? 0) : "" }
    if !causes.isEmpty { rows.append(["all nodes", "", "", "", ""] + sum) }
    return Columns.text(rows, rightAligned: 2...)
  }

  private static func number(_ value: Double) -> String { String(format: "%.5g", value) }
}

extension AbsorptionCause {
  /// What columns are headed.
  package var title: String {
    switch self {
    case .bias: "BIAS"
    case .stabilizer: "STABILIZER"
    case .zeroDenominator: "ZERO DENOMINATOR"
    case .rule: "NOT CONSERVED"
    case .clipped: "CLIPPED"
    case .rounding: "ROUNDING"
    }
  }
}
