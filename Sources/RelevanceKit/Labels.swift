import Foundation
import RelevanceImaging
import RelevanceNetworks
import RelevanceSupport

/// The names of a network's classes.
public struct Labels: Sendable {
  /// The name of each class. Classes without a name are missing.
  public let names: [Int: String]

  /// Makes labels.
  public init(names: [Int: String]) { self.names = names }

  /// Reads `id2label` from a `config.json`, or timm's `label_names`; nil if the file contains neither.
  ///
  /// - Throws: `RelevanceKitError` if the file is not JSON or `id2label` does not map class numbers to names.
  public init?(contentsOf file: some FileLocation) throws {
    guard let labels = try Self.read(file.fileSystemPath).labels else { return nil }
    self = labels
  }

  /// Reads a `config.json`: its `id2label`, and the decision that `problem_type` specifies, as in models of Hugging
  /// Face.
  static func read(_ path: String) throws -> (labels: Labels?, decision: Decision?) {
    let data = try ReadableFile.data(path, missing: "no such file, or no permission to read it")
    func invalid(_ found: String) -> SimpleError {
      SimpleError("\(path): \(found); expected id2label to map class numbers to names")
    }
    guard let content = try? JSONSerialization.jsonObject(with: data.withoutByteOrderMark) else {
      throw SimpleError("\(path): not JSON")
    }
    let json = content as? [String: Any]
    let decision: Decision? =
      switch json?["problem_type"] as? String {
      case "regression": .quantity
      case "multi_label_classification": .eachClass
      case "single_label_classification": .oneClass
      default: nil
      }
    guard let table = json?["id2label"], !(table is NSNull) else { return (json.flatMap(Self.init(timm:)), decision) }
    guard let entries = table as? [String: Any] else { throw invalid("id2label is not an object of strings") }
    let names = try entries.map { key, value in
      guard let index = Int(key), index >= 0 else { throw invalid("id2label has the key \"\(key)\"") }
      guard let name = Self.name(value) else { throw invalid("id2label has a name that is neither text nor a number") }
      return (index, name)
    }
    return (Labels(names: Dictionary(names, uniquingKeysWith: { first, _ in first })), decision)
  }

  /// A name in JSON: text, or a number in data sets whose classes are numbered.
  private static func name(_ value: Any) -> String? {
    if let text = value as? String { return text }
    guard let number = value as? NSNumber else { return nil }
    // JSONSerialization represents Boolean values as numbers too, with a separate type.
    return String(cString: number.objCType) == "c" ? nil : "\(number)"
  }

  /// timm's `label_names`, a list or, if some classes have no name, an object. `label_descriptions` replaces these
  /// names. Nil if there are no names.
  private init?(timm json: [String: Any]) {
    let settings = json["pretrained_cfg"] as? [String: Any] ?? [:]
    var names: [Int: String] = [:]
    switch json["label_names"] ?? settings["label_names"] {
    case let list as [String]: names = Dictionary(uniqueKeysWithValues: list.enumerated().map { ($0, $1) })
    case let table as [String: String]:
      for (key, name) in table { if let index = Int(key), index >= 0 { names[index] = name } }
    default: break
    }
    guard !names.isEmpty else { return nil }
    let descriptions = (json["label_descriptions"] ?? settings["label_descriptions"]) as? [String: String] ?? [:]
    self.init(names: names.mapValues { descriptions[$0] ?? $0 })
  }

  /// Reads the `names` that exporters such as Ultralytics write into the model, a dictionary from numbers to names in
  /// the syntax of Python or JSON; nil if there is none.
  package init?(metadata: [String: String]) {
    guard let text = metadata["names"] else { return nil }
    var rest = text[...].drop { $0 == " " }
    guard rest.popFirst() == "{" else { return nil }
    var names: [Int: String] = [:]
    while true {
      rest = rest.drop { " ,".contains($0) }
      if rest.first == "}" { break }
      guard let colon = rest.firstIndex(of: ":"),
        let index = Int(rest[..<colon].filter { !" \"'".contains($0) }), index >= 0
      else { return nil }
      rest = rest[rest.index(after: colon)...].drop { $0 == " " }
      guard let quote = rest.popFirst(), "\"'".contains(quote) else { return nil }
      var name = ""
      while let next = rest.popFirst(), next != quote {
        if next == "\\", let escaped = rest.popFirst() { name.append(escaped) } else { name.append(next) }
      }
      guard names.updateValue(name, forKey: index) == nil else { return nil }
    }
    guard !names.isEmpty else { return nil }
    self.init(names: names)
  }

  /// The name of a class; nil if it has none.
  public subscript(index: Int) -> String? { names[index] }

  /// The class that is named as the background, or the fact that no class is. Nil for names that are only numbers, such
  /// as `class 3`.
  package var background: Background? {
    let words: Set = [
      "background", "bg", "void", "unlabeled", "no object", "no-object", "n/a", "none", "nothing", "blank",
    ]
    let strange = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "_<>[]()"))
    if let named = names.filter({ words.contains($0.value.lowercased().trimmingCharacters(in: strange)) }).keys.min() {
      return .class(named)
    }
    let counted = names.allSatisfy { ["\($0.key)", "class \($0.key)", "LABEL_\($0.key)"].contains($0.value) }
    return counted ? nil : Background.none
  }

  /// The classes with a name, either as their whole name or as one of several names separated by commas. Case is
  /// ignored.
  package func classes(named name: String) -> [Int] {
    let wanted = name.lowercased()
    let exact = names.filter { $0.value.lowercased() == wanted }
    let matches =
      exact.isEmpty
      ? names.filter { $0.value.lowercased().split(separator: ",").contains { $0.trimmingPrefix(" ") == wanted } }
      : exact
    return matches.keys.sorted()
  }

  /// Suggestions for a name that no class has: the names that contain it, in the order of the classes, or otherwise the
  /// most similar name.
  package func suggestions(for name: String, limit: Int = 5) -> [String] {
    let wanted = name.lowercased()
    let sorted = names.sorted { $0.key < $1.key }.map(\.value)
    let containing = sorted.filter { $0.lowercased().contains(wanted) }
    guard containing.isEmpty else { return Array(containing.prefix(limit)) }
    let parts = sorted.flatMap { $0.split(separator: ",").map { String($0.trimmingPrefix(" ")) } }
    return Suggestion.nearest(to: name, among: parts).map { [$0] } ?? []
  }
}
