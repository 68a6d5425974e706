import RelevanceSupport
import RelevanceTensors

/// What the most active units of a layer see in an input, and whether each of them sees something else. *Gu18* §5.3, Fig. 5.
///
/// Each unit is explained by LRP, whose maps hardly differ, and by CLRP2, which shows what makes the unit more active than
/// its negation. The claim is tested: the patch at the maximum of each unit's CLRP2 map is replaced, and this unit should
/// lose more of its activation than the others. Many units see the same thing; they are grouped by their CLRP2 maps.
/// ```swift
/// let study = try UnitStudy(try explainer.trace(image), at: "fc1")
/// for (unit, group) in zip(study.units, study.clusters.groups) { print(unit.channel, unit.activation, group) }
/// print(study.ablation.ownShare, study.ablation.meanOwnDrop, study.ablation.meanOtherDrop)
/// ```
public struct UnitStudy: Sendable {
  /// What is studied and how.
  public struct Options: Sendable {
    /// How many units, 2 or more.
    public var count = 8
    /// The side of the patches in pixels, odd.
    public var patchSide = 9
    /// What patches are replaced by.
    public var replacement = PatchAblation.Replacement.mean

    /// The paper's choices, but for the replacement, which needs a data set there.
    public init() {}
  }

  /// The units by falling activation.
  public let units: [ActiveUnit]
  /// The LRP map of each unit: 1 × channels × height × width, as every other map.
  public let relevance: [Tensor]
  /// The CLRP2 map of each unit, not negative.
  public let contrast: [Tensor]
  /// What replacing the patches at the maxima of the CLRP2 maps does to the units.
  public let ablation: PatchAblation
  /// The same at the maxima of the LRP maps: what the contrast is better than, or is not.
  package let lrpAblation: PatchAblation
  /// n×n, the cosines of the CLRP2 maps, summed over channels: 1 if two units see the same.
  public let similarity: Tensor
  /// The units in groups by the fourth power of these cosines.
  ///
  /// Maps that are not negative are never quite unlike each other, since all have some background; by their cosines alone
  /// everything would be one group. Powers of similarities keep strong ties and cut weak ones (B. Zhang and S. Horvath, “A
  /// general framework for weighted gene co-expression network analysis”, Statistical Applications in Genetics and
  /// Molecular Biology 4(1), 2005: soft thresholding).
  public let clusters: SpectralClustering

  /// Studies the units of a layer.
  ///
  /// - Parameters:
  ///   - trace: a run of one image, of shape 1 × channels × height × width.
  ///   - node: the layer: fully connected, convolutional, or a rectifier behind one.
  ///   - options: how many units, and what becomes of their patches.
  /// In a task that is cancelled it ends after the group of units or runs that it is at.
  ///
  /// - Throws: `RelevanceKitError`; `CancellationError`.
  /// - Complexity: one backward pass per unit for each of both methods, and 2 runs of the network per unit.
  public init(_ trace: Trace, at node: String, options: Options = Options()) throws {
    guard options.count > 1 else {
      throw SimpleError("a study of \(options.count) units; expected 2 or more, which can be compared", .usage)
    }
    guard options.patchSide > 0, options.patchSide % 2 == 1 else {
      throw SimpleError("patches of side \(options.patchSide); expected an odd number of pixels", .usage)
    }
    guard trace.batch == 1 else {
      throw SimpleError("a study of a run of \(trace.batch) images; expected one", .usage)
    }
    let input = trace.input.shape
    guard input.rank == 4, !trace.plan.network.hasChannelsLast else { throw UnitStudyError.noImage(input) }
    try Self.check(options.replacement, for: input)
    let units = try trace.mostActiveUnits(at: node, count: options.count)
    try Self.checkContrast(at: node, in: trace)
    guard units.count == options.count else {
      throw UnitStudyError.tooFewActive(node: node, expected: options.count, found: units.count)
    }
    let targets = units.map(\.target)
    let relevance = try trace.explain(targets, by: .lrp, ledger: false).map(\.relevance)
    let contrast = try trace.explain(targets, by: .clrp2, ledger: false).map(\.relevance)
    func ablation(_ maps: [Tensor]) throws -> PatchAblation {
      try PatchAblation(
        of: units, maps: maps, side: options.patchSide, by: options.replacement, in: trace)
    }
    let maps = contrast.map(\.channelSum)
    (self.units, self.relevance, self.contrast) = (units, relevance, contrast)
    self.ablation = try ablation(maps)
    lrpAblation = try ablation(relevance.map(\.channelSum))
    let similarity = Self.similarity(of: maps)
    self.similarity = similarity
    clusters = try SpectralClustering(similarity: similarity.map { $0 * $0 * $0 * $0 })
  }

