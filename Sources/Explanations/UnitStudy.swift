import RelevanceSupport
import RelevanceTensors

/// A study of the most active units of a layer: the parts of an input that each unit responds to, and whether these
/// parts differ. *Gu18* §5.3, Fig. 5.
///
/// Each unit is explained by LRP, whose maps hardly differ between units, and by CLRP2, which shows what makes the unit
/// more active than its negation. To test the CLRP2 map of a unit, the patch at its maximum is replaced: this unit
/// should lose more of its activation than the others. Several units can respond to the same part; they are grouped by
/// their CLRP2 maps.
/// ```swift
/// let study = try UnitStudy(try explainer.trace(image), at: "fc1")
/// for (unit, group) in zip(study.units, study.clusters.groups) { print(unit.channel, unit.activation, group) }
/// print(study.ablation.ownShare, study.ablation.meanOwnDrop, study.ablation.meanOtherDrop)
/// ```
public struct UnitStudy: Sendable {
  /// The settings of a study.
  public struct Options: Sendable {
    /// The number of units, at least 2.
    public var count = 8
    /// The side length of the patches in pixels; an odd number.
    public var patchSide = 9
    /// The values that replace patches.
    public var replacement = PatchAblation.Replacement.mean

    /// The settings of the paper, except for the replacement, for which the paper uses the mean of a data set.
    public init() {}
  }

  /// The units in descending order of activation.
  public let units: [ActiveUnit]
  /// The LRP map of each unit: 1 × channels × height × width, the shape of all maps.
  public let relevance: [Tensor]
  /// The CLRP2 map of each unit, without negative values.
  public let contrast: [Tensor]
  /// The effect on the units when the patches at the maxima of the CLRP2 maps are replaced.
  public let ablation: PatchAblation
  /// The effect for the maxima of the LRP maps, as a baseline.
  package let lrpAblation: PatchAblation
  /// The n×n cosines between the CLRP2 maps, summed over channels; 1 if two units respond to the same parts.
  public let similarity: Tensor
  /// Groups of units, clustered by the fourth power of these cosines.
  ///
  /// Nonnegative maps are never orthogonal, because all of them contain some background. By their cosines alone, all
  /// units would form one group. Powers of similarities preserve strong ties and cut weak ones (B. Zhang and S.
  /// Horvath, “A general framework for weighted gene co-expression network analysis”, Statistical Applications in
  /// Genetics and Molecular Biology 4(1), 2005: soft thresholding).
  public let clusters: SpectralClustering

  /// Studies the units of a layer.
  ///
  /// If the task is canceled, the initializer stops after the current group of units or runs.
  ///
  /// - Parameters:
  ///   - trace: a run of one image, of shape 1 × channels × height × width.
  ///   - node: the layer: fully connected, convolutional, or a rectifier after one.
  ///   - options: the number of units, and the patches and their replacement.
  /// - Throws: `RelevanceKitError` for options, a layer or an input that do not allow a study; `CancellationError` if
  ///   the task is canceled.
  /// - Complexity: one backward pass per unit for each of the two methods, and two runs of the network per unit.
  public init(_ trace: Trace, at node: String, options: Options = Options()) throws {
    guard options.count > 1 else {
      throw SimpleError("a study of \(options.count) units; expected at least 2, so that they can be compared", .usage)
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

  /// The mean cosine between the units of a group; 1 for a single unit.
  package func cohesion(ofGroup group: Int) -> Double {
    let members = clusters.members[group]
    let pairs = members.flatMap { i in members.filter { $0 > i }.map { Double(similarity[i, $0]) } }
    return pairs.isEmpty ? 1 : pairs.reduce(0, +) / Double(pairs.count)
  }

  /// The mean drop of a unit when the patch of another unit is replaced, for pairs within a group or across groups; nil
  /// if there are no such pairs. If the groups respond to different parts, the drop within groups is larger.
  package func meanDrop(byPatchesOfOwnGroup isOwn: Bool) -> Double? {
    let pairs = units.indices.filter { ablation.patches[$0] != nil }.flatMap { row in
      units.indices.filter { $0 != row && (clusters.groups[$0] == clusters.groups[row]) == isOwn }.map {
        Double(ablation.drops[row, $0])
      }
    }
    return pairs.isEmpty ? nil : pairs.reduce(0, +) / Double(pairs.count)
  }

  /// Cosines of the maps; 1 on the diagonal, even for maps of zeros.
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

  /// CLRP2 negates the weights of the last layer before a unit, so only linear operators can be between this layer and
  /// the unit.
  private static func checkContrast(at node: String, in trace: Trace) throws {
    let graph = trace.plan.network.graph
    let id = try graph.requiredNode(named: node)
    do { _ = try LinearHead(from: id, in: graph) } catch ExplanationError.noWeightedHead(let between, let op) {
      var candidates = graph[try graph.requiredNode(named: between)].inputs
      // Candidates are tried nearest first, and the operands of a node in order.
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
  /// The sum over the channels of a 1 × channels × height × width tensor: height × width.
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

/// A reason why units cannot be studied.
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
      "patches need an input of shape 1×channels×height×width, but the network's input has shape \(shape)"
    case .replacement(let expected, let found):
      "the replacement of patches has shape \(found); expected \(expected), the shape of the input"
    case .tooFewActive(let node, let expected, let found):
      "node \(node): expected \(expected) active units, found \(found) above zero"
    case .noContrast(let node, let between, let op, let suggestion):
      "clrp2 negates the weights of the last layer before a unit, but "
        + (node == between
          ? "node \(node) has operator \(op)" : "node \(between) (\(op)) is between this layer and node \(node)")
        + (suggestion.map { "; try \($0), a layer before it" } ?? "")
    }
  }
}
