import Explanations
import Imaging
import Tensors

/// How much of maps lies along the picture's border: what zero padding does to them. *Gu18* §5.2 leaves GoogLeNet out of its
/// comparison for this reason.
///
/// The frame of a given width is compared with the area that it covers: a density of 1 is what a map without preference for places
/// has. Objects are mostly in the middle, so less is to be expected.
public struct BorderEnergy: ItemwiseEvaluation {
  private let subject: Subject
  private let images: [LabelledImage]
  private let width: Int
  public let configuration: [String: [String]]

  /// Prepares to evaluate; the class with the highest logit is explained. The frame is `width` pixels of the input wide.
  ///
  /// - Throws: `EvaluationError.nothingToEvaluate` if there are no pictures.
  public init(_ subject: Subject, on data: DataSet, width: Int = 8) throws {
    guard !data.images.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: "pixels") }
    images = data.images
    self.subject = subject
    self.width = width
    configuration = subject.configuration.merging(
      ["data": [data.name, data.fingerprint.hexadecimal], "width": ["\(width)"]]) { $1 }
  }

  public var items: [String] { images.map(\.name) }

  /// What was found for a picture.
  public struct Record: EvaluationRecord {
    /// The share of the pixels that are in the frame.
    public let area: Double
    /// The share of the energy in the frame, of each method; nil for a map of zeros.
    public let shares: [Double?]
    /// The share of the energy in the outermost pixels.
    public let outermost: [Double?]
    /// The share of the pixels that are outermost.
    public let outermostArea: Double
  }

  public func record(of item: Int) throws -> Record {
    let image = images[item]
    let tensor = try subject.input(image).tensor
    let trace = try subject.trace(tensor, of: image.path)
    let best = Target.class(trace.predictions()[0].classIndex)
    let maps = try subject.maps(of: [best], in: trace, item: item).map { $0[0] }
    let (height, columns) = (tensor.shape[2], tensor.shape[3])
    func area(_ width: Int) -> Double {
      1 - Double(max(height - 2 * width, 0) * max(columns - 2 * width, 0)) / Double(height * columns)
    }
    return Record(
      area: area(width), shares: maps.map { $0.frameShare(width: width) },
      outermost: maps.map { $0.frameShare(width: 1) }, outermostArea: area(1))
  }
}

extension SaliencyMap {
  /// The share of the energy within so many pixels of the border; nil for a map of zeros.
  public func frameShare(width frame: Int) -> Double? {
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

extension BorderEnergy.Record {
  public static var evaluation: String { "border" }

  public func fits(_ header: JournalHeader) -> Bool {
    shares.count == header.methods.count && outermost.count == header.methods.count
  }

  public static func results(of journal: Journal<Self>, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let frame = journal.header.configuration["width"]?.first ?? ""
    var table = ResultTable(
      title: "Energy along the border",
      columns: ["method", "share within \(frame) pixels", "density there", "density of the outermost pixels"])
    for (index, method) in methods.enumerated() {
      func cell(_ value: (Self) -> Double?) -> ResultTable.Cell {
        var measured = Measurements()
        for (item, record) in journal.records { if let found = value(record) { measured.append(found, item: item) } }
        return bootstrap.cell(.mean(measured))
      }
      table.rows.append([
        .text(method), cell { $0.shares[index] }, cell { record in record.shares[index].map { $0 / record.area } },
        cell { record in record.outermost[index].map { $0 / record.outermostArea } },
      ])
    }
    return EvaluationResults(
      tables: [table],
      charts: [
        EvaluationChart(
          "border",
          table.bars(
            of: ["density there", "density of the outermost pixels"], title: "Energy along the border",
            label: "energy per pixel, relative to the mean"))
      ],
      notes: [
        "\(journal.records.count) pictures, each explained for its best class. A density of 1 is that of a map without preference for places."
      ])
  }
}
