import Tensors

/// How a picture becomes the input of a network: resize, crop, rescale, normalize, channel order; in this sequence.
///
/// The same as what Hugging Face's image processors do with a `preprocessor_config.json`:
/// 1. `resize`, if any, on 8-bit pixels, byte for byte as Pillow does it;
/// 2. `crop`, if any, around the center; where the picture is smaller, black pixels are added all around;
/// 3. times `rescaleFactor`;
/// 4. minus `mean`, divided by `standardDeviation`, per channel;
/// 5. RGB → BGR if `flipsChannelOrder`.
public struct Preprocessing: Hashable, Sendable {
  /// The target of a resize, in pixels.
  public enum Size: Hashable, Sendable {
    /// The shorter side gets this length, the other one keeps the proportion, rounded down.
    case shortestEdge(Int)
    /// The longer side gets this length, the other one keeps the proportion, rounded down.
    case longestEdge(Int)
    /// Both sides are given; the proportion may change.
    case exact(width: Int, height: Int)
  }

  /// The extent of a crop, in pixels.
  public struct Crop: Hashable, Sendable {
    /// The number of columns kept.
    public var width: Int
    /// The number of rows kept.
    public var height: Int

    /// Makes an extent, in pixels.
    public init(width: Int, height: Int) {
      (self.width, self.height) = (width, height)
    }
  }

  /// The size before the crop; nil leaves the picture at its own.
  public var resize: Size?
  /// The filter of the resize.
  public var resampling: Resampling
  /// The part around the center that is kept; nil keeps all.
  public var crop: Crop?
  /// What the pixels 0…255 are multiplied by; 1 leaves them as they are.
  public var rescaleFactor: Double
  /// What is subtracted after rescaling: red, green, blue.
  public var mean: [Double]
  /// What is divided by in the end: red, green, blue; all > 0.
  public var standardDeviation: [Double]
  /// Whether the network takes blue first.
  public var flipsChannelOrder: Bool

  /// Makes a preprocessing, by default with the mean and standard deviation of ImageNet's pixels; traps unless sizes, `rescaleFactor` and `standardDeviation` are positive and there are three
  /// means and deviations.
  public init(
    resize: Size? = .shortestEdge(256), resampling: Resampling = .bilinear, crop: Crop? = Crop(width: 224, height: 224),
    rescaleFactor: Double = 1 / 255, mean: [Double] = [0.485, 0.456, 0.406],
    standardDeviation: [Double] = [0.229, 0.224, 0.225], flipsChannelOrder: Bool = false
  ) {
    precondition(mean.count == 3 && standardDeviation.count == 3, "three channels need three means and deviations")
    precondition(rescaleFactor > 0 && standardDeviation.allSatisfy { $0 > 0 }, "scales must be positive")
    precondition(crop.map { $0.width > 0 && $0.height > 0 } ?? true, "a crop must keep pixels")
    switch resize {
    case .shortestEdge(let edge)?, .longestEdge(let edge)?: precondition(edge > 0, "an edge must have pixels")
    case .exact(let width, let height)?: precondition(width > 0 && height > 0, "a size must have pixels")
    case nil: break
    }
    (self.resize, self.resampling, self.crop, self.rescaleFactor) = (resize, resampling, crop, rescaleFactor)
    (self.mean, self.standardDeviation, self.flipsChannelOrder) = (mean, standardDeviation, flipsChannelOrder)
  }

  /// ImageNet's usual preprocessing: shorter side to 256 (bilinear), 224×224 from the center, pixels in 0…1, ImageNet's
  /// mean and standard deviation.
  public static let imageNet = Preprocessing()

  /// The same pixel arithmetic on the picture at its own size: no resize and no crop, for fully convolutional networks.
  package var native: Preprocessing {
    var copy = self
    copy.resize = nil
    copy.crop = nil
    return copy
  }

  /// The same without the crop: the network sees the resized picture up to its edges.
  package func withoutCrop() -> Preprocessing {
    var copy = self
    copy.crop = nil
    return copy
  }

  /// The same with another size, without the crop.
  package func with(size: Size) -> Preprocessing {
    var copy = withoutCrop()
    copy.resize = size
    return copy
  }
}

extension Preprocessing {
  /// The picture that the network sees, in 8-bit RGB: resized and cropped, but not normalized. Overlays belong on it.
  ///
  /// - Throws: `RelevanceKitError` if the result would have more than `RGBImage.pixelLimit` pixels.
  public func visible(_ image: RGBImage) throws -> RGBImage {
    let size = resizedSize(ofWidth: image.width, height: image.height)
    let window = crop ?? Crop(width: size.width, height: size.height)
    let (count, overflow) = window.width.multipliedReportingOverflow(by: window.height)
    guard !overflow, count <= RGBImage.pixelLimit, max(size.width, size.height) <= Self.longestSide else {
      throw RGBImage.tooLarge("the resized picture", width: size.width, height: size.height)
    }
    let left = Self.offset(of: window.width, in: size.width)
    let top = Self.offset(of: window.height, in: size.height)
    let columns = max(left, 0)..<min(left + window.width, size.width)
    let rows = max(top, 0)..<min(top + window.height, size.height)
    let resized = image.resized(
      width: size.width, height: size.height, by: resampling, columns: columns, rows: rows)
    return resized.window(x: min(left, 0), y: min(top, 0), width: window.width, height: window.height)
  }

  /// The network's input for a picture: 1 × 3 × height × width, in the network's channel order.
  ///
  /// - Throws: `RelevanceKitError`; see `visible(_:)`.
  public func tensor(from image: RGBImage) throws -> Tensor { normalized(try visible(image)) }

  /// The network's input for a picture that is already resized and cropped: 1 × 3 × height × width.
  public func normalized(_ image: RGBImage) -> Tensor {
    let plane = image.width * image.height
    return Tensor(uninitialized: [1, 3, image.height, image.width]) { target in
      image.pixels.withUnsafeBufferPointer { source in
        for channel in 0..<3 {
          let color = flipsChannelOrder ? 2 - channel : channel
          levels(ofColor: color).withUnsafeBufferPointer { levels in
            for i in 0..<plane { target[channel * plane + i] = levels[Int(source[i * 3 + color])] }
          }
        }
      }
    }
  }

  /// The interval of each of the network's input channels: `l` and `h` of rule z^B.
  ///
  /// `l_c = (0 − mean_c)/std_c`, `h_c = (255·rescaleFactor − mean_c)/std_c`, in the network's channel order.
  public var pixelRange: PixelRange {
    let colors = (0..<3).map { levels(ofColor: flipsChannelOrder ? 2 - $0 : $0) }
    return PixelRange(lower: colors.map { $0[0] }, upper: colors.map { $0[255] })
  }

  /// What each of the 256 values of a color (0 red, 1 green, 2 blue) becomes.
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

  /// The longest side that a resized picture may have before it is cropped.
  private static let longestSide = 1 << 28

  /// Where a window of `extent` pixels around the center starts; negative if it needs padding, of which an odd pixel goes
  /// before the picture, as in Hugging Face's `center_crop`.
  static func offset(of extent: Int, in length: Int) -> Int {
    extent <= length ? (length - extent) / 2 : -((extent - length + 1) / 2)
  }
}
