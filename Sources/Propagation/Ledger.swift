import Foundation
import RelevanceNetworks
import RelevanceSupport
import Synchronization
import RelevanceTensors

/// The cause of absorption: why relevance that arrived at a node was not propagated to its operands.
public enum AbsorptionCause: String, Hashable, Sendable, CaseIterable {
  /// A bias took its share.
  case bias
  /// The stabilizer in a denominator took its share.
  case stabilizer
  /// The denominator was zero: no input contributed to the output.
  case zeroDenominator
  /// The rule does not conserve.
  case rule
  /// Relevance arrived at a decision, such as a comparison. No input value is a part of a decision's result.
  case decision
  /// A condition passes only other channels, or only relevance that takes another path.
  case condition
  /// Negative relevance was set to zero.
  case clipped
  /// Rounding of single-precision numbers.
  case rounding
}

/// The relevance flow of one target, node by node, from the start node down to the input.
public struct Ledger: RandomAccessCollection, Hashable, Sendable {
  private let entries: [LedgerEntry]

  /// Creates a ledger from entries in the order of the walk.
  public init(_ entries: [LedgerEntry] = []) { self.entries = entries }

  public var startIndex: Int { entries.startIndex }
  public var endIndex: Int { entries.endIndex }
  public subscript(position: Int) -> LedgerEntry { entries[position] }

  /// The entry of a node; nil if no relevance arrived there.
  ///
  /// - Complexity: O(entries).
  public subscript(node: String) -> LedgerEntry? { entries.first { $0.node == node } }

  /// The relevance that all nodes absorbed, by cause.
  ///
  /// - Complexity: O(entries).
  public var losses: [AbsorptionCause: Double] {
    entries.reduce(into: [:]) { totals, entry in totals.merge(entry.losses, uniquingKeysWith: +) }
  }

  /// The total absorbed relevance.
  ///
  /// - Complexity: O(entries).
  public var absorbed: Double { entries.reduce(0) { $0 + $1.absorbed } }
}

/// The relevance flow of one target at one node.
public struct LedgerEntry: Sendable, Hashable {
  /// The node's name.
  public let node: String
  /// The family of the node's operator.
  public let kind: OperatorKind
  /// The rule, as printed in plans.
  public let rule: String
  /// The sum of the relevance that arrived at the node's output.
  public let relevanceIn: Double
  /// The sum of the relevance that left at its operands.
  public let relevanceOut: Double
  /// The sum of the arriving relevance's magnitudes.
  public let magnitudeIn: Double
  /// The sum of the leaving relevance's magnitudes. Where it grows, positive and negative relevance cancel in the sums.
  public let magnitudeOut: Double
  /// Absorbed relevance by cause; the values add up to `relevanceIn − relevanceOut`.
  public let losses: [AbsorptionCause: Double]

  /// The absorbed relevance.
  public var absorbed: Double { relevanceIn - relevanceOut }

  init(
    node: String, kind: OperatorKind, rule: String, arrived: RelevanceSums, left: RelevanceSums,
    booked: [AbsorptionCause: Double], rest: AbsorptionCause
  ) {
    (self.node, self.kind, self.rule) = (node, kind, rule)
    (relevanceIn, magnitudeIn) = (arrived.x, arrived.y)
    (relevanceOut, magnitudeOut) = (left.x, left.y)
    var losses = booked.filter { $0.value != 0 }
    let unexplained = arrived.x - left.x - booked.values.reduce(0, +)
    if unexplained != 0 { losses[rest, default: 0] += unexplained }
    self.losses = losses
  }

  /// Creates an entry from stored values.
  init(
    node: String, kind: OperatorKind, rule: String, relevanceIn: Double, relevanceOut: Double, magnitudeIn: Double,
    magnitudeOut: Double, losses: [AbsorptionCause: Double]
  ) {
    (self.node, self.kind, self.rule, self.losses) = (node, kind, rule, losses)
    (self.relevanceIn, self.relevanceOut) = (relevanceIn, relevanceOut)
    (self.magnitudeIn, self.magnitudeOut) = (magnitudeIn, magnitudeOut)
  }

  /// The relevance flow of two parts at the same node.
  static func + (a: LedgerEntry, b: LedgerEntry) -> LedgerEntry {
    LedgerEntry(
      node: a.node, kind: a.kind, rule: a.rule,
      arrived: [a.relevanceIn + b.relevanceIn, a.magnitudeIn + b.magnitudeIn],
      left: [a.relevanceOut + b.relevanceOut, a.magnitudeOut + b.magnitudeOut],
      booked: a.losses.merging(b.losses, uniquingKeysWith: +), rest: .rounding)
  }

