import RelevanceExplanations
import RelevancePropagation

/// The share of a map's energy along the image border, which zero padding can increase. *Gu18* §5.2 excludes GoogLeNet
/// from its comparison for this reason.
///
/// The share within a frame of a given width is divided by the area of the frame: a map with uniform energy has a
/// density of 1. Objects are mostly in the center of an image, so a lower density is expected.
public struct BorderEnergy: NamedEvaluation {
  /// The width of the frame in pixels of the input.
  public var width = 8

  /// Makes the evaluation with a frame of 8 pixels.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    /// The fraction of pixels in the frame.
    package let area: Double
    /// The share of energy in the frame for each method; nil for a map of zeros.
    package let shares: [Double?]
    package let outermost: [Double?]
    package let outermostArea: Double
  }

  /// Prepares an evaluation that explains each image for the class with the highest logit.
  ///
  /// - Throws: `RelevanceKitError` if there are no images.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    subject.prepared(Self.self, try data.images(with: "pixels"), of: data, ["width": ["\(width)"]]) { image, item in
      let (tensor, trace) = try subject.run(image)
      let best = Target.class(trace.predictions()[0].classIndex)
      let maps = try subject.maps(of: [best], in: trace, item: item).map { $0[0] }
      let (height, columns) = (tensor.shape[2], tensor.shape[3])
      func area(_ width: Int) -> Double {
        let inside: Int = max(height - 2 * width, 0) * max(columns - 2 * width, 0)
        return 1 - Double(inside) / Double(height * columns)
      }
      return Record(
        area: area(width), shares: maps.map { $0.frameShare(width: width) },
        outermost: maps.map { $0.frameShare(width: 1) }, outermostArea: area(1))
    }
  }
}

extension SaliencyMap {
  /// The share of the energy within a number of pixels of the border; nil for a map of zeros.
  fileprivate func frameShare(width frame: Int) -> Double? {
    let energy = energy
    guard energy > 0 else { return nil }
    var inside = 0.0
    for row in min(frame, height)..<max(height - frame, min(frame, height)) {
      for column in min(frame, width)..<max(width - frame, min(frame, width)) {
        inside += Double(values[row * width + column])
      }
    }
    return max(0, 1 - inside / energy)
  }
}

extension BorderEnergy {
  public static let name = "border"
  package static let abstract =
    "Measures the share of a map's energy along the image border, which zero padding can increase."
  package static let discussion = """
    Each image is explained for the class with the highest logit. Use --rules to compare rule tables.

    Example: relevance evaluate border model.onnx val/ --rules paper --output paper
    """
  public static let parameters: [Parameter<Self>] = [
    .init(
      "width", \.width, "The width of the frame in pixels of the input.", in: "pixels", expected: "1 to 10000 pixels",
      where: (1...10_000).contains)
  ]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("width", in: 1...10_000)
      .number("an area", in: 1e-12...1) { [$0.area, $0.outermostArea] }
      .number("a share", in: JournalLimits.share) { ($0.shares + $0.outermost).compactMap(\.self) }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    record.shares.count == header.methods.count && record.outermost.count == header.methods.count
  }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let frame = journal.header.configuration["width"]?.first ?? ""
    let records = journal.parts { (record: Record) in [record] }
    let table = ResultTable(
      title: "Energy along the border",
      columns: ["method", "share within \(frame) pixels", "density there", "density of the outermost pixels"],
      methods: journal.header.methods
    ) { index in
      func cell(_ value: (Record) -> Double?) -> ResultTable.Cell {
        bootstrap.cell(.mean(Measurements(records, value)))
      }
      return [
        cell { $0.shares[index] }, cell { record in record.shares[index].map { $0 / record.area } },
        cell { record in record.outermost[index].map { $0 / record.outermostArea } },
      ]
    }
    return EvaluationResults(
      tables: [table],
      charts: [
        table.bars(
          "border", of: ["density there", "density of the outermost pixels"],
          label: "energy per pixel, relative to the mean")
      ],
      notes: [
        "\(journal.found) images, each explained for the class with the highest logit. A map with uniform energy has a "
          + "density of 1."
      ])
  }
}
