import Foundation
import RelevanceSupport

/// A mapping from the class names in a data set to the classes of the network.
///
/// A name is looked up in the class file, if there is one, then among the network's own labels. The whole name is tried
/// first, then each of the names in a comma-separated list. Case is ignored unless the exact spelling is a whole name
/// of the file. A decimal number that is not a name in the class file is the number of a class, from 0.
public struct ClassNames: Sendable {
  let count: Int
  private let file: Table?
  private let labels: Table

  /// Uses the network's labels, such as those of its `config.json`. Some classes can have no label.
  public init(names: [Int: String] = [:], count: Int) { (self.count, file, labels) = (count, nil, Table(names)) }

  /// Reads a class file, and uses the network's labels for names that it does not contain.
  ///
  /// The file has one of these formats:
  /// - text with one line per class, in the order of the network's classes: a WordNet identifier and names (`n01440764
  ///   tench, Tinca tinca`, as in `LOC_synset_mapping.txt`), or names only;
  /// - a JSON array of names in the same order;
  /// - a JSON object from names to numbers, `{"dog": 207}`; several names can have the same number;
  /// - a JSON object from numbers to names, `{"0": "tench"}` or `{"0": ["n01440764", "tench"]}`.
  ///
  /// - Throws: `RelevanceKitError` if the file has none of these formats, or contains classes that the network does not
  ///   have.
  public init(contentsOf file: some FileLocation, names: [Int: String] = [:], count: Int) throws {
    let path = file.fileSystemPath
    let expected = "a class file: JSON, or a line per class"
    let text = try Files.text(path, expected: expected)
    var table = Table()
    if let first = text.first(where: { !$0.isWhitespace }), first == "{" || first == "[" {
      for (name, index) in try Self.names(inJSON: text, path, isList: first == "[") { table.add(name, index) }
    } else {
      var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
      guard !lines.isEmpty else { throw SimpleError.invalid(path, expected: expected, found: "nothing") }
      for (index, line) in lines.enumerated() {
        let names = Self.names(inLine: line)
        guard !names.isEmpty else {
          throw SimpleError.invalid(
            path, place: "line \(index + 1)", expected: "the name of a class", found: "nothing")
        }
        for name in names { table.add(name, index) }
      }
    }
    if let outside = table.indices.first(where: { !(0..<count).contains($0) }) {
      throw SimpleError.noSuchClass(path, outside, classes: count)
    }
    (self.count, self.file, labels) = (count, table, Table(names))
  }

  /// The number of the class with a name; nil if there is none. `path` is the file that contains the name, for errors.
  package func index(of name: String, in path: String) throws -> Int? { try index(of: .named(name), in: path) }

  func index(of label: ClassReference, in path: String) throws -> Int? {
    func checked(_ index: Int) throws -> Int {
      guard (0..<count).contains(index) else { throw SimpleError.noSuchClass(path, index, classes: count) }
      return index
    }
    switch label {
    case .numbered(let index): return try checked(index)
    case .named(let written):
      let name = written.trimmingCharacters(in: .whitespaces)
      var found = file?[name] ?? []
      if found.isEmpty, let index = name.decimal { return try checked(index) }
      if found.isEmpty { found = labels[name] }
      guard found.count <= 1 else {
        let numbers = found.map(String.init).joined(separator: " or ")
        throw SimpleError(
          "\(path): the class \(name) is ambiguous: \(numbers); provide a class file that maps it to a number")
      }
      return found.first
    }
  }

  /// The names in a line of a class file: the whole line, or a WordNet identifier and the text after it.
  private static func names(inLine line: Substring) -> [String] {
    let line = line.trimmingCharacters(in: .whitespaces)
    guard let match = line.wholeMatch(of: /(n\d{8})(?:\s+(.*))?/) else { return line.isEmpty ? [] : [line] }
    return [String(match.1)] + (match.2.map { [String($0)] } ?? [])
  }

  private struct Table {
    private(set) var indices: Set<Int> = []
    private var written: [String: Set<Int>] = [:]
    private var whole: [String: Set<Int>] = [:]
    private var parts: [String: Set<Int>] = [:]

    init(_ names: [Int: String] = [:]) { for (index, name) in names { add(name, index) } }

    mutating func add(_ name: String, _ index: Int) {
      indices.insert(index)
      let lower = name.lowercased()
      written[name, default: []].insert(index)
      whole[lower, default: []].insert(index)
      for part in lower.split(separator: ",") {
        parts[part.trimmingCharacters(in: .whitespaces), default: []].insert(index)
      }
    }

    subscript(name: String) -> [Int] {
      let lower = name.lowercased()
      return (written[name] ?? whole[lower] ?? parts[lower] ?? []).sorted()
    }
  }

  /// A value in a JSON class file.
  private enum Entry: Decodable {
    case index(Int)
    case names([String])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let index = try? container.decode(Int.self) {
        self = .index(index)
      } else if let name = try? container.decode(String.self) {
        self = .names([name])
      } else if let names = try? container.decode([String: String].self) {
        self = .names(Array(names.values))
      } else {
        self = .names(try container.decode([String].self))
      }
    }
  }

  private static func names(inJSON text: String, _ path: String, isList: Bool) throws -> [(String, Int)] {
    if isList {
      let entries: [Entry] = try Files.decoded(Data(text.utf8), path)
      return try entries.enumerated().flatMap { index, entry in
        guard case .names(let names) = entry else {
          throw SimpleError.invalid(path, place: "[\(index)]", expected: "the name of a class", found: "a number")
        }
        return names.map { ($0, index) }
      }
    }
    let entries: [String: Entry] = try Files.decoded(Data(text.utf8), path)
    return try entries.sorted { $0.key < $1.key }.flatMap { key, entry in
      switch entry {
      case .index(let index): return [(key, index)]
      case .names(let names):
        guard let index = key.decimal else {
          throw SimpleError.invalid(
            path, place: key, expected: "the index of a class", found: names.joined(separator: ", "))
        }
        return names.map { ($0, index) }
      }
    }
  }
}

extension String {
  /// The integer with these decimal digits.
  var decimal: Int? { allSatisfy { $0.isASCII && $0.isNumber } ? Int(self) : nil }
}
