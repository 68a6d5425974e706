import Foundation
import RelevanceKit
import RelevanceToolSupport

/// A reference of a channel as people see it: what the network has seen of the image, cropped to the receptive field of the channel's
/// strongest position, and where in it the channel counts.
struct ReferenceView {
  /// All that the network has seen.
  let picture: RGBImage
  /// The receptive field, in pixels of the picture.
  let box: PixelRectangle
  /// How much each cell of a grid over the box counts, from 0 to 1; nil if the channel has no relevance for the class.
  let mask: Mask?

  struct Mask {
    let width, height: Int
    let values: [Float]
  }

  /// The longest side of a mask, in cells.
  private static let cells = 24
  /// The part of the largest cells that count in full.
  private static let full = 0.02

  /// - Parameter relevance: of the picture's pixels, of what passes the channel.
  init(picture: RGBImage, box: PixelRectangle, relevance: Tensor) {
    (self.picture, self.box) = (picture, box)
    let longest = max(box.width, box.height, 1)
    let width = max(1, box.width * Self.cells / longest)
    let height = max(1, box.height * Self.cells / longest)
    var cells = [Float](repeating: 0, count: width * height)
    let columns = relevance.shape[1]
    relevance.withUnsafeElements { values in
      for row in 0..<box.height {
        for column in 0..<box.width {
          let value = values[(box.top + row) * columns + box.left + column]
          guard value > 0 else { continue }
          cells[row * height / box.height * width + column * width / box.width] += value
        }
      }
    }
    let sorted = cells.sorted(by: >)
    let limit = sorted[Int(Double(sorted.count) * Self.full)]
    // Sharp peaks would hide all around them.
    mask = limit > 0 ? Mask(width: width, height: height, values: cells.map { min($0 / limit, 1).squareRoot() }) : nil
  }

  /// The crop, darker where the channel counts less; of the longest side `side`.
  func image(side: Int) throws -> RGBImage {
    let crop = picture.window(x: box.left, y: box.top, width: box.width, height: box.height)
    let longest = max(box.width, box.height)
    let (width, height) = (max(1, box.width * side / longest), max(1, box.height * side / longest))
    let image = try crop.resized(width: width, height: height, by: .bilinear)
    guard let mask else { return image }
    let levels = mask.values.flatMap { value in [UInt8](repeating: UInt8((value * 255).rounded()), count: 3) }
    let shade = try RGBImage(width: mask.width, height: mask.height, pixels: levels)
      .resized(width: width, height: height, by: .bilinear)
    let pixels: [UInt8] = zip(image.pixels, shade.pixels).map { color, level in
      let light = Self.darkest + (1 - Self.darkest) * Float(level) / 255
      return UInt8(Float(color) * light)
    }
    return try RGBImage(width: width, height: height, pixels: pixels)
  }

  /// What is left of the light where a channel does not count.
  static let darkest: Float = 0.3
}

/// Shows references: runs each image once, and explains in it what passes each of the channels.
final class ReferenceViewer {
  private let explainer: Explainer
  private let preprocessing: Preprocessing
  private let node: String
  private let method: any AttributionMethod
  /// Of inputs of one size.
  private var fields: ReceptiveFields?

  /// - Parameter preprocessing: how images become the network's input.
  init(
    _ explainer: Explainer, preprocessing: Preprocessing, node: String, method: any AttributionMethod
  ) {
    (self.explainer, self.preprocessing, self.node, self.method) = (explainer, preprocessing, node, method)
  }

  /// The views of some channels in an image, in their order.
  ///
  /// - Throws: `RelevanceKitError` if the image cannot be read or run.
  func views(of references: [(channel: Int, reference: ConceptReference)], in file: String) throws -> [ReferenceView] {
    let picture = try preprocessing.visible(RGBImage.read(file).upright)
    let input = try preprocessing.normalized(picture)
    let trace = try explainer.trace(input)
    if fields?.inputShape != input.shape {
      fields = try explainer.network.receptiveFields(of: node, forInput: input.shape)
    }
    let channels = explainer.network.hasChannelsLast
    let classes = Set(references.map(\.reference.classIndex)).sorted()
    // For each class its channels, which share a walk.
    var maps: [[Int]: Tensor] = [:]
    for classIndex in classes {
      let wanted = Set(references.filter { $0.reference.classIndex == classIndex }.map(\.channel)).sorted()
      let found = try trace.explain(
        [.class(classIndex)], by: method, throughEach: wanted.map { [.channel($0, of: node)] }, ledger: false)[0]
      for (channel, explanation) in zip(wanted, found) {
        let relevance = explanation.relevance.summedOverItems
        maps[[classIndex, channel]] = try Heatmap.channelSum(
          channels ? relevance.transposed([0, 3, 1, 2]) : relevance)
      }
    }
    return try references.map { channel, reference in
      ReferenceView(
        picture: picture, box: try box(of: reference.position, in: picture),
        relevance: maps[[reference.classIndex, channel]]!)
    }
  }

  /// The receptive field of a position; all of the picture for a layer without positions.
  private func box(of position: [Int], in picture: RGBImage) throws -> PixelRectangle {
    let whole = PixelRectangle(left: 0, top: 0, width: picture.width, height: picture.height)
    guard !position.isEmpty, let fields, position.count == fields.extents.count else { return whole }
    let field = try fields.field(at: position)
    guard field.count > 0 else { return whole }
    let (rows, columns) = (field.rows.clamped(to: 0..<picture.height), field.columns.clamped(to: 0..<picture.width))
    guard !rows.isEmpty, !columns.isEmpty else { return whole }
    return PixelRectangle(
      left: columns.lowerBound, top: rows.lowerBound, width: columns.count, height: rows.count)
  }
}
