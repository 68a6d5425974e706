import Foundation
import RelevanceSupport

extension Preprocessing {
  /// Reads `pretrained_cfg` of timm's `config.json` (in older files, the top level), as
  /// `timm.data.transforms_imagenet_eval` does: a resize to the size divided by `crop_pct`, rounded down, and a crop
  /// around the center. Returns nil if the file does not specify preprocessing.
  ///
  /// | key | default |
  /// |---|---|
  /// | `input_size` | 3, 224, 224 |
  /// | `crop_pct` | 0.875 |
  /// | `crop_mode` | "center": the shorter side is resized; "squash": both sides are |
  /// | `interpolation` | "bilinear" |
  /// | `mean`, `std` | ImageNet's |
  ///
  /// - Throws: `RelevanceKitError` for an invalid value, and for `crop_mode` "border", which is not supported.
  package init?(timm data: Data, name: String) throws {
    let file = try Settings(decoding: data, file: name, expected: "a config.json")
    var settings = file
    if case .object(let members)? = file["pretrained_cfg"] {
      settings = Settings(file: name, members: members)
    } else if file["architecture"] == nil || file["mean"] == nil {
      return nil
    }
    let size = try settings.inputSize("input_size") ?? Crop(width: 224, height: 224)
    let share = try settings.number("crop_pct", positive: true) ?? 0.875
    // Larger sizes cannot be images.
    let (width, height) = (Double(size.width) / share, Double(size.height) / share)
    guard max(width, height) < 1e6 else {
      throw settings.wrong("crop_pct", "a share of the image", settings["crop_pct"] ?? .null)
    }
    let (wide, high) = (max(Int(width), 1), max(Int(height), 1))
    let resize: Size
    switch settings["crop_mode"] {
    case nil, .string("center")?:
      guard wide == high else {
        throw SimpleError(
          "\(name): input_size: expected a square for crop_mode \"center\", found \(size.height)×\(size.width); add a "
            + "preprocessor_config.json beside the model that specifies how images are prepared")
      }
      resize = .shortestEdge(wide)
    case .string("squash")?: resize = .exact(width: wide, height: high)
    case let other?: throw settings.wrong("crop_mode", "\"center\" or \"squash\"", other)
    }
    let (mean, deviation) = try settings.imageNetNormalization()
    self.init(
      resize: resize, resampling: try settings.resampling("interpolation") ?? .bilinear, crop: size, mean: mean,
      standardDeviation: deviation, cropRounding: .torchvision)
    try check(file: name)
  }
}

extension Settings {
  /// The height and width that follow the number of channels.
  fileprivate func inputSize(_ key: String) throws -> Preprocessing.Crop? {
    guard let value = self[key] else { return nil }
    guard case .array(let items) = value, items.count == 3, let height = pixels(items[1]), let width = pixels(items[2])
    else { throw wrong(key, "channels, height and width", value) }
    return Preprocessing.Crop(width: width, height: height)
  }

  fileprivate func imageNetNormalization() throws -> (mean: [Double], deviation: [Double]) {
    let usual = Preprocessing.imageNet
    let mean = try colors("mean") ?? .each(usual.mean)
    let deviation = try colors("std", positive: true) ?? .each(usual.standardDeviation)
    let count = mean.count ?? deviation.count ?? 3
    guard deviation.count ?? count == count else {
      throw wrong("std", "as many numbers as in mean, \(count)", self["std"] ?? .null)
    }
    return (mean.numbers(count), deviation.numbers(count))
  }
}
