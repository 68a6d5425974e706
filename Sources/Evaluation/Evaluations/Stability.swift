import RelevanceExplanations
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// Measures how much maps change when a little noise is added to the image. (C.-K. Yeh et al., “On the (in)fidelity and
/// sensitivity of explanations”, NeurIPS 2019, §4: maximum sensitivity, here relative to the map.) A map that does not
/// depend on the image is stable too.
public struct Stability: NamedEvaluation {
  /// The number of noisy copies of an image that are explained.
  public var samples = 5
  /// The largest noise, as a fraction of the range of pixels. Noise is uniform and does not exceed this range.
  public var noise = 0.02
  /// The seed of the noise, which also depends on the image.
  public var seed: UInt64 = 0

  /// Makes the evaluation with 5 copies and noise of 2 %.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    package struct Change: Codable, Sendable {
      /// The largest distance between the map of a noisy copy and that of the image, relative to the norm of the latter
      /// (L2).
      package let largest: Double
      package let similarity: MapSimilarity
    }

    /// The change of each method's map; nil for a map of zeros.
    package let changes: [Change?]
  }

  /// Prepares an evaluation that explains each image and noisy copies of it for the class with the highest logit.
  ///
  /// - Throws: `RelevanceKitError` if there are no images.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let configuration = ["samples": ["\(samples)"], "noise": ["\(noise)"], "seed": ["\(seed)"]]
    return subject.prepared(Self.self, try data.images(with: "pixels"), of: data, configuration) { image, item in
      let (tensor, trace) = try subject.run(image)
      let best = Target.class(trace.predictions()[0].classIndex)
      let (range, plane) = (subject.preprocessing.pixelRange, tensor.shape[2] * tensor.shape[3])
      var generator = SplitMix64(state: seed &+ UInt64(item) &* 0x9E37_79B9)
      func noisyCopy() -> Tensor {
        let elements = tensor.elements.enumerated().map { index, value in
          let (lower, upper) = (range.lower[index / plane], range.upper[index / plane])
          let moved = value + Float(noise) * (upper - lower) * (2 * generator.nextUniform() - 1)
          return min(max(moved, lower), upper)
        }
        return Tensor(shape: tensor.shape, elements: elements)
      }
      // Random maps differ between copies, so that their similarity is the chance level.
      let copies = try (0...samples).map { copy in
        let run = copy == 0 ? trace : try subject.trace(noisyCopy(), of: image.path)
        return try subject.maps(of: [best], in: run, item: item * (samples + 1) + copy).map { $0[0] }
      }
      return Record(
        changes: subject.methods.indices.map { method in
          let (map, others) = (copies[0][method], copies.dropFirst().map { $0[method] })
          guard map.maximum != nil else { return nil }
          let pairs = others.map { MapSimilarity.mean(of: [map, $0])! }
          return Record.Change(
            largest: others.map { map.distance(to: $0) }.max()!,
            similarity: MapSimilarity(
              cosine: pairs.reduce(0) { $0 + $1.cosine } / Double(samples),
              rankCorrelation: pairs.reduce(0) { $0 + $1.rankCorrelation } / Double(samples)))
        })
    }
  }
}

extension SaliencyMap {
  /// The distance to another map, relative to the norm of this one (L2).
  fileprivate func distance(to other: SaliencyMap) -> Double {
    func length(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return length(zip(values, other.values).map { Double($0) - Double($1) }) / length(values.map(Double.init))
  }
}

extension Stability {
  public static let name = "stability"
  package static let abstract = "Measures how much maps change when a little noise is added to the image."
  package static let discussion = """
    Each image and copies of it with noise are explained for the class with the highest logit. The report lists the \
    largest change of the map (L2, relative to the map), and the mean cosine and rank correlation of the maps.

    Example: relevance evaluate stability squeezenet1.1 val/ --limit 100 --noise 0.05
    """
  public static let parameters: [Parameter<Self>] = [
    .init(
      "samples", \.samples, "The number of noisy copies of an image.", in: "n", expected: "1 to 1000",
      where: (1...1000).contains),
    .init(
      "noise", \.noise, "The largest noise, as a fraction of the range of pixels.", in: "fraction",
      expected: "0 to 1", where: (0...1).contains),
  ]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .number("a change", in: 0...JournalLimits.ratio.upperBound) { $0.changes.compactMap { $0?.largest } }
      .number("a correlation", in: JournalLimits.correlation) { $0.changes.flatMap { $0?.similarity.values ?? [] } }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    record.changes.count == header.methods.count
  }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let records = journal.parts { (record: Record) in [record] }
    let table = ResultTable(
      title: "Stability under noise", columns: ["method", "largest change", "cosine", "rank correlation"],
      methods: journal.header.methods
    ) { index in
      func cell(_ value: (Record.Change) -> Double) -> ResultTable.Cell {
        bootstrap.cell(.mean(Measurements(records) { $0.changes[index].map(value) }))
      }
      return [cell(\.largest), cell(\.similarity.cosine), cell(\.similarity.rankCorrelation)]
    }
    return EvaluationResults(
      tables: [table],
      charts: [table.bars("stability", of: ["largest change"], label: "change of the map")],
      notes: [
        "\(journal.found) images, each explained for the class with the highest logit. A map that does not depend on "
          + "the image is stable too."
      ])
  }
}
