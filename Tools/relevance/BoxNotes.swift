import RelevanceKit
import Synchronization
import RelevanceToolSupport

extension RulePlan {
  /// Whether maps depend on the range that pixels are assumed to have.
  var dependsOnPixelRange: Bool { assignments.contains { ($0.rule as? ZBoxRule)?.box == .fromPixels } }
}

/// What is doubtful about an input under a plan with rule z^B, a sentence each.
func boxNotes(of trace: Trace, input: String, methods: [any AttributionMethod]) -> [String] {
  guard methods.contains(where: \.isRelevance) else { return [] }
  return trace.boxViolations.map { "\(input): \($0)" }
}

/// Says once what range rule z^B assumes of tensors, which tell nothing of their preparation; called when one has been explained.
func noteAssumedRange(of model: Model, for file: InputFile, under plan: RulePlan?) {
  guard file.isTensorByName else { return }
  let notes = assumptions(of: model, for: file, under: plan)
  let isFirst = isRangeNoted.withLock { isNoted in
    defer { isNoted = isNoted || !notes.isEmpty }
    return !isNoted
  }
  if isFirst { notes.forEach { Console.note($0) } }
}

private let isRangeNoted = Mutex(false)

/// Says which inputs leave the box of rule z^B, as long as they are few: of a whole folder it is the same thing again and again.
final class BoxNotes: Sendable {
  private let limit: Int
  private let count = Mutex(0)

  /// Says it of the first inputs only, `limit` of them.
  init(limit: Int = 5) { self.limit = limit }

  /// Says it of an input.
  func say(_ note: String) {
    let number = count.withLock { count in
      count += 1
      return count
    }
    if number <= limit { Console.note(note) }
  }

  /// Says how many inputs there were besides.
  func end() {
    let rest = count.withLock { $0 } - limit
    if rest > 0 { Console.note("\(rest) more \(rest == 1 ? "input leaves" : "inputs leave") the box of rule zB") }
  }
}
