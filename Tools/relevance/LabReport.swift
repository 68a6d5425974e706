import Foundation
import RelevanceKit

/// The results of the lab as a table and as files.
struct LabReport {
  /// The line above the table.
  var title = ""
  private let observations: [RuleLab.Observation]
  private let hasSweep: Bool
  /// Descriptions of the written files.
  private var files: [String] = []

  init(_ observations: [RuleLab.Observation], hasSweep: Bool) {
    self.observations = observations
    self.hasSweep = hasSweep
  }

  /// The layer, its operator, and the shape of the operand whose relevance is shown.
  var layer: String {
    let (entry, shape) = (observations[0].ledger, observations[0].relevance.shape)
    return "\(entry.node) (\(entry.kind)), input \(observations[0].operand) \(shape)"
  }

  /// Whether no relevance reached the layer.
  var isEmpty: Bool { observations[0].ledger.magnitudeIn == 0 }

  /// The causes of absorption that are possible at a single layer.
  private static let causes = AbsorptionCause.allCases.filter { $0 != .clipped && $0 != .condition }

  // MARK: The table

  /// The title, the table, and the written files.
  var text: String {
    var columns: [(title: String, cells: [String])] = [("RULE", observations.map(\.rule))]
    // The same number of decimals in all columns, so that rows add up: five significant digits of IN.
    let magnitude = observations[0].ledger.magnitudeIn
    let decimals = magnitude == 0 ? 0 : min(max(4 - magnitude.powerOfTen, 0), 12)
    func relevance(_ value: Double) -> String { Self.fixed(value, decimals) }
    columns.append(("IN", observations.map { relevance($0.ledger.relevanceIn) }))
    columns.append(("OUT", observations.map { relevance($0.ledger.relevanceOut) }))
    for cause in Self.causes {
      let cells = observations.map { relevance($0.ledger.losses[cause] ?? 0) }
      if cells.contains(where: { $0 != relevance(0) }) { columns.append((cause.title, cells)) }
    }
    // Only one operand of a layer is shown, whose sum can differ from OUT.
    let sums = observations.map { relevance($0.sum) }
    if sums != columns[2].cells { columns.append(("SUM", sums)) }
    columns.append(("NEGATIVE", observations.map { Self.fixed($0.negativeShare * 100, 1) + " %" }))
    columns.append(("GINI", observations.map { Self.fixed($0.giniCoefficient, 3) }))
    if observations.count > 1 {
      let comparisons = comparisonsWithFirst
      columns.append(("DISTANCE", comparisons.map { $0.map { Self.fixed($0.distance, 3) } ?? "–" }))
      columns.append(("COSINE", comparisons.map { $0.map { Self.fixed($0.cosine, 3) } ?? "–" }))
    }
    if hasSweep { columns.append(("STEP", steps.map { $0.map { Self.fixed($0, 3) } ?? "–" })) }
    let rows = [columns.map(\.title)] + observations.indices.map { row in columns.map { $0.cells[row] } }
    return ([title.printable, Columns.text(rows, rightAligned: 1...)] + files.map(\.printable)).joined(separator: "\n")
  }

  private var comparisonsWithFirst: [RuleLab.Comparison?] {
    observations.enumerated().map { $0 == 0 ? nil : $1.compared(with: observations[0]) }
  }

  /// The distance of each map from the previous one.
  private var steps: [Double?] {
    observations.indices.map { $0 == 0 ? nil : observations[$0].compared(with: observations[$0 - 1]).distance }
  }

  /// A number with a fixed number of decimals, without a negative zero.
  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", value)
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  // MARK: Files

  /// Writes the requested files. Everything is computed before the first file is written.
  mutating func write(_ kinds: Set<Lab.Kind>, to folder: String) throws {
    let url = URL(fileURLWithPath: folder)
    let figure =
      kinds.contains(.png)
      ? try LabFigure(
        observations.map(\.relevance), rules: observations.map(\.rule),
        title: "Relevance of \(observations[0].operand) by rule at \(observations[0].ledger.node)") : nil
    try makeFolder(url)
    if kinds.contains(.csv) {
      try writeFile(Data(csv(namesFiles: kinds.contains(.npy)).utf8), to: url.appendingPathComponent("lab.csv"))
      files.append("\(folder)/lab.csv: the table")
    }
    if kinds.contains(.npy) {
      for (index, observation) in observations.enumerated() {
        let shape = observation.relevance.shape
        let item = shape.rank > 1 && shape[0] == 1 ? TensorShape(Array(shape.dimensions.dropFirst())) : shape
        try NumPyFile.write(
          observation.relevance.reshaped(to: item), to: url.appendingPathComponent(fileName(index)).path)
      }
      files.append(
        "\(folder)/\(fileName(0))\(observations.count > 1 ? " etc." : ""): relevance of \(observations[0].operand)"
      )
    }
    if let figure {
      try figure.image.writePNG(to: url.appendingPathComponent("lab.png").path)
      files.append("\(folder)/lab.png: \(figure.caption)")
    }
  }

