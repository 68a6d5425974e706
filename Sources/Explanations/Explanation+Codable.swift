import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

extension CodingUserInfoKey {
  /// The `MethodCatalog` in which a decoder looks up the method of an explanation. The default is the standard catalog.
  /// Add your custom methods to the catalog before you decode.
  public static let methodCatalog = CodingUserInfoKey(rawValue: "io.relevancekit.methods")!
}

extension Explanation: Codable {
  private enum Key: String, CodingKey {
    case target, method, scores, scoreName, signedRelevance, ledger, completenessErrors, boxes, through, isExclusive,
      remarks
    case tokenShares
  }

  /// Decodes an explanation that `encode(to:)` wrote.
  ///
  /// - Throws: `RelevanceKitError` for a method that is not in the catalog (`CodingUserInfoKey.methodCatalog`), and
  ///   errors of the decoder.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let catalog = decoder.userInfo[.methodCatalog] as? MethodCatalog ?? .standard
    let scores = try container.decode([Float].self, forKey: .scores)
    guard !scores.isEmpty else {
      throw DecodingError.dataCorruptedError(forKey: .scores, in: container, debugDescription: "expected a score")
    }
    self.init(
      target: try container.decode(Target.self, forKey: .target),
      method: try catalog.method(parsing: container.decode(String.self, forKey: .method)), scores: scores,
      scoreName: try container.decode(String.self, forKey: .scoreName),
      signedRelevance: try container.decode(Tensor.self, forKey: .signedRelevance),
      ledger: try container.decode(Ledger.self, forKey: .ledger),
      completenessErrors: try container.decodeIfPresent([Float].self, forKey: .completenessErrors))
    boxes = try container.decodeIfPresent([Candidate].self, forKey: .boxes) ?? []
    conditions = try container.decodeIfPresent([Condition].self, forKey: .through) ?? []
    isExclusive = try container.decodeIfPresent(Bool.self, forKey: .isExclusive) ?? true
    remarks = try container.decodeIfPresent([String].self, forKey: .remarks) ?? []
    tokenShares = try container.decodeIfPresent([TokenShare].self, forKey: .tokenShares) ?? []
  }

  /// Encodes target and method in their command-line form (`class:340`, `clrp1:strength=1.5`), the scores, the map and
  /// the ledger.
  ///
  /// - Throws: Errors of the encoder, such as the error of `JSONEncoder` for numbers that are not finite.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(target, forKey: .target)
    try container.encode(method.description, forKey: .method)
    try container.encode(scores, forKey: .scores)
    try container.encode(scoreName, forKey: .scoreName)
    try container.encode(signedRelevance, forKey: .signedRelevance)
    try container.encode(ledger, forKey: .ledger)
    try container.encodeIfPresent(completenessErrors, forKey: .completenessErrors)
    if !boxes.isEmpty { try container.encode(boxes, forKey: .boxes) }
    if !conditions.isEmpty {
      try container.encode(conditions, forKey: .through)
      try container.encode(isExclusive, forKey: .isExclusive)
    }
    if !remarks.isEmpty { try container.encode(remarks, forKey: .remarks) }
    if !tokenShares.isEmpty { try container.encode(tokenShares, forKey: .tokenShares) }
  }
}

extension Target: Codable {
  /// Decodes a target in its command-line form, such as `class:340`, or `top:2` for one rank. A cosine is decoded with
  /// its reference.
  ///
  /// - Throws: `DecodingError` for other texts, and errors of the decoder.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let reference = try? container.decode([String: Reference].self)["cosine"] {
      self = .cosine(reference)
      return
    }
    let text = try container.decode(String.self)
    let rank = text.hasPrefix("top:") ? Int(text.dropFirst(4)) : nil
    guard let target = rank.map(Target.top) ?? Target(text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "expected a target like class:340, region:3, unit:conv5/13@6,7 or top:1; found \(text)")
    }
    self = target
  }

  /// Encodes the description, or the reference of a cosine under the key `cosine`.
  ///
  /// - Throws: Errors of the encoder.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if case .cosine(let reference) = self {
      try container.encode(["cosine": reference])
    } else {
      try container.encode(description)
    }
  }
}

extension Explanation: CustomStringConvertible {
  /// A few lines: the target, method and score; a summary of the map and the ledger; and warnings.
  ///
  /// - Complexity: O(elements of the map, entries of the ledger).
  public var description: String {
    let unit = quantity
    var lines = [
      "\(target) by \(method)\(conditions.map { " through \($0)" }.joined()): score \(scores.map { "\($0)" }.joined(separator: ", "))",
      "  map in \(unit): \(relevance)",
    ]
    if !ledger.isEmpty {
      lines.append("  ledger: \(ledger.count) nodes, \(Float(ledger.absorbed)) absorbed")
    }
    return (lines + warnings.map { "  " + $0 }).joined(separator: "\n")
  }
}

extension RuleLab.Observation: CustomStringConvertible {
  /// One line: the rule, and the sum, negative share and concentration of its relevance.
  public var description: String {
    "\(rule) at \(ledger.node): sum \(Float(sum)), negative \(Float(negativeShare)), Gini \(Float(giniCoefficient))"
  }
}