  /// The last step of a contrast, which sets negative relevance of the input to 0.
  package init(clipping signed: Tensor, to clipped: Tensor, of node: String) {
    self.init(
      node: node, kind: .input, rule: "max(0, ·)", arrived: signed.view.sums, left: clipped.view.sums,
      booked: [:], rest: .clipped)
  }
}

extension LedgerEntry {
  /// The entry of a gate at a node where no rule propagates the relevance further.
  init(closing node: Node, left: RelevanceSums, removed: RelevanceSums) {
    self.init(
      node: node.name, kind: node.operation.kind, rule: "condition", arrived: left + removed, left: left,
      booked: [.condition: removed.x], rest: .condition)
  }

  /// The entry, with relevance that was removed before the rule was applied.
  func preceded(byRemoving removed: RelevanceSums) -> LedgerEntry {
    LedgerEntry(
      node: node, kind: kind, rule: rule, relevanceIn: relevanceIn + removed.x, relevanceOut: relevanceOut,
      magnitudeIn: magnitudeIn + removed.y, magnitudeOut: magnitudeOut, losses: losses(with: removed))
  }

  /// The entry, with relevance that was removed from the rule's result.
  func followed(byRemoving removed: RelevanceSums) -> LedgerEntry {
    LedgerEntry(
      node: node, kind: kind, rule: rule, relevanceIn: relevanceIn, relevanceOut: relevanceOut - removed.x,
      magnitudeIn: magnitudeIn, magnitudeOut: magnitudeOut - removed.y, losses: losses(with: removed))
  }

  private func losses(with removed: RelevanceSums) -> [AbsorptionCause: Double] {
    losses.merging(removed.x == 0 ? [:] : [.condition: removed.x], uniquingKeysWith: +)
  }
}

extension Tensor {
  /// The sums of the relevance of one of the `seeds` seeds of each item.
  func sums(ofSeed seed: Int, items: Int, of seeds: Int) -> RelevanceSums {
    let blocks = seeds == 1 ? 1 : items * seeds
    return stride(from: seed, to: blocks, by: seeds).reduce(into: .zero) { $0 += part($1, of: blocks).view.sums }
  }
}

/// The sum of relevance, and the sum of its magnitudes.
typealias RelevanceSums = SIMD2<Double>

/// The absorbed relevance of one node during a walk.
final class LayerAccount: Sendable {
  private let items: Int
  private let losses = Mutex<[AbsorptionCause: [Double]]>([:])

  init(items: Int) { self.items = items }

  func add(_ cause: AbsorptionCause, _ amounts: [Double]) {
    precondition(amounts.count == items, "\(amounts.count) amounts for \(items) items")
    losses.withLock { losses in
      losses[cause] = zip(losses[cause] ?? [Double](repeating: 0, count: items), amounts).map(+)
    }
  }

  func losses(seed: Int, of seeds: Int) -> [AbsorptionCause: Double] {
    losses.withLock { losses in
      losses.mapValues { amounts in stride(from: seed, to: items, by: seeds).reduce(0) { $0 + amounts[$1] } }
    }
  }
}

extension Layer {
  /// The sums of relevance of each seed, over the items of the batch.
  func sums(bySeed relevance: Tensor) -> [RelevanceSums] {
    var result = [RelevanceSums](repeating: .zero, count: seeds)
    for (item, pair) in sums(of: relevance, { r, _ in r.sums }).enumerated() {
      result[item % seeds] += pair
    }
    return result
  }

  func entries(_ rule: any Rule, arrived: [RelevanceSums], _ shares: [Tensor?], _ account: LayerAccount)
    -> [LedgerEntry]
  {
    var left = [RelevanceSums](repeating: .zero, count: seeds)
    for case let share? in shares {
      for (seed, sums) in sums(bySeed: share).enumerated() { left[seed] += sums }
    }
    let rest: AbsorptionCause = rule.conserves(at: site) ? .rounding : .rule
    return (0..<seeds).map { seed in
      LedgerEntry(
        node: node.name, kind: site.kind, rule: rule.description, arrived: arrived[seed], left: left[seed],
        booked: account.losses(seed: seed, of: seeds), rest: rest)
    }
  }
}

extension Ledger: CustomStringConvertible {
  /// A table of node, rule, sums of relevance before and after the node, growth of magnitudes, and absorbed relevance
  /// by cause. Causes that did not occur, and values as small as rounding errors, are left out.
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
  /// The heading of the cause's column.
  public var title: String {
    switch self {
    case .bias: "BIAS"
    case .stabilizer: "STABILIZER"
    case .zeroDenominator: "ZERO DENOMINATOR"
    case .rule: "NOT CONSERVED"
    case .decision: "DECISION"
    case .condition: "CONDITION"
    case .clipped: "CLIPPED"
    case .rounding: "ROUNDING"
    }
  }
}