  /// A file name such as `02-epsilon.npy` or, in a sweep, `02-epsilon-epsilon-0.01.npy`.
  private func fileName(_ index: Int) -> String {
    let rule = observations[index].rule
    func isPlain(_ character: Character) -> Bool { character.isASCII && (character.isLetter || character.isNumber) }
    let parts = rule.split { !isPlain($0) && $0 != "." && $0 != "-" && $0 != "_" }
    let name = hasSweep ? parts.joined(separator: "-").prefix(120) : rule.prefix(while: isPlain)
    let digits = max(2, String(observations.count).count)
    return String(format: "%0\(digits)d", index + 1) + "-\(name).npy"
  }

  private func csv(namesFiles: Bool) -> String {
    var rows = [
      ["rule", "relevance_in", "relevance_out"]
        + Self.causes.map { "lost_" + $0.title.lowercased().replacing(" ", with: "_") } + [
          "sum", "negative_share", "gini", "distance_from_first", "cosine_to_first", "distance_from_previous",
        ] + (namesFiles ? ["file"] : [])
    ]
    let (comparisons, steps) = (comparisonsWithFirst, steps)
    for (index, one) in observations.enumerated() {
      let numbers: [Double?] =
        [one.ledger.relevanceIn, one.ledger.relevanceOut] + Self.causes.map { one.ledger.losses[$0] ?? 0 } + [
          one.sum, one.negativeShare, one.giniCoefficient, comparisons[index]?.distance, comparisons[index]?.cosine,
          steps[index],
        ]
      rows.append(
        [CommaSeparatedValues.field(text: one.rule, quoted: true)] + numbers.map { $0.map { "\($0)" } ?? "" }
          + (namesFiles ? [fileName(index)] : []))
    }
    return CommaSeparatedValues.text(rows)
  }
}

/// Maps in a grid on one scale, each with its rule, above a color bar.
struct LabFigure {
  let image: RGBImage
  let caption: String

  /// The side of enlarged maps, in pixels.
  private static let side = 176
  private static let columns = 4

  init(_ maps: [Tensor], rules: [String], title: String) throws {
    let planes = try maps.map(Self.plane)
    let scale = try HeatmapScale.common(planes)
    let colors = HeatmapColors(for: planes, limit: try Heatmap(planes[0], scale: scale).limit)
    let heatmaps = try planes.map { try Heatmap($0, scale: scale, colors: colors) }
    let (width, height) = (heatmaps[0].width, heatmaps[0].height)
    let pixels = max(1, Self.side / max(width, height, 1))
    let cells = try zip(heatmaps, rules).map { heatmap, rule in
      LabeledMontage.Cell(
        try heatmap.image(pixelsPerPosition: pixels), caption: rule.replacing("(", with: "\n(", maxReplacements: 1))
    }
    let rows = stride(from: 0, to: cells.count, by: Self.columns).map {
      LabeledMontage.Row(Array(cells[$0..<min($0 + Self.columns, cells.count)]))
    }
    image = LabeledMontage(title: title, rows: rows, colorBar: ColorBar(heatmaps[0])).image()
    caption =
      (maps.count > 1 ? "\(maps.count) maps in the order of the table" : "the map of the rule")
      + (maps[0].shape.rank == 4 ? ", summed over channels" : "")
      + String(
        format:
          "; \(colors == .diverging ? "red supports, blue contradicts" : "all colors support"), full color at %.4g",
        heatmaps[0].limit)
  }

  /// The values to draw: the sum over the channels or, without positions, the channels in a rectangle that is nearly a
  /// square.
  private static func plane(_ relevance: Tensor) throws -> Tensor {
    if relevance.shape.rank == 4, relevance.shape[0] == 1 { return try Heatmap.channelSum(relevance) }
    let width = max(1, Int(Double(relevance.count).squareRoot().rounded(.up)))
    let height = max(1, (relevance.count + width - 1) / width)
    let missing = height * width - relevance.count
    return Tensor(shape: [height, width], elements: relevance.elements + [Float](repeating: 0, count: missing))
  }
}
