import Foundation
import RelevanceKit

/// The fields of a request. Fields that do not affect the answer may be missing.
public struct Question: Decodable, Sendable {
  /// How an image is fitted to the network's input, as with `--fit` of the command line.
  public enum Fit: String, Decodable, Hashable, Sendable, CaseIterable { case crop, whole, native }

  /// The model's name; may be missing if there is only one model.
  public var model: String?
  /// The identifier of an image: `upload:…` or `file:…`.
  public var image: String?
  /// The image itself, a JPEG or PNG file in base64.
  public var data: Data?
  public var fit = Fit.crop
  /// Regions of the image to paint over before the forward pass.
  public var edits: Edits?
  /// The name of a rule table; nil means the recommended one.
  public var table: String?
  /// A rule table as YAML; takes precedence over `table`.
  public var rules: String?
  /// The target, as on the command line: `top:1`, `class:967`, `unit:NODE/CHANNEL@Y,X` and so on.
  public var target: String?
  /// The method, as on the command line: `lrp`, `clrp1:against=282` and so on.
  public var method: String?
  /// Conditions that relevance must pass, such as `NODE/3+7`.
  public var through: [String] = []
  public var exclusive = true
  /// Whether the answer contains the conservation ledger.
  public var ledger = true
  /// Whether a PNG answer has the heatmap over the image, or alone.
  public var overlay = true
  public var node: String?
  public var nodes: [String] = []
  public var channels: [Int] = []
  public var channel: Int?
  /// The column and row of a pixel of the network's input.
  public var pixel: [Int]?
  /// The number of channels, units, classes or images in the answer.
  public var top: Int?
  /// The order of reference images: by `relevance` or by `activation`.
  public var order: String?
  /// The methods of a page.
  public var methods: [String] = []
  /// Identifies the client: requests of different clients take turns.
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

  /// Sets a field from a query parameter.
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
        "the query has an unknown field \(name.prefix(40)); expected model, fit, table, target, method, through, "
          + "exclusive, node, ledger, overlay or client")
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
        "the request has an unknown field \(key.stringValue.prefix(40)); expected one of "
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

  /// The target to explain.
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
          .unanswerable, "no class has the name \(name.prefix(60)); GET /api/models/NAME/labels lists the names")
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

  /// The method to explain it by.
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
    guard let value = self[keyPath: field] else { throw ServiceError(.malformed, "the request has no \(name)") }
    return value
  }
}
