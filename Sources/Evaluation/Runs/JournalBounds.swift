import RelevanceSupport

/// The allowed ranges of the numbers in a journal that tables, resamples and charts use, declared once per evaluation.
///
/// A journal is a file that anyone can have changed. A number outside of its range is reported as damage and not used.
package struct JournalBounds<Record> {
  /// A number of the records, with its allowed range.
  struct Number {
    let name: String
    let range: ClosedRange<Double>
    let values: (Record) -> [Double]
  }

  private var numbers: [Number] = []
  /// The integers of the header, with their allowed ranges.
  private var settings: [(key: String, range: ClosedRange<Int>, multipliesCells: Bool)] = []
  /// The words of the header, with their allowed values.
  private var words: [(key: String, known: [String])] = []

  /// Makes bounds for records without numbers.
  package init() {}

  /// Adds a number, or several numbers, of each record.
  package func number(
    _ name: String, in range: ClosedRange<Double>, _ values: @escaping (Record) -> [Double]
  ) -> Self {
    var result = self
    result.numbers.append(Number(name: name, range: range, values: values))
    return result
  }

  /// Adds an integer of the header. Unless `multipliesCells` is false, it multiplies the number of cells that tables
  /// can have.
  package func setting(_ key: String, in range: ClosedRange<Int>, multipliesCells: Bool = true) -> Self {
    var result = self
    result.settings.append((key, range, multipliesCells))
    return result
  }

  /// Adds a word of the header.
  package func word(_ key: String, among known: [String]) -> Self {
    var result = self
    result.words.append((key, known))
    return result
  }

  /// The first error in the numbers of a record; nil if there is none.
  func objection(to record: Record) -> String? {
    for number in numbers {
      if let value = number.values(record).first(where: { !number.range.contains($0) }) {
        return "expected \(number.name) in \(Self.text(number.range)), found \(value)"
      }
    }
    return nil
  }

  /// The first error in a journal's header; nil if there is none.
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

/// Ranges that several types of records share.
package enum JournalLimits {
  /// The tolerance for rounding errors: the sum of some parts can exceed the sum of all parts.
  static let slack = 1e-6
  /// Fractions and probabilities.
  package static let share = -slack...1 + slack
  /// Cosines and correlations.
  package static let correlation = -1 - slack...1 + slack
  /// Differences of fractions.
  package static let shareChange = correlation
  /// Logits and their differences: the range of single precision.
  package static let logit = -7e38...7e38
  /// Numbers of things in an image.
  package static let count = 0.0...1e9
  /// Quotients of single-precision values.
  package static let ratio = -1e100...1e100

  static let methods = 1000
  static let methodLength = 1000
  static let cells = 5_000_000
}
