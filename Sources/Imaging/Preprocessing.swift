import RelevanceSupport
import RelevanceTensors

/// The conversion of an image to the input of a network: resize, crop, rescale, normalize and channel order, in this
/// sequence.
///
/// It is equivalent to Hugging Face's image processors with a `preprocessor_config.json`:
/// 1. `resize`, if any, on 8-bit pixels, byte for byte as Pillow does it;
/// 2. `crop`, if any, around the center; if the image is smaller, black pixels are added on all sides;
/// 3. multiplication by `rescaleFactor`;
/// 4. subtraction of `mean` and division by `standardDeviation`, per channel;
/// 5. RGB → BGR if `flipsChannelOrder`.
public struct Preprocessing: Hashable, Sendable {
  /// The target size of a resize, in pixels.
  public enum Size: Hashable, Sendable {
    /// The shorter side has this length; the longer side keeps the aspect ratio, rounded down.
    case shortestEdge(Int)
    /// The longer side has this length; the shorter side keeps the aspect ratio, rounded down.
    case longestEdge(Int)
    /// Both sides are given; the aspect ratio may change.
    case exact(width: Int, height: Int)
  }

  /// The size of a crop, in pixels.
  public struct Crop: Hashable, Sendable {
    /// The width of the crop.
    public var width: Int
    /// The height of the crop.
    public var height: Int

    /// Creates a size, in pixels.
    public init(width: Int, height: Int) {
      (self.width, self.height) = (width, height)
    }
  }

  /// The color channels that a network reads.
  public enum Colors: Int, Hashable, Sendable {
    /// One value: `(19595·red + 38470·green + 7471·blue + 32768) >> 16`, as Pillow's `convert("L")`, before any resize.
    case gray = 1
    /// Red, green and blue.
    case rgb = 3
    /// Red, green, blue and opacity. The opacity is 255 everywhere, because transparency in files is ignored.
    case rgba = 4
  }

  /// The position of a crop whose margins cannot be equal in whole pixels.
  public enum CropRounding: String, Hashable, Sendable {
    /// As in Hugging Face's image processors: an odd pixel is cut off after the crop, and added before the image.
    case huggingFace
    /// As in torchvision's `center_crop`: half of the margin is rounded to even, and an odd pixel is added after the
    /// image.
    case torchvision
  }

  /// The size before the crop; nil keeps the size of the image.
  public var resize: Size?
  /// The filter of the resize.
  public var resampling: Resampling
  /// The part around the center that is kept; nil keeps the whole image.
  public var crop: Crop?
  /// The position of the crop if its center is between two pixels.
  public var cropRounding: CropRounding
  /// The factor of the pixels 0…255; 1 leaves them unchanged.
  public var rescaleFactor: Double
  /// The mean that is subtracted after rescaling: red, green, blue; one number for gray images, four with opacity.
  public var mean: [Double]
  /// The divisor after the subtraction: as many numbers as `mean` has, all > 0.
  public var standardDeviation: [Double]
  /// Whether the network's first channel is blue.
  public var flipsChannelOrder: Bool

  /// Creates a preprocessing, by default with the mean and standard deviation of ImageNet's pixels. Methods throw an
  /// error unless sizes, `rescaleFactor` and `standardDeviation` are positive, and there are as many means as
  /// deviations: three, or one for gray, or four with opacity.
  public init(
    resize: Size? = .shortestEdge(256), resampling: Resampling = .bilinear, crop: Crop? = Crop(width: 224, height: 224),
    rescaleFactor: Double = 1 / 255, mean: [Double] = [0.485, 0.456, 0.406],
    standardDeviation: [Double] = [0.229, 0.224, 0.225], flipsChannelOrder: Bool = false,
    cropRounding: CropRounding = .huggingFace
  ) {
    (self.resize, self.resampling, self.crop, self.rescaleFactor) = (resize, resampling, crop, rescaleFactor)
    (self.mean, self.standardDeviation, self.flipsChannelOrder) = (mean, standardDeviation, flipsChannelOrder)
    self.cropRounding = cropRounding
  }

