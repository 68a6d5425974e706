/// The unit or score to explain.
public enum Target: Hashable, Sendable {
  /// A class, by its number among the logits. If classes have scores at several positions (height and width, an anchor,
  /// a time step), the score at one position.
  case `class`(Int, at: [Int]? = nil)
  /// The class with the largest score (rank 1), or the class with a later rank.
  ///
  /// If classes have scores at several positions, the meaning depends on the layout. For candidates, such as those of a
  /// detector, it is the class with the best candidate, at the position of this candidate (`Candidate`). For the pixels
  /// of an image, it is the class that has the largest score at the most positions, at all of these positions; the
  /// background is ranked last. The rank is resolved after the network has run, for the first item of a batch.
  case top(_ rank: Int)
  /// A class at all positions where its score is the largest: the mean of its scores there. The positions are
  /// determined for each item of a batch.
  case region(Int)
  /// The box of a detector with the highest confidence (rank 1), or the box with a later rank: the score of its class
  /// at its position. Overlapping boxes are counted. The box is determined for each item of a batch
  /// (`Trace.boxes(ofItem:)`).
  case box(_ rank: Int)
  /// The cosine between the output, before a final softmax or sigmoid, and a reference, such as another embedding.
  case cosine(Reference)
  /// A unit of any node, measured by its activation: a channel at a position (height and width), or the whole channel
  /// if no position is given. A unit of a fully connected layer is a channel.
  case unit(node: String, channel: Int, position: [Int]? = nil)

  /// The number of the class; nil for a unit, a cosine, a rank and a box. A rank or a box may have a different class in
  /// each item.
  public var classIndex: Int? {
    switch self {
    case .class(let index, _), .region(let index): index
    case .unit, .top, .box, .cosine: nil
    }
  }

  /// The target in which a rank is replaced by its class.
  ///
  /// - Throws: `RelevanceKitError` for a rank that does not exist.
  func resolved(in trace: Trace) throws -> Target {
    guard case .top(let rank) = self else { return self }
    let ranked = Self.ranked(in: trace)
    guard rank >= 1, rank <= ranked.count else { throw ExplanationError.noSuchRank(rank, ranks: ranked.count) }
    return ranked[rank - 1]
  }

  /// The targets that the ranks represent, from the first.
  package static func ranked(in trace: Trace) -> [Target] {
    let layout = trace.layout
    guard layout.hasPositions else { return trace.predictions().map { .class($0.classIndex) } }
    if layout.isOfCandidates {
      return trace.candidates(ofItem: 0).map {
        .class($0.classIndex, at: layout.coordinates(ofPosition: $0.place))
      }
    }
    let regions = trace.regions[0].map { Target.region($0.classIndex) }
    let background = layout.background.map { Target.region($0) }
    return regions.filter { $0 != background } + regions.filter { $0 == background }
  }
}

extension Target: CustomStringConvertible {
  /// The target in its command-line form: `class:340`, `class:12@40,25`, `region:12`, `box:1`, `cosine:zebra.npy`,
  /// `unit:conv5/13`, `unit:conv5/13@6,7`.
  public var description: String {
    func text(_ position: [Int]?) -> String { position.map { "@" + $0.map(String.init).joined(separator: ",") } ?? "" }
    return switch self {
    case .class(let index, let position): "class:\(index)\(text(position))"
    case .region(let index): "region:\(index)"
    case .top(let rank): "top:\(rank)"
    case .box(let rank): "box:\(rank)"
    case .cosine(let reference): "cosine:\(reference.name)"
    case .unit(let node, let channel, let position): "unit:\(node)/\(channel)\(text(position))"
    }
  }

  /// Creates a target from its description. Nil for any other text, for a cosine, whose reference the text does not
  /// contain, and for a rank, because `top:3` stands for three targets on the command line. Node names can contain any
  /// characters; the last slash ends the name.
  public init?(_ description: String) {
    guard let colon = description.firstIndex(of: ":") else { return nil }
    let rest = description[description.index(after: colon)...]
    switch description[..<colon] {
    case "class":
      guard let (index, position) = Self.numbers(rest) else { return nil }
      self = .class(index, at: position)
    case "region":
      guard let (index, position) = Self.numbers(rest), position == nil else { return nil }
      self = .region(index)
    case "box":
      guard let (rank, position) = Self.numbers(rest), position == nil, rank > 0 else { return nil }
      self = .box(rank)
    case "unit":
      guard let slash = rest.lastIndex(of: "/"), slash > rest.startIndex,
        let (channel, position) = Self.numbers(rest[rest.index(after: slash)...])
      else { return nil }
      self = .unit(node: String(rest[..<slash]), channel: channel, position: position)
    default: return nil
    }
  }

  /// Reads `13` or `13@6,7`.
  private static func numbers(_ text: Substring) -> (first: Int, position: [Int]?)? {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard let first = parts.first.flatMap({ Int($0) }), first >= 0, parts.count <= 2 else { return nil }
    guard parts.count == 2 else { return (first, nil) }
    let position = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !position.isEmpty, position.allSatisfy({ $0 != nil && $0! >= 0 }) else { return nil }
    return (first, position.compactMap { $0 })
  }
}
