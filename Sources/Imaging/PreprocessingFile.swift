import Foundation
import RelevanceSupport
import RelevanceTensors

extension Preprocessing {
  /// Reads Hugging Face's `preprocessor_config.json`.
  ///
  /// A key that is missing or null has the default of Hugging Face's image processors:
  ///
  /// | key | default |
  /// |---|---|
  /// | `do_resize`, `do_rescale`, `do_normalize` | true |
  /// | `do_center_crop` | true if there is a `crop_size`, otherwise false |
  /// | `do_flip_channel_order` | false |
  /// | `size` | shortest edge 256 before a crop, otherwise 224×224 |
  /// | `resample` | 2, bilinear |
  /// | `crop_size` | 224×224 |
  /// | `rescale_factor` | 1/255 |
  /// | `image_mean`, `image_std` | 0.5, 0.5, 0.5 |
  /// | `crop_rounding` | "huggingFace"; "torchvision" is an extension of this package |
  ///
  /// An integer `size` is the shortest edge before a crop, or a square without one; an integer `crop_size` is a square.
  /// `image_mean` and `image_std` may be one number for all channels; lists of one number are for gray images, lists of
  /// four for images with opacity. Keys of single processors that affect pixels are supported: `crop_pct` (ConvNeXT,
  /// also ResNet: `size` below 384 is the crop, out of a shortest edge of size/crop_pct), and `rescale_offset` and
  /// `include_top` (EfficientNet). All other keys are ignored.
  ///
  /// - Throws: `RelevanceKitError` for a file that cannot be read, or a value that is not valid for its key.
  public init(contentsOf file: some FileLocation) throws { self = try Self.read(file.fileSystemPath).preprocessing }

  /// Reads the bytes of a `preprocessor_config.json`; `name` is the name of the file in errors. See
  /// `init(contentsOf:)`.
  ///
  /// - Throws: `RelevanceKitError` for a value that is not valid for its key.
  public init(decoding data: Data, name: String) throws { try self.init(Settings(decoding: data, file: name)) }

  /// Reads a file, and reports in a sentence which important keys are missing, and which keys may be misspelled.
  package static func read(_ path: String) throws -> (preprocessing: Preprocessing, doubts: String?) {
    let data = try ReadableFile.data(path, missing: "no such file; expected a preprocessor_config.json")
    let settings = try Settings(decoding: data, file: path)
    let preprocessing = try Preprocessing(settings)
    return (preprocessing, try preprocessing.doubts(about: settings))
  }

  private func doubts(about settings: Settings) throws -> String? {
    var missing: [String] = []
    if resize != nil, settings["size"] == nil { missing.append("size") }
    if crop != nil, settings["crop_size"] == nil, settings["crop_pct"] == nil { missing.append("crop_size") }
    if try settings.bool("do_normalize") ?? true {
      missing += ["image_mean", "image_std"].filter { settings[$0] == nil }
    }
    guard !missing.isEmpty else { return nil }
    // Other systems use other names: mean, std, resize, crop.
    let mistyped = settings.members.keys.sorted().compactMap { key in
      missing.first { $0 != key && ($0.hasSuffix(key) || $0.hasPrefix(key)) }.map { "\(key) is not read (\($0)?)" }
    }
    let mean = mean.map { "\($0)" }.joined(separator: ", ")
    let deviation = standardDeviation.map { "\($0)" }.joined(separator: ", ")
    return "\(settings.file) has no \(missing.joined(separator: ", ")); using "
      + "\(resize.map(Self.words) ?? "no resize"), \(crop.map { "crop \($0.width)×\($0.height)" } ?? "no crop"), "
      + "mean \(mean), deviation \(deviation)" + (mistyped.isEmpty ? "" : "; " + mistyped.joined(separator: ", "))
  }

  private static func words(_ size: Size) -> String {
    switch size {
    case .shortestEdge(let edge): "a resize of the shorter side to \(edge)"
    case .exact(let width, let height): "a resize to \(height)×\(width)"
    case .longestEdge(let edge): "a resize of the longer side to \(edge)"
    }
  }

