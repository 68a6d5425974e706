import Foundation
import RelevanceSupport

extension Preprocessing {
  /// Reads what timm's `config.json` says in `pretrained_cfg` (in older files at the top), as `timm.data.transforms_imagenet_eval` does
  /// it: a resize to the size divided by `crop_pct`, rounded down, and a crop around the center. Nil if the file says nothing of it.
  ///
  /// | key | default |
  /// |---|---|
  /// | `input_size` | 3, 224, 224 |
  /// | `crop_pct` | 0.875 |
  /// | `crop_mode` | "center": the shorter side is resized; "squash": both sides are |
  /// | `interpolation` | "bilinear" |
  /// | `mean`, `std` | ImageNet's |
  ///
  /// - Throws: `RelevanceKitError`; also for `crop_mode` "border", which is not done.
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
    // Beyond the range of integers it is no picture.
    let (width, height) = (Double(size.width) / share, Double(size.height) / share)
    guard max(width, height) < 1e6 else {
      throw settings.wrong("crop_pct", "a share of the picture", settings["crop_pct"] ?? .null)
    }
    let (wide, high) = (max(Int(width), 1), max(Int(height), 1))
    let resize: Size
    switch settings["crop_mode"] {
    case nil, .string("center")?:
      guard wide == high else {
        throw SimpleError(
          "\(name): input_size: expected a square for crop_mode \"center\", found \(size.height)×\(size.width); a preprocessor_config.json "
            + "beside the model can say how pictures are prepared")
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
  /// Height and width behind the number of channels.
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
