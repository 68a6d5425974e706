import RelevanceFigures
import Foundation
import RelevanceImaging
import RelevanceTensors

/// The maps of several classes of one image, with a row for each method: *Gu18*, Fig. 1 and 3.
struct ClassFigure {
  private let subject: Subject
  private let names: @Sendable (Int) -> String?

  /// The longer side of a map in the figure, in pixels.
  private static let side = 168

  /// Makes figures with those methods of a subject that compute relevance, so that all maps have one unit and share a
  /// color scale; `names` returns the names of classes.
  init(_ subject: Subject, names: @escaping @Sendable (Int) -> String?) {
    self.subject = Subject(subject.explainer, methods: subject.methods.filter(\.isRelevance))
    self.names = names
  }

  func image(of image: LabeledImage, classes: [Int], title: String) throws -> RGBImage {
    let visible = try subject.preprocessing.visible(RGBImage(contentsOf: image.path))
    let trace = try subject.trace(try subject.preprocessing.normalized(visible), of: image.path)
    let probabilities = trace.classScores.probabilities
    let maps = try subject.methods.map { method in
      try trace.explain(classes.map { .class($0) }, by: method, ledger: false).map {
        try Heatmap.channelSum($0.relevance)
      }
    }
    let scale = try HeatmapScale.common(maps.flatMap { $0 })
    func fit(_ image: RGBImage) throws -> RGBImage {
      let longest = max(image.width, image.height)
      // Small images are enlarged by an integer factor, so that pixels stay square.
      guard longest > Self.side else {
        let factor = Self.side / longest
        return try image.resized(width: image.width * factor, height: image.height * factor, by: .nearest)
      }
      return try image.resized(
        width: max(image.width * Self.side / longest, 1), height: max(image.height * Self.side / longest, 1),
        by: .bilinear)
    }
    func caption(_ index: Int) -> String {
      let name = names(index).map { String($0.prefix { $0 != "," }) } ?? "class \(index)"
      return "\(name)\n\(ResultTable.percent((probabilities[index] * 1000).rounded() / 1000))"
    }
    let limit = try maps.first?.first.map { try Heatmap($0, scale: scale).limit } ?? 0
    let colors = HeatmapColors(for: maps.flatMap { $0 }, limit: limit)
    func row(_ title: String, _ maps: [Tensor]) throws -> LabeledMontage.Row {
      let cells = try zip(classes, maps).map { index, map in
        try LabeledMontage.Cell(fit(Heatmap(map, scale: scale, colors: colors).image()), caption: caption(index))
      }
      return LabeledMontage.Row(title: title, [LabeledMontage.Cell(try fit(visible))] + cells)
    }
    let rows = try zip(subject.methods, maps).flatMap { method, maps in
      let rows = [try row(method.description, maps)]
      // Maps that are much weaker than the others would be white, so they are shown again, multiplied by a factor.
      let own = HeatmapScale.standard.limit(of: maps.flatMap(\.elements))
      let factor = own > 0 ? min(exp2(log2(limit / own).rounded(.down)), 0x1p20) : 1
      guard factor >= 4 else { return rows }
      return rows + [try row("\(method) × \(Int(factor))", maps.map { $0.map { $0 * factor } })]
    }
    return LabeledMontage(title: title, rows: rows, colorBar: ColorBar(limit: limit, colors: colors)).image()
  }
}
