import RelevanceSupport

/// What the numbers of a journal can be: all that tables, resamples and charts are made of, declared once for each
/// evaluation.
///
/// A journal is a file that anybody may have changed: a number outside of its range is damage, and neither summed up
/// nor drawn.
package struct JournalBounds<Record> {
  /// A number of the records, with the range that it is in.
  struct Number {
    let name: String
    let range: ClosedRange<Double>
    let values: (Record) -> [Double]
  }

  private var numbers: [Number] = []
  /// The whole numbers of the head, with their ranges.
  private var settings: [(key: String, range: ClosedRange<Int>, multipliesCells: Bool)] = []
  /// The words of the head, with what they can be.
  private var words: [(key: String, known: [String])] = []

  /// Of records without numbers.
  package init() {}

  /// The same with a number of each record, or several of them.
  package func number(
    _ name: String, in range: ClosedRange<Double>, _ values: @escaping (Record) -> [Double]
  ) -> Self {
    var result = self
    result.numbers.append(Number(name: name, range: range, values: values))
    return result
  }

  /// The same with a whole number of the head; tables may have as many cells, times those of other numbers, unless
  /// `multipliesCells` is false.
  package func setting(_ key: String, in range: ClosedRange<Int>, multipliesCells: Bool = true) -> Self {
    var result = self
    result.settings.append((key, range, multipliesCells))
    return result
  }

  /// The same with a word of the head.
  package func word(_ key: String, among known: [String]) -> Self {
    var result = self
    result.words.append((key, known))
    return result
  }

  /// What is wrong with the numbers of a record; nil if nothing is.
  func objection(to record: Record) -> String? {
    for number in numbers {
      if let value = number.values(record).first(where: { !number.range.contains($0) }) {
        return "expected \(number.name) in \(Self.text(number.range)), found \(value)"
      }
    }
    return nil
  }

  /// What is wrong with a journal's head; nil if nothing is.
  func objection(to header: JournalHeader) -> String? {
    let methods = header.methods
    guard methods.count <= JournalLimits.methods, methods.allSatisfy({ $0.utf8.count <= JournalLimits.methodLength })
    else {
      return "expected at most \(JournalLimits.methods) methods of at most \(JournalLimits.methodLength) characters"
    }
    var cells = max(methods.count, 1)
    for (key, range, multipliesCells) in settings {
      guard let text = header.configuration[key]?.first else { continue }
      guard let value = Int(text), range.contains(value) else {
        return "expected \(key) in \(range.lowerBound)…\(range.upperBound), found \(text)"
      }
      if multipliesCells { cells *= value }
    }
    guard cells <= JournalLimits.cells else {
      return "expected tables of at most \(JournalLimits.cells) cells, found \(cells)"
    }
    for (key, known) in words {
      guard let text = header.configuration[key]?.first, !known.contains(text) else { continue }
      return "expected \(key) \(known.joined(separator: " or ")), found \(text)"
    }
    return nil
  }

  private static func text(_ range: ClosedRange<Double>) -> String {
    "\(shortest(range.lowerBound))…\(shortest(range.upperBound))"
  }

  private static func shortest(_ value: Double) -> String {
    let nearest = value.rounded()
    return abs(value - nearest) <= JournalLimits.slack && abs(nearest) < 1e9 ? "\(Int(nearest))" : "\(value)"
  }
}

/// Ranges that several kinds of records have.
package enum JournalLimits {
  /// Sums of single parts may be larger than the sum of all by rounding errors.
  static let slack = 1e-6
  /// Parts of a whole, and probabilities.
  package static let share = -slack...1 + slack
  /// Cosines and correlations.
  package static let correlation = -1 - slack...1 + slack
  /// Differences of shares.
  package static let shareChange = correlation
  /// Logits and their differences: what single precision has.
  package static let logit = -7e38...7e38
  /// Numbers of things in an image.
  package static let count = 0.0...1e9
  /// Quotients of values that are in single precision.
  package static let ratio = -1e100...1e100

  static let methods = 1000
  static let methodLength = 1000
  static let cells = 5_000_000
}
