import Foundation
import RelevanceKit

/// What can be asked about an image. Fields that an answer does not depend on may be missing.
public struct Question: Decodable, Sendable {
  /// How images are fitted to the network: as the command line's `--fit`.
  public enum Fit: String, Decodable, Hashable, Sendable, CaseIterable { case crop, whole, native }

  /// The model's name; may be missing if there is one model.
  public var model: String?
  /// The image: `upload:…` or `file:…`, as `images` and `upload` call it.
  public var image: String?
  /// The image itself, a JPEG or PNG file in base64.
  public var data: Data?
  public var fit = Fit.crop
  /// What is painted over before the network sees the image.
  public var edits: Edits?
  /// The name of a rule table; nil means the recommended one.
  public var table: String?
  /// The text of a rule table in YAML, instead of a name.
  public var rules: String?
  /// As on the command line: `top:1`, `class:967`, `unit:NODE/CHANNEL@Y,X` and so on.
  public var target: String?
  /// As on the command line: `lrp`, `clrp1:against=282` and so on.
  public var method: String?
  /// What relevance has to pass: `NODE/3+7`.
  public var through: [String] = []
  public var exclusive = true
  /// Whether the answer says what became of relevance at every node.
  public var ledger = true
  /// Whether a picture shows the map over the image, or alone.
  public var overlay = true
  public var node: String?
  public var nodes: [String] = []
  public var channels: [Int] = []
  public var channel: Int?
  /// Column and row of a pixel of what the network sees.
  public var pixel: [Int]?
  /// How many channels, units, classes or images.
  public var top: Int?
  /// References by `relevance` or by `activation`.
  public var order: String?
  /// Methods of a page.
  public var methods: [String] = []
  /// A number that clients choose, so that questions of different clients take turns.
  public var client = ""

  private enum Key: String, CodingKey, CaseIterable {
    case model, image, data, fit, edits, table, rules, target, method, through, exclusive, ledger, node, nodes,
      channels, channel
    case pixel, top, order, methods, client, overlay
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(client: String = "") { self.client = client }

  /// Reads a field of an address.
  public mutating func set(_ name: String, to text: String) throws {
    switch name {
    case "model": model = text
    case "fit":
      guard let choice = Fit(rawValue: text) else {
        throw ServiceError(.malformed, "fit is \(text.prefix(40)); expected crop, whole or native")
      }
      fit = choice
    case "table": table = text
    case "target": target = text
    case "method": method = text
    case "through": through.append(text)
    case "client": client = text
    case "node": node = text
    case "ledger": ledger = try Self.flag(text, name)
    case "overlay": overlay = try Self.flag(text, name)
    case "exclusive": exclusive = try Self.flag(text, name)
    default:
      throw ServiceError(
        .malformed,
        "the address has an unknown field \(name.prefix(40)); expected some of model, fit, table, target, method, through, "
          + "exclusive, node, ledger, overlay, client")
    }
  }

  private static func flag(_ text: String, _ name: String) throws -> Bool {
    guard let flag = Bool(text) else {
      throw ServiceError(.malformed, "\(name) is \(text.prefix(40)); expected true or false")
    }
    return flag
  }

  public init(from decoder: any Decoder) throws {
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys where Key(rawValue: key.stringValue) == nil {
      throw ServiceError(
        .malformed,
        "the question has an unknown field \(key.stringValue.prefix(40)); expected some of "
          + Key.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let values = try decoder.container(keyedBy: Key.self)
    func read<Value: Decodable>(_ key: Key, _ field: inout Value) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) { field = value }
    }
    func read<Value: Decodable>(_ key: Key, _ field: inout Value?) throws {
      field = try values.decodeIfPresent(Value.self, forKey: key)
    }
    try read(.model, &model)
    try read(.image, &image)
    if let text = try values.decodeIfPresent(String.self, forKey: .data) {
      guard let bytes = Data(base64Encoded: text) else {
        throw ServiceError(.malformed, "data: expected a JPEG or PNG file in base64")
      }
      data = bytes
    }
    if let name = try values.decodeIfPresent(String.self, forKey: .fit) {
      guard let choice = Fit(rawValue: name) else {
        throw ServiceError(.malformed, "fit is \(name.prefix(40)); expected crop, whole or native")
      }
      fit = choice
    }
    try read(.edits, &edits)
    try read(.table, &table)
    try read(.rules, &rules)
    try read(.target, &target)
    try read(.method, &method)
    try read(.through, &through)
    try read(.exclusive, &exclusive)
    try read(.ledger, &ledger)
    try read(.overlay, &overlay)
    try read(.node, &node)
    try read(.nodes, &nodes)
    try read(.channels, &channels)
    try read(.channel, &channel)
    try read(.pixel, &pixel)
    try read(.top, &top)
    try read(.order, &order)
    try read(.methods, &methods)
    try read(.client, &client)
    if let top, !(1...1000).contains(top) {
      throw ServiceError(.malformed, "top is \(top); expected 1 to 1000")
    }
    if let pixel, pixel.count != 2 {
      throw ServiceError(.malformed, "pixel has \(pixel.count) numbers; expected column and row")
    }
  }

  /// What is explained.
  func explained(labels: Labels?) throws -> Target {
    guard let target else { return .top(1) }
    if target.hasPrefix("top:") {
      guard let rank = Int(target.dropFirst(4)), rank >= 1 else {
        throw ServiceError(.unanswerable, "target is \(target.prefix(60)); expected top:1 or a later rank")
      }
      return .top(rank)
    }
    if target.hasPrefix("label:") {
      let name = target.dropFirst(6).lowercased()
      let found = (labels?.names ?? [:]).filter { entry in
        entry.value.lowercased().split(separator: ",").contains { $0.trimmingCharacters(in: .whitespaces) == name }
          || entry.value.lowercased() == name
      }.keys.sorted()
      guard let index = found.first else {
        throw ServiceError(
          .unanswerable, "no class is called \(name.prefix(60)); GET /api/models/NAME/labels lists them")
      }
      return .class(index)
    }
    guard let target = Target(target) else {
      throw ServiceError(
        .unanswerable,
        "target is \(target.prefix(60)); expected top:K, class:N, label:NAME, region:N, box:K or unit:NODE/CHANNEL[@Y,X]"
      )
    }
    return target
  }

  /// How it is explained.
  func explainedBy() throws -> any AttributionMethod {
    try MethodCatalog.standard.method(parsing: method ?? "lrp")
  }

  func conditions() throws -> [Condition] {
    try through.map { text in
      guard let condition = Condition(text) else {
        throw ServiceError(.unanswerable, "through has \(text.prefix(60)); expected NODE/3+7")
      }
      return condition
    }
  }

  func required<Value>(_ field: KeyPath<Question, Value?>, _ name: String) throws -> Value {
    guard let value = self[keyPath: field] else { throw ServiceError(.malformed, "the question has no \(name)") }
    return value
  }
}