  private init(_ settings: Settings) throws {
    let cropPercentage = try settings.number("crop_pct", positive: true)
    let crops = try settings.bool("do_center_crop") ?? (settings["crop_size"] != nil)
    var resize: Size?
    var crop = crops ? try settings.extent("crop_size") ?? Crop(width: 224, height: 224) : nil
    if try settings.bool("do_resize") ?? true {
      resize =
        try settings.size("size", integerIsShortestEdge: crops || cropPercentage != nil)
        ?? (crops ? .shortestEdge(256) : .exact(width: 224, height: 224))
      if let cropPercentage, case .shortestEdge(let edge)? = resize {
        // ConvNeXT's processor crops small images out of a larger resize, and warps large images to a square.
        let small = edge < 384
        resize =
          small
          ? .shortestEdge(max(Int(min(Double(edge) / cropPercentage, 1e12)), 1)) : .exact(width: edge, height: edge)
        crop = small ? Crop(width: edge, height: edge) : nil
      }
    }
    let rescales = try settings.bool("do_rescale") ?? true
    let factor = try settings.number("rescale_factor", positive: true) ?? 1 / 255
    var mean = [0.0, 0, 0]
    var deviation = [1.0, 1, 1]
    if try settings.bool("do_normalize") ?? true {
      (mean, deviation) = try settings.normalization(mean: "image_mean", deviation: "image_std", usual: (0.5, 0.5))
    }
    // EfficientNet's processor divides again for networks with a classifier, even if it does not normalize.
    if try settings.bool("include_top") ?? false {
      let again = try settings.normalization(mean: "image_mean", deviation: "image_std", usual: (0.5, 0.5)).deviation
      if again.count != deviation.count {
        (mean, deviation) = (again.map { _ in mean[0] }, again.map { _ in deviation[0] })
      }
      deviation = zip(deviation, again).map { $0 * $1 }
    }
    // EfficientNet's processor may subtract 1 after rescaling, which equals a mean that is larger by 1.
    if try rescales && settings.bool("rescale_offset") ?? false { mean = mean.map { $0 + 1 } }
    self.init(
      resize: resize, resampling: try settings.resampling("resample") ?? .bilinear, crop: crop,
      rescaleFactor: rescales ? factor : 1, mean: mean, standardDeviation: deviation,
      flipsChannelOrder: try settings.bool("do_flip_channel_order") ?? false,
      cropRounding: try settings.cropRounding("crop_rounding") ?? .huggingFace)
    // Numbers that are valid one by one can be too large or too small together.
    try check(file: settings.file)
  }
}

extension Preprocessing: Encodable {
  /// Encodes all keys of `preprocessor_config.json`, including those with default values.
  ///
  /// - Throws: the encoder's errors.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    try container.encode(resize != nil, forKey: "do_resize")
    switch resize {
    case nil: break
    case .shortestEdge(let edge)?: try container.encode(["shortest_edge": edge], forKey: "size")
    case .longestEdge(let edge)?: try container.encode(["longest_edge": edge], forKey: "size")
    case .exact(let width, let height)?: try container.encode(["height": height, "width": width], forKey: "size")
    }
    try container.encode(resampling, forKey: "resample")
    try container.encode(crop != nil, forKey: "do_center_crop")
    if let crop { try container.encode(["height": crop.height, "width": crop.width], forKey: "crop_size") }
    if cropRounding != .huggingFace { try container.encode(cropRounding.rawValue, forKey: "crop_rounding") }
    try container.encode(rescaleFactor != 1, forKey: "do_rescale")
    try container.encode(rescaleFactor, forKey: "rescale_factor")
    try container.encode(true, forKey: "do_normalize")
    try container.encode(mean, forKey: "image_mean")
    try container.encode(standardDeviation, forKey: "image_std")
    try container.encode(flipsChannelOrder, forKey: "do_flip_channel_order")
  }
}
