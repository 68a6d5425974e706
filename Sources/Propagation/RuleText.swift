import Foundation

extension RuleCatalog {
  /// The default number of values in a sweep.
  package static let sweepCount = 7
  /// The accepted numbers of values in a sweep.
  package static let sweepCounts = 2...100

  /// Creates rules from one line of text, as on a command line: `name` or `name:key=value,key=value`.
  ///
  /// A key may be the beginning of a parameter's name; if it is the beginning of several, the one that accepts the
  /// value is used. A list is written in brackets: `zB:lower=[-1,-2,-1],upper=[1,2,1]`. One number may be a sweep,
  /// `low..high` or `low..highxN`, which creates N rules (`sweepCount` by default). The values are evenly spaced, or
  /// spaced by equal factors if `low` is above 0 and `high` is at least ten times as large.
  /// ```swift
  /// let rules = try RuleCatalog.standard.rules(parsing: "epsilon:e=1e-3..1x4")    // ε = 0.001, 0.01, 0.1, 1
  /// ```
  ///
  /// - Throws: `RelevanceKitError` for an unknown name, an unknown or ambiguous parameter, or an invalid value.
  public func rules(parsing text: String) throws -> [any NamedRule] {
    let (type, pairs) = try parts(of: text, pair: "key=value")
    // The parameters of every rule so far; a sweep multiplies them.
    var texts: [[(name: String, text: String)]] = [[]]
    var swept: String?
    for (key, text) in pairs {
      let (name, isNumeric) = try type.parameter(abbreviated: key, value: text)
      guard !texts[0].contains(where: { $0.name == name }) else {
        throw type.badValue(found: "\(name) twice", expected: "each parameter once")
      }
      var values = [text]
      if isNumeric, text.contains("..") {
        if let swept {
          throw type.badValue(found: "sweeps of \(swept) and \(name)", expected: "one sweep at most")
        }
        swept = name
        guard let points = Self.sweep(text) else {
          throw type.badValue(
            found: "\(name) \"\(text)\"",
            expected: "a sweep low..high or low..highxN with low < high and N from "
              + "\(Self.sweepCounts.lowerBound) to \(Self.sweepCounts.upperBound)")
        }
        values = points.map(\.text)
      }
      texts = texts.flatMap { given in values.map { given + [(name, $0)] } }
    }
    return try texts.map { try type.init($0) }
  }

  /// The values of a sweep; nil if the text is not a sweep.
  private static func sweep(_ text: String) -> [Float]? {
    guard let dots = text.range(of: "..") else { return nil }
    var end = text[dots.upperBound...]
    var count: Int? = sweepCount
    if let cross = end.lastIndex(of: "x") {
      count = Int(end[end.index(after: cross)...])
      end = end[..<cross]
    }
    guard let low = Float(text[..<dots.lowerBound]), let high = Float(end), low.isFinite, high.isFinite, low < high,
      let count, sweepCounts.contains(count)
    else { return nil }
    let (first, last) = (Double(low), Double(high))
    // Decimals are rarely exact: 0.1..1 must count as a factor of 10.
    let isGeometric = low > 0 && last / first >= 9.9999
    return (0..<count).map { index in
      if index == 0 { return low }
      if index == count - 1 { return high }
      let position = Double(index) / Double(count - 1)
      // Inner values are rounded: their sixth digit does not matter, and users read and type them again.
      if isGeometric {
        let value = first * pow(last / first, position)
        return Float(rounded(value, to: value))
      }
      return Float(rounded(first + (last - first) * position, to: (last - first) / Double(count - 1)))
    }
  }

  /// A number rounded to three digits of `size`.
  private static func rounded(_ value: Double, to size: Double) -> Double {
    // A power of ten is exact, so the division or multiplication rounds only once.
    let digits = min(max(2 - size.powerOfTen, -300), 300)
    let power = pow(10, Double(abs(digits)))
    return digits >= 0 ? (value * power).rounded() / power : (value / power).rounded() * power
  }
}

extension Catalog {
  /// The type and the arguments in `name:key=value,key=value`; errors name the text between commas a `pair`.
  package func parts(of text: String, pair: String) throws -> (type: Member, pairs: [(name: String, text: String)]) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let type = try type(named: parts[0])
    let pairs = try (parts.count == 1 ? [] : Self.pairs(parts[1])).map { text in
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, !sides[0].isEmpty else {
        throw declaration(type).badValue(found: "\"\(text)\"", expected: pair)
      }
      return (name: sides[0], text: sides[1])
    }
    return (type, pairs)
  }

  /// The texts between commas, except commas inside a list's brackets.
  private static func pairs(_ text: String) -> [Substring] {
    var pairs: [Substring] = []
    var (start, depth) = (text.startIndex, 0)
    for index in text.indices {
      if text[index] == "[" { depth += 1 }
      if text[index] == "]" { depth -= 1 }
      guard text[index] == ",", depth <= 0 else { continue }
      pairs.append(text[start..<index])
      start = text.index(after: index)
    }
    return pairs + [text[start...]]
  }
}

extension NamedRule {
  /// The parameter whose name starts with a key, and whether its values are numbers.
  fileprivate static func parameter(abbreviated key: String, value: String) throws -> (name: String, isNumeric: Bool) {
    let matches = parameters.filter { $0.name == key }
    let candidates = matches.isEmpty ? parameters.filter { $0.name.hasPrefix(key) } : matches
    let fitting = candidates.filter { candidate in
      candidates.count == 1 || candidate.isNumeric && value.contains("..") || candidate.value(of: value) != nil
    }
    guard fitting.count == 1 else {
      if candidates.isEmpty { throw unknownParameter(key) }
      throw badValue(
        found: "\(key)=\(value), which may mean \(candidates.map(\.name).joined(separator: " or "))",
        expected: "the full name")
    }
    return (fitting[0].name, fitting[0].isNumeric)
  }
}