  /// The color channels of the network, one for each mean; all three colors for any other number of means.
  public var colors: Colors { Colors(rawValue: mean.count) ?? .rgb }

  /// Checks that the properties are valid together.
  ///
  /// - Parameter file: the file that they were read from, or nil.
  /// - Throws: `RelevanceKitError` for properties that cannot prepare any image.
  package func check(file: String? = nil) throws {
    func refuse(_ found: String, _ expected: String) throws -> Never {
      throw SimpleError(
        "\(file ?? "preprocessing"): found \(found); expected \(expected)", file == nil ? .usage : .badData)
    }
    let sides = 1...Self.longestSide
    if Colors(rawValue: mean.count) == nil || standardDeviation.count != mean.count {
      try refuse(
        "\(mean.count) means and \(standardDeviation.count) deviations",
        "the same number of both: 3, 1 for gray, or 4 with opacity")
    }
    let expected = "sides of 1 to \(Self.longestSide) pixels"
    if let crop, !sides.contains(crop.width) || !sides.contains(crop.height) {
      try refuse("a crop to \(crop.width)×\(crop.height)", expected)
    }
    switch resize {
    case .shortestEdge(let edge)?, .longestEdge(let edge)?:
      if !sides.contains(edge) { try refuse("a resize to an edge of \(edge)", expected) }
    case .exact(let width, let height)?:
      if !sides.contains(width) || !sides.contains(height) { try refuse("a resize to \(width)×\(height)", expected) }
    case nil: break
    }
    // Pixel values are checked, because finite numbers can have a quotient that is not finite.
    for color in mean.indices {
      let levels = levels(ofColor: color)
      guard levels[0] >= levels[255] || !levels[0].isFinite || !levels[255].isFinite else { continue }
      try refuse(
        "mean \(mean[color]), standard deviation \(standardDeviation[color]) and factor \(rescaleFactor), which map pixels to "
          + "\(levels[0])…\(levels[255])", "an increasing range of finite numbers")
    }
  }

  /// The usual preprocessing for ImageNet, as in torchvision: the shorter side is resized to 256 (bilinear), 224×224
  /// are cropped from the center, and pixels are scaled to 0…1 and normalized by ImageNet's mean and standard
  /// deviation.
  public static let imageNet = Preprocessing(cropRounding: .torchvision)

  /// The same normalization at the image's own size: no resize and no crop, for fully convolutional networks.
  public var native: Preprocessing {
    var copy = self
    copy.resize = nil
    copy.crop = nil
    return copy
  }

  /// The preprocessing without the crop: the input contains the resized image up to its edges.
  public func withoutCrop() -> Preprocessing {
    var copy = self
    copy.crop = nil
    return copy
  }

  /// The preprocessing with another size, without the crop.
  package func with(size: Size) -> Preprocessing {
    var copy = withoutCrop()
    copy.resize = size
    return copy
  }
}

extension Preprocessing {
  /// The part of the image that the network receives, resized and cropped but not normalized: 8-bit RGB, with three
  /// equal channels for gray. Draw overlays on it.
  ///
  /// - Throws: `RelevanceKitError` if the result would have more than `RGBImage.pixelLimit` pixels, if the image has
  ///   none, or for properties that are not valid together.
  public func visible(_ image: RGBImage) throws -> RGBImage {
    try check()
    _ = try RGBImage.elementCount(width: image.width, height: image.height, perPixel: 3)
    let size = resizedSize(ofWidth: image.width, height: image.height)
    let window = crop ?? Crop(width: size.width, height: size.height)
    let (count, overflow) = window.width.multipliedReportingOverflow(by: window.height)
    guard !overflow, count <= RGBImage.pixelLimit, max(size.width, size.height) <= Self.longestSide else {
      throw RGBImage.tooLarge("the resized image", width: size.width, height: size.height)
    }
    let left = cropRounding.offset(of: window.width, in: size.width)
    let top = cropRounding.offset(of: window.height, in: size.height)
    let columns = max(left, 0)..<min(left + window.width, size.width)
    let rows = max(top, 0)..<min(top + window.height, size.height)
    let resized = (colors == .gray ? image.gray : image).resized(
      width: size.width, height: size.height, by: resampling, columns: columns, rows: rows)
    return resized.window(x: min(left, 0), y: min(top, 0), width: window.width, height: window.height)
  }

