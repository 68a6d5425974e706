import Foundation
import RelevanceKit
import RelevanceToolSupport

/// A reference image of a channel as it is drawn: the receptive field of the channel's strongest position, and a mask
/// of the relevance that passes the channel.
struct ReferenceView {
  /// The resized and cropped image.
  let source: RGBImage
  /// The receptive field, in pixels of `source`.
  let box: PixelRectangle
  /// The weight of each cell of a grid over the box, from 0 to 1; nil if the channel has no relevance for the class.
  let mask: Mask?

  struct Mask {
    let width, height: Int
    let values: [Float]
  }

  /// The longest side of a mask, in cells.
  private static let cells = 24
  /// The fraction of cells, the largest ones, that have weight 1.
  private static let full = 0.02

  /// - Parameters:
  ///   - source: the resized and cropped image.
  ///   - box: the receptive field.
  ///   - relevance: the relevance of each pixel of `source` through the channel, height × width.
  init(source: RGBImage, box: PixelRectangle, relevance: Tensor) {
    (self.source, self.box) = (source, box)
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
    // The square root keeps the surroundings of sharp peaks visible.
    mask = limit > 0 ? Mask(width: width, height: height, values: cells.map { min($0 / limit, 1).squareRoot() }) : nil
  }

  /// The crop, dimmed where the channel has little relevance.
  ///
  /// - Parameter side: the longest side of the result, in pixels.
  func image(side: Int) throws -> RGBImage {
    let crop = source.window(x: box.left, y: box.top, width: box.width, height: box.height)
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

  /// The remaining brightness where a channel has no relevance.
  static let darkest: Float = 0.3
}

/// Creates views of reference images: runs each image once, and explains the relevance through each of the channels.
final class ReferenceViewer {
  private let explainer: Explainer
  private let preprocessing: Preprocessing
  private let node: String
  private let method: any AttributionMethod
  /// The receptive fields for the last input size.
  private var fields: ReceptiveFields?

  /// - Parameters:
  ///   - explainer: the explainer of the network.
  ///   - preprocessing: the preprocessing of images.
  ///   - node: the layer of the channels.
  ///   - method: the method of the maps.
  init(
    _ explainer: Explainer, preprocessing: Preprocessing, node: String, method: any AttributionMethod
  ) {
    (self.explainer, self.preprocessing, self.node, self.method) = (explainer, preprocessing, node, method)
  }

  /// The views of channels in an image, in the given order.
  ///
  /// - Throws: `RelevanceKitError` if the image cannot be read or run.
  func views(of references: [(channel: Int, reference: ConceptReference)], in file: String) throws -> [ReferenceView] {
    let image = try preprocessing.visible(RGBImage.read(file).upright)
    let input = try preprocessing.normalized(image)
    let trace = try explainer.trace(input)
    if fields?.inputShape != input.shape {
      fields = try explainer.network.receptiveFields(of: node, forInput: input.shape)
    }
    let channels = explainer.network.hasChannelsLast
    let classes = Set(references.map(\.reference.classIndex)).sorted()
    // The channels of a class share a backward pass.
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
        source: image, box: try box(of: reference.position, in: image),
        relevance: maps[[reference.classIndex, channel]]!)
    }
  }

  /// The receptive field of a position; the whole image for a layer without positions.
  private func box(of position: [Int], in image: RGBImage) throws -> PixelRectangle {
    let whole = PixelRectangle(left: 0, top: 0, width: image.width, height: image.height)
    guard !position.isEmpty, let fields, position.count == fields.extents.count else { return whole }
    let field = try fields.field(at: position)
    guard field.count > 0 else { return whole }
    let (rows, columns) = (field.rows.clamped(to: 0..<image.height), field.columns.clamped(to: 0..<image.width))
    guard !rows.isEmpty, !columns.isEmpty else { return whole }
    return PixelRectangle(
      left: columns.lowerBound, top: rows.lowerBound, width: columns.count, height: rows.count)
  }
}
