import Foundation
import RelevanceImaging
import RelevanceTensors
import Testing

@Suite("Preprocessing equals Pillow and NumPy")
struct PreprocessingTests {
  /// The reference computes in double precision and rounds once, as the implementation does.
  static let tolerance: Float = 1e-6

  @Test(
    arguments: [
      "shortest-edge-crop", "odd-crop", "longest-edge", "exact", "bgr-not-rescaled", "padded-crop", "not-normalized",
      "torchvision-crop", "torchvision-padded", "gray",
    ].flatMap { [($0, "wide"), ($0, "tall")] } + [("native", "wide")])
  func pipeline(name: String, shape: String) throws {
    let preprocessing = try Preprocessing(contentsOf: fixture("preprocessing/\(name).json"))
    let image = try RGBImage(contentsOf: fixture("preprocessing/\(shape).png"))
    let expected = try NumPyFile.read(fixture("preprocessing/\(name)-\(shape).npy"))
    let tensor = try preprocessing.tensor(from: image)
    try #require(tensor.shape == expected.shape)
    let distance = tensor.combined(with: expected) { abs($0 - $1) / max(1, abs($1)) }.largestMagnitude()
    #expect(distance <= Self.tolerance)
    // No pixel is outside the range for rule z^B.
    let range = preprocessing.pixelRange
    let plane = tensor.shape[2] * tensor.shape[3]
    #expect(
      tensor.elements.enumerated().allSatisfy { i, value in
        range.lower[i / plane] <= value && value <= range.upper[i / plane]
      })
    let visible = try preprocessing.visible(image)
    #expect(visible.width == tensor.shape[3] && visible.height == tensor.shape[2])
    #expect(try preprocessing.normalized(visible) == tensor)
    let decoded = try Preprocessing(decoding: JSONEncoder().encode(preprocessing), name: "encoded")
    #expect(decoded == preprocessing)
  }

  @Test func pixelRangeFollowsChannelOrderAndScale() throws {
    #expect(
      zip(Preprocessing.imageNet.pixelRange.lower, PixelRange.imageNet.lower).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(
      zip(Preprocessing.imageNet.pixelRange.upper, PixelRange.imageNet.upper).allSatisfy { abs($0 - $1) < 1e-6 })
    let bgr = try Preprocessing(contentsOf: fixture("preprocessing/bgr-not-rescaled.json"))
    #expect(bgr.pixelRange == PixelRange(lower: [-103.939, -116.779, -123.68], upper: [151.061, 138.221, 131.32]))
  }

  @Test func imagesCanKeepTheirSize() throws {
    let image = try noise(width: 61, height: 47)
    #expect(try Preprocessing.imageNet.native.visible(image) == image)
    #expect(try Preprocessing.imageNet.withoutCrop().tensor(from: image).shape == [1, 3, 256, 332])
    #expect(try Preprocessing.imageNet.tensor(from: image).shape == [1, 3, 224, 224])
    let exact = Preprocessing.imageNet.with(size: .exact(width: 30, height: 20))
    #expect(try exact.tensor(from: image).shape == [1, 3, 20, 30])
  }

  /// A crop computes only the pixels that it keeps; they equal those of the whole resized image, whichever pass comes
  /// first.
  @Test(arguments: [(90, 61), (61, 90), (300, 40), (40, 300), (50, 51)], Resampling.allCases)
  func aCropIsAPartOfTheWhole(size: (width: Int, height: Int), resampling: Resampling) throws {
    let image = try noise(width: size.width, height: size.height)
    for resize in [Preprocessing.Size.shortestEdge(33), .exact(width: 39, height: 45), .longestEdge(140)] {
      let preprocessing = Preprocessing(resize: resize, resampling: resampling, crop: .init(width: 17, height: 18))
      let whole = try preprocessing.withoutCrop().visible(image)
      let part = try preprocessing.visible(image)
      let (left, top) = ((whole.width - 17) / 2, (whole.height - 18) / 2)
      #expect(part.width == 17 && part.height == 18)
      #expect(
        (0..<17 * 18).allSatisfy { part[$0 % 17, $0 / 17] == whole[left + $0 % 17, top + $0 / 17] },
        "\(resize)")
    }
  }

  @Test func aCropOfALongStripComputesOnlyTheCrop() throws {
    let strip = try noise(width: 60_000, height: 2)
    #expect(try Preprocessing.imageNet.visible(strip).width == 224)
    #expect(
      sentence { _ = try Preprocessing.imageNet.withoutCrop().visible(strip) }
        == "the resized image: too large: expected at most 178956970 pixels, found 7680000×256")
  }

  @Test(
    arguments: [
      ("{}", .exact(width: 224, height: 224), nil),
      (#"{"do_center_crop": true}"#, .shortestEdge(256), 224),
      (#"{"size": 240}"#, .exact(width: 240, height: 240), nil),
      (#"{"size": 256, "crop_size": 224, "do_center_crop": true}"#, .shortestEdge(256), 224),
      (#"{"size": 224, "crop_pct": 0.875}"#, .shortestEdge(256), 224),
      (#"{"size": {"shortest_edge": 384}, "crop_pct": 0.875}"#, .exact(width: 384, height: 384), nil),
      (#"{"size": {"longest_edge": 99}, "crop_size": null, "unknown": [1]}"#, .longestEdge(99), nil),
      (#"{"do_resize": false, "size": 224}"#, nil, nil),
    ] as [(String, Preprocessing.Size?, Int?)])
  func sizes(json: String, resize: Preprocessing.Size?, crop: Int?) throws {
    let preprocessing = try Preprocessing(decoding: Data(json.utf8), name: "p.json")
    #expect(preprocessing.resize == resize)
    #expect(preprocessing.crop == crop.map { Preprocessing.Crop(width: $0, height: $0) })
  }

  @Test func defaults() throws {
    let preprocessing = try Preprocessing(decoding: Data("{}".utf8), name: "p.json")
    #expect(preprocessing.resampling == .bilinear)
    #expect(preprocessing.rescaleFactor == 1 / 255.0)
    #expect(preprocessing.mean == [0.5, 0.5, 0.5] && preprocessing.standardDeviation == [0.5, 0.5, 0.5])
    #expect(!preprocessing.flipsChannelOrder)
  }

  /// `int(round((length - extent) / 2.0))` and `(length - extent) // 2`; for added pixels, `(extent - length) // 2` and
  /// its ceiling.
  @Test(
    arguments: [
      (31, 24, 4, 3), (30, 25, 2, 2), (33, 24, 4, 4), (32, 24, 4, 4), (35, 24, 6, 5), (24, 24, 0, 0), (23, 24, 0, -1),
      (21, 24, -1, -2), (20, 24, -2, -2), (25, 24, 0, 0), (27, 24, 2, 1),
    ])
  func cropsAreRounded(length: Int, extent: Int, torchvision: Int, huggingFace: Int) {
    for (rounding, expected) in [(Preprocessing.CropRounding.torchvision, torchvision), (.huggingFace, huggingFace)] {
      let preprocessing = Preprocessing(
        resize: nil, crop: .init(width: extent, height: extent), cropRounding: rounding)
      let placement = preprocessing.placement(ofWidth: length, height: length)
      #expect(placement.shiftX == Double(-expected) && placement.shiftY == Double(-expected))
    }
  }

  @Test func channelsFollowTheMeans() throws {
    let image = try noise(width: 6, height: 5)
    let four = Preprocessing(
      resize: nil, crop: nil, rescaleFactor: 1, mean: [0, 0, 0, 5], standardDeviation: [1, 1, 1, 2],
      flipsChannelOrder: true)
    let tensor = try four.tensor(from: image)
    #expect(tensor.shape == [1, 4, 5, 6] && tensor.elements[90...].allSatisfy { $0 == 125 })
    #expect(tensor.elements[0] == Float(image.pixels[2]) && tensor.elements[60] == Float(image.pixels[0]))
    #expect(four.colors == .rgba && four.pixelRange.upper == [255, 255, 255, 125])
    // The values of these colors after Pillow 13's convert("L").
    let colors = try RGBImage(width: 4, height: 1, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 34, 56])
    let gray = Preprocessing(resize: nil, crop: nil, rescaleFactor: 1, mean: [0], standardDeviation: [1])
    #expect(try gray.tensor(from: colors).elements == [76, 150, 29, 30])
  }

  @Test func timmsConfiguration() throws {
    func read(_ json: String) throws -> Preprocessing? { try Preprocessing(timm: Data(json.utf8), name: "config.json") }
    let center = try read(
      #"{"architecture": "a", "pretrained_cfg": {"input_size": [3, 288, 288], "crop_pct": 0.95, "interpolation": "bicubic", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.1]}}"#
    )
    #expect(
      center
        == Preprocessing(
          resize: .shortestEdge(303), resampling: .bicubic, crop: .init(width: 288, height: 288),
          mean: [0.5, 0.4, 0.3],
          standardDeviation: [0.2, 0.2, 0.1], cropRounding: .torchvision))
    let squash = try read(
      #"{"pretrained_cfg": {"input_size": [1, 20, 30], "crop_mode": "squash", "crop_pct": 1.0, "mean": [0.1], "std": [0.3]}}"#
    )
    #expect(squash?.resize == .exact(width: 30, height: 20) && squash?.colors == .gray)
    #expect(try read(#"{"pretrained_cfg": {}}"#) == .imageNet)
    #expect(
      try read(#"{"architecture": "a", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}"#)?.mean == [0.5, 0.5, 0.5])
    #expect(try read(#"{"id2label": {}}"#) == nil)
    #expect(
      sentence { _ = try read(#"{"pretrained_cfg": {"crop_mode": "border"}}"#) }
        == #"config.json: crop_mode: expected "center" or "squash", found "border""#)
  }

  @Test func byteOrderMarksAreIgnored() throws {
    let data = Data([0xEF, 0xBB, 0xBF]) + Data(#"{"size": 240}"#.utf8)
    #expect(try Preprocessing(decoding: data, name: "p.json").resize == .exact(width: 240, height: 240))
  }

  @Test func efficientNetsOwnKeys() throws {
    let json =
      #"{"rescale_factor": 0.5, "rescale_offset": true, "image_mean": 0.25, "image_std": 0.5, "include_top": true}"#
    let preprocessing = try Preprocessing(decoding: Data(json.utf8), name: "p.json")
    #expect(preprocessing.mean == [1.25, 1.25, 1.25] && preprocessing.standardDeviation == [0.25, 0.25, 0.25])
    let unnormalized =
      #"{"rescale_offset": true, "do_normalize": false, "image_mean": 0.25, "image_std": 0.5, "include_top": true}"#
    let once = try Preprocessing(decoding: Data(unnormalized.utf8), name: "p.json")
    #expect(once.mean == [1, 1, 1] && once.standardDeviation == [0.5, 0.5, 0.5])
  }

  @Test(arguments: [
    (#"{"do_resize": 1}"#, "do_resize: expected true or false, found 1"),
    (#"{"size": "big"}"#, sizeKinds + #"found "big""#),
    (#"{"size": {"height": 224}}"#, sizeKinds + #"found {"height": 224}"#),
    (#"{"size": -1}"#, sizeKinds + "found -1"),
    (#"{"crop_size": true}"#, #"crop_size: expected a positive integer or {"height", "width"}, found true"#),
    (#"{"resample": 6}"#, "resample: expected a Pillow filter from 0 to 5, found 6"),
    (#"{"rescale_factor": 0}"#, "rescale_factor: expected a number above 0, found 0"),
    (#"{"image_mean": [0.5, 0.5]}"#, "image_mean: expected one, three or four numbers, found [0.5, 0.5]"),
    (#"{"image_std": [1, 1, 0]}"#, "image_std: expected one, three or four numbers above 0, found [1, 1, 0]"),
    (
      #"{"image_mean": [0.5], "image_std": [1, 1, 1]}"#,
      "image_std: expected as many numbers as in image_mean, 1, found [1, 1, 1]"
    ),
    (#"{"crop_rounding": "up"}"#, #"crop_rounding: expected "huggingFace" or "torchvision", found "up""#),
    (#"{"do_flip_channel_order": "yes"}"#, #"do_flip_channel_order: expected true or false, found "yes""#),
    ("[1, 2]", "expected an object, found [1, 2]"),
  ])
  func wrongValues(json: String, expected: String) {
    #expect(sentence { _ = try Preprocessing(decoding: Data(json.utf8), name: "p.json") } == "p.json: " + expected)
  }

  static let sizeKinds =
    #"size: expected a positive integer, {"shortest_edge"}, {"longest_edge"} or {"height", "width"}, "#

  @Test func unreadableFiles() {
    #expect(
      sentence { _ = try Preprocessing(decoding: Data("{\"size\": ".utf8), name: "p.json") }
        == "p.json: not JSON; expected a preprocessor_config.json")
    #expect(
      sentence { _ = try Preprocessing(contentsOf: "none.json") }
        == "none.json: no such file; expected a preprocessor_config.json")
  }
}
