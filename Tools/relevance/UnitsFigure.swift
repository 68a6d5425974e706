import Foundation
import RelevanceKit

/// Writes the files of one input's study.
struct UnitsWriter {
  let folder: String
  let kinds: Set<Units.Kind>

  /// Writes the requested files. Everything is computed before the first file is written.
  ///
  /// - Returns: a line for each written file.
  func write(_ entry: UnitsReport.Entry, of input: Input) throws -> [String] {
    guard kinds.contains(.png) || kinds.contains(.csv) else { return [] }
    let url = URL(fileURLWithPath: folder)
    let figure = kinds.contains(.png) ? try UnitsFigure(entry.study, of: input) : nil
    try makeFolder(url)
    var lines: [String] = []
    if kinds.contains(.csv) {
      try writeFile(Data(entry.unitsCSV.utf8), to: url.appendingPathComponent("units.csv"))
      try writeFile(Data(entry.dropsCSV.utf8), to: url.appendingPathComponent("drops.csv"))
      lines += ["\(folder)/units.csv, drops.csv: the tables"]
    }
    if let figure {
      try figure.image.writePNG(to: url.appendingPathComponent("units.png").path)
      lines.append("\(folder)/units.png: \(figure.caption)")
    }
    return lines
  }
}

/// A figure of the maps of units by LRP and CLRP2 in rows by group, below all patches and the matrix of drops.
struct UnitsFigure {
  let image: RGBImage
  let caption: String

  /// The longest side of a map, in pixels. Smaller maps are enlarged by whole factors.
  private static let side = 320
  /// The approximate width of the figure, in pixels.
  private static let width = 1900
  private static let frame = 4

  init(_ study: UnitStudy, of input: Input) throws {
    let (height, width) = (input.tensor.shape[2], input.tensor.shape[3])
    let cell = Cell(height: height, width: width, side: Self.side)
    let groups = study.clusters.groups
    func color(_ unit: Int) -> RGBColor { RGBColor.okabeIto[groups[unit] % RGBColor.okabeIto.count] }
    func draw(_ maps: [Tensor]) throws -> [RGBImage] {
      // One scale for all units of a method; values of different methods are not comparable.
      let scale = try HeatmapScale.common(maps)
      let colors = HeatmapColors(for: maps, limit: try Heatmap(maps[0], scale: scale).limit)
      return try maps.map { map in
        let heatmap = try Heatmap(map, scale: scale, colors: colors)
        return try cell.fit(input.image.map { heatmap.overlay(on: $0) } ?? heatmap.image())
      }
    }
    let (relevance, contrast) = (try draw(study.relevance), try draw(study.contrast))
    let pairs = study.units.indices.map { unit in
      let own = [(study.lrpAblation, relevance[unit]), (study.ablation, contrast[unit])].map { ablation, image in
        var image = image
        if let patch = ablation.patches[unit] { cell.outline(patch, in: &image, .black) }
        return image
      }
      var pair = Montage(rows: [own], margin: Self.frame).image()
      pair.border(Self.frame - 1, color(unit))
      return pair
    }
    var header: [RGBImage] = []
    if let image = input.image {
      var overview = try cell.fit(image)
      for unit in study.units.indices.reversed() {
        if let patch = study.ablation.patches[unit] { cell.outline(patch, in: &overview, color(unit)) }
      }
      header.append(overview)
    }
    let drops = try Heatmap(study.ablation.drops, scale: .maximum)
    header.append(try drops.image(pixelsPerPosition: max(1, cell.height / study.units.count)))
    let perRow = max(1, Self.width / pairs[0].width)
    func name(_ unit: Int) -> String {
      let one = study.units[unit]
      let place = one.position.isEmpty ? "" : "@" + one.position.map(String.init).joined(separator: ",")
      return String(format: "unit %d%@, activation %.4g", one.channel, place, one.activation)
        + String(format: "\ndrops %.1f %% without its CLRP2 patch", study.ablation.drops[unit, unit] * 100)
    }
    let rows = study.clusters.members.enumerated().flatMap { number, members in
      stride(from: 0, to: members.count, by: perRow).map { start in
        LabeledMontage.Row(
          title: "group \(number + 1)",
          members[start..<min(start + perRow, members.count)].map { .init(pairs[$0], caption: name($0)) })
      }
    }
    let top = LabeledMontage(
      title: "The most active units of \(study.units[0].node)",
      rows: [
        .init(
          header.enumerated().map { index, image in
            .init(
              image,
              caption: index == header.count - 1
                ? String(format: "drops; rows: patches\nfull red at %.3g %%", drops.limit * 100) : "the patches")
          })
      ])
    let maps = LabeledMontage(title: "LRP on the left, CLRP2 on the right", rows: rows)
    image = Montage(rows: [[top.image()], [maps.image()]], margin: 0).image()
    caption =
      (input.image == nil ? "the drops" : "the patches, the drops")
      + String(format: " (full red at %.3g %%), and the maps by group: ", drops.limit * 100)
      + "LRP left, CLRP2 right, with the patches at the maxima"
  }
}

/// The size of a drawn input.
private struct Cell {
  let height: Int
  let width: Int
  private let inputHeight: Int
  private let inputWidth: Int

  init(height: Int, width: Int, side: Int) {
    inputHeight = height
    inputWidth = width
    let longest = max(height, width, 1)
    if longest <= side {
      let factor = max(1, side / longest)
      (self.height, self.width) = (height * factor, width * factor)
    } else {
      (self.height, self.width) = (max(1, height * side / longest), max(1, width * side / longest))
    }
  }

  func fit(_ image: RGBImage) throws -> RGBImage {
    try image.resized(width: width, height: height, by: width < inputWidth ? .bilinear : .nearest)
  }

  /// Draws a frame around a patch, with a white outer line.
  func outline(_ patch: Patch, in image: inout RGBImage, _ color: RGBColor) {
    func place(_ range: Range<Int>, _ from: Int, _ to: Int) -> ClosedRange<Int> {
      let start = range.lowerBound * to / from
      return start...max(start, range.upperBound * to / from - 1)
    }
    let rows = place(patch.rows, inputHeight, height)
    let columns = place(patch.columns, inputWidth, width)
    for (reach, color) in [(2, RGBColor.white), (1, color), (0, color)] {
      let (top, bottom) = (rows.lowerBound - reach, rows.upperBound + reach)
      let (left, right) = (columns.lowerBound - reach, columns.upperBound + reach)
      for x in left...right { for y in [top, bottom] { image.paint(x, y, color) } }
      for y in top...bottom { for x in [left, right] { image.paint(x, y, color) } }
    }
  }
}

extension RGBImage {
  /// Sets a pixel if it is inside the image.
  fileprivate mutating func paint(_ x: Int, _ y: Int, _ color: RGBColor) {
    if x >= 0, x < width, y >= 0, y < height { self[x, y] = color }
  }

  /// Paints the outermost pixels.
  fileprivate mutating func border(_ thickness: Int, _ color: RGBColor) {
    for y in 0..<height {
      for x in 0..<width where min(x, y, width - 1 - x, height - 1 - y) < thickness { self[x, y] = color }
    }
  }
}