  /// The mean cosine of the units of a group to each other; 1 for a unit alone.
  package func cohesion(ofGroup group: Int) -> Double {
    let members = clusters.members[group]
    let pairs = members.flatMap { i in members.filter { $0 > i }.map { Double(similarity[i, $0]) } }
    return pairs.isEmpty ? 1 : pairs.reduce(0, +) / Double(pairs.count)
  }

  /// The mean drop of units when the patch of another unit is replaced, one of their own group or of other groups; nil if
  /// there are no such pairs. Groups that see something of their own lose more by each other's patches than by others'.
  package func meanDrop(byPatchesOfOwnGroup isOwn: Bool) -> Double? {
    let pairs = units.indices.filter { ablation.patches[$0] != nil }.flatMap { row in
      units.indices.filter { $0 != row && (clusters.groups[$0] == clusters.groups[row]) == isOwn }.map {
        Double(ablation.drops[row, $0])
      }
    }
    return pairs.isEmpty ? nil : pairs.reduce(0, +) / Double(pairs.count)
  }

  /// Cosines; a map is like itself even if it is empty.
  private static func similarity(of maps: [Tensor]) -> Tensor {
    var result = Tensor(shape: [maps.count, maps.count], repeating: 1)
    for i in maps.indices {
      for j in 0..<i {
        result[i, j] = Float(max(0, maps[i].cosine(to: maps[j])))
        result[j, i] = result[i, j]
      }
    }
    return result
  }

  private static func check(_ replacement: PatchAblation.Replacement, for input: TensorShape) throws {
    switch replacement {
    case .mean: break
    case .pixel(let pixel):
      guard pixel.count == input[1] else {
        throw UnitStudyError.replacement(expected: input, found: [1, pixel.count, 1, 1])
      }
    case .image(let image):
      guard image.shape == input else { throw UnitStudyError.replacement(expected: input, found: image.shape) }
    }
  }

  /// CLRP2 negates the weights of the last layer before a unit, so that only linear operations may lie between.
  private static func checkContrast(at node: String, in trace: Trace) throws {
    let graph = trace.plan.network.graph
    let id = try graph.requiredNode(named: node)
    do { _ = try LinearHead(from: id, in: graph) } catch ExplanationError.noWeightedHead(let between, let op) {
      var candidates = graph[try graph.requiredNode(named: between)].inputs
      // Nearest first, and of several operands the first.
      var suggestion: String?
      while suggestion == nil, !candidates.isEmpty {
        let next = candidates.removeFirst()
        if next != trace.plan.network.input, trace.reaches(next), (try? LinearHead(from: next, in: graph)) != nil {
          suggestion = graph[next].name
        } else {
          candidates += graph[next].inputs
        }
      }
      throw UnitStudyError.noContrast(node: graph[id].name, between: between, operator: op, suggestion: suggestion)
    }
  }
}

extension Tensor {
  /// Of 1 × channels × height × width what remains when channels are added up: height × width.
  fileprivate var channelSum: Tensor {
    let plane = shape[2] * shape[3]
    return Tensor(uninitialized: [shape[2], shape[3]]) { sum in
      sum.update(repeating: 0)
      withUnsafeElements { r in
        for channel in 0..<shape[1] { for i in 0..<plane { sum[i] += r[channel * plane + i] } }
      }
    }
  }
}

/// Units that cannot be studied.
package enum UnitStudyError: RelevanceKitError, Equatable {
  case noImage(TensorShape)
  case replacement(expected: TensorShape, found: TensorShape)
  case tooFewActive(node: String, expected: Int, found: Int)
  case noContrast(node: String, between: String, operator: String, suggestion: String?)

  package var category: ErrorCategory {
    switch self {
    case .replacement, .noContrast: .usage
    case .noImage, .tooFewActive: .badData
    }
  }

  package var description: String {
    switch self {
    case .noImage(let shape):
      "patches need an input of shape 1×channels×height×width, and the network takes \(shape)"
    case .replacement(let expected, let found):
      "what patches are replaced by has to fit the input: expected shape \(expected), found \(found)"
    case .tooFewActive(let node, let expected, let found):
      "node \(node): expected \(expected) active units, found \(found) above zero"
    case .noContrast(let node, let between, let op, let suggestion):
      "clrp2 negates the weights of the last layer before a unit, but "
        + (node == between ? "node \(node) is \(op)" : "between it and node \(node) lies \(between) (\(op))")
        + (suggestion.map { "; try \($0), a layer before it" } ?? "")
    }
  }
}
