import RelevanceKit
import Synchronization
import RelevanceToolSupport

extension RulePlan {
  /// Whether maps depend on the assumed range of pixels.
  var dependsOnPixelRange: Bool { assignments.contains { ($0.rule as? ZBoxRule)?.box == .fromPixels } }
}

/// Notes on input values outside the box of rule z^B, a sentence each.
func boxNotes(of trace: Trace, input: String, methods: [any AttributionMethod]) -> [String] {
  guard methods.contains(where: \.isRelevance) else { return [] }
  return trace.boxViolations.map { "\(input): \($0)" }
}

/// Notes, once per run, the range that rule z^B assumes for tensors, whose preprocessing is unknown. Called after one
/// has been explained.
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

/// Notes which inputs leave the box of rule z^B. The number of notes is limited, because they repeat for all inputs of
/// a folder.
final class BoxNotes: Sendable {
  private let limit: Int
  private let count = Mutex(0)

  /// - Parameter limit: the number of inputs to note.
  init(limit: Int = 5) { self.limit = limit }

  /// Notes an input, unless the limit is reached.
  func say(_ note: String) {
    let number = count.withLock { count in
      count += 1
      return count
    }
    if number <= limit { Console.note(note) }
  }

  /// Notes the number of inputs beyond the limit.
  func end() {
    let rest = count.withLock { $0 } - limit
    if rest > 0 { Console.note("\(rest) more \(rest == 1 ? "input leaves" : "inputs leave") the box of rule zB") }
  }
}