  /// The network's input for an image: 1 × channels × height × width, in the network's channel order.
  ///
  /// - Throws: `RelevanceKitError`; see `visible(_:)`.
  public func tensor(from image: RGBImage) throws -> Tensor { try normalized(visible(image)) }

  /// The network's input for an image that is already resized and cropped: 1 × channels × height × width.
  ///
  /// - Throws: `RelevanceKitError` for properties that are not valid together.
  public func normalized(_ image: RGBImage) throws -> Tensor {
    try check()
    let plane = image.width * image.height
    let image = colors == .gray ? image.gray : image
    return Tensor(uninitialized: [1, colors.rawValue, image.height, image.width]) { target in
      image.pixels.withUnsafeBufferPointer { source in
        for channel in 0..<colors.rawValue {
          let color = color(ofChannel: channel)
          levels(ofColor: color).withUnsafeBufferPointer { levels in
            for i in 0..<plane {
              target[channel * plane + i] = levels[color < 3 ? Int(source[i * 3 + color]) : 255]
            }
          }
        }
      }
    }
  }

  /// The range of each of the network's input channels: `l` and `h` of rule z^B.
  ///
  /// `l_c = (0 − mean_c)/std_c`, `h_c = (255·rescaleFactor − mean_c)/std_c`, in the network's channel order.
  public var pixelRange: PixelRange {
    let channels = (0..<colors.rawValue).map { levels(ofColor: color(ofChannel: $0)) }
    return PixelRange(lower: channels.map { $0[0] }, upper: channels.map { $0[255] })
  }

  /// The color of a channel (0 red, 1 green, 2 blue, 3 opacity); 0 for gray images.
  private func color(ofChannel channel: Int) -> Int {
    flipsChannelOrder && colors != .gray && channel < 3 ? 2 - channel : channel
  }

  /// The value that each of the 256 values of a color (0 red, 1 green, 2 blue) is mapped to.
  private func levels(ofColor color: Int) -> [Float] {
    (0...255).map { Float((Double($0) * rescaleFactor - mean[color]) / standardDeviation[color]) }
  }

  func resizedSize(ofWidth width: Int, height: Int) -> (width: Int, height: Int) {
    func scaled(to edge: Int, of side: Int) -> (width: Int, height: Int) {
      let other = max(edge * (side == width ? height : width) / max(side, 1), 1)
      return side == width ? (edge, other) : (other, edge)
    }
    return switch resize {
    case nil: (width, height)
    case .exact(let width, let height): (width, height)
    case .shortestEdge(let edge): scaled(to: edge, of: min(width, height))
    case .longestEdge(let edge): scaled(to: edge, of: max(width, height))
    }
  }

  /// The longest side of a resized image before it is cropped.
  private static let longestSide = 1 << 28
}

extension Preprocessing.CropRounding {
  /// The start of a window of `extent` pixels around the center; negative if pixels are added.
  func offset(of extent: Int, in length: Int) -> Int {
    let margin = length - extent
    switch self {
    case .huggingFace: return margin >= 0 ? margin / 2 : -((1 - margin) / 2)
    case .torchvision where margin < 0: return -(-margin / 2)
    case .torchvision: return margin % 4 == 3 ? margin / 2 + 1 : margin / 2
    }
  }
}
