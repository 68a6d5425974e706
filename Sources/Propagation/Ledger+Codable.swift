import RelevanceNetworks

extension AbsorptionCause: Codable, CodingKeyRepresentable {}

extension LedgerEntry: Codable {
  private enum Key: String, CodingKey {
    case node, kind, rule, relevanceIn, relevanceOut, magnitudeIn, magnitudeOut, losses
  }

  /// Reads the format that `encode(to:)` writes.
  ///
  /// - Throws: The decoder's errors.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let name = try container.decode(String.self, forKey: .kind)
    self.init(
      node: try container.decode(String.self, forKey: .node),
      kind: OperatorKind(named: name) ?? OperatorKind(name, .function),
      rule: try container.decode(String.self, forKey: .rule),
      relevanceIn: try container.decode(Double.self, forKey: .relevanceIn),
      relevanceOut: try container.decode(Double.self, forKey: .relevanceOut),
      magnitudeIn: try container.decode(Double.self, forKey: .magnitudeIn),
      magnitudeOut: try container.decode(Double.self, forKey: .magnitudeOut),
      losses: try container.decode([AbsorptionCause: Double].self, forKey: .losses))
  }

  /// Writes the properties under their names, and the operator's family under its ONNX name.
  ///
  /// - Throws: The encoder's errors.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(node, forKey: .node)
    try container.encode(kind.name, forKey: .kind)
    try container.encode(rule, forKey: .rule)
    try container.encode(relevanceIn, forKey: .relevanceIn)
    try container.encode(relevanceOut, forKey: .relevanceOut)
    try container.encode(magnitudeIn, forKey: .magnitudeIn)
    try container.encode(magnitudeOut, forKey: .magnitudeOut)
    try container.encode(losses, forKey: .losses)
  }
}

extension Ledger: Codable {
  /// Reads a list of entries.
  ///
  /// - Throws: The decoder's errors.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode([LedgerEntry].self))
  }

  /// Writes the list of entries.
  ///
  /// - Throws: The encoder's errors.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Array(self))
  }
}
