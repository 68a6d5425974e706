import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Images for networks with other inputs than [N, 3, H, W] of real numbers: other channels, axis orders and element
/// types.
@Suite struct ImageInputTests {
  private let bench: Workbench
  /// 4×4 pixels.
  private let image: RGBImage

  init() throws {
    bench = try Workbench()
    image = try RGBImage(width: 4, height: 4, pixels: (0..<48).map { UInt8($0 * 5) })
    try image.writePNG(to: bench.path("a.png"))
  }

  /// Writes a network whose logits are the channel means of the output of `front`.
  private func write(
    _ name: String, _ extents: [Int], of elements: ElementKind = .real, _ front: (inout GraphBuilder) -> Void = { _ in }
  ) throws {
    var builder = GraphBuilder(input: extents, of: elements)
    front(&builder)
    builder.add("pooled", .mean(axes: [2, 3], keepsAxes: false))
    _ = try ONNXWriter().write(builder.network(), to: bench.path(name))
  }

  /// The logits and the notes.
  private func predict(_ model: String, _ input: String = "a.png") throws -> (logits: [Float], errors: String) {
    let outcome = try bench.run("predict", model, input, "--save", "npy", "--output", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    return (try NumPyFile.read(bench.path("out/a/logits.npy")).elements, outcome.errors)
  }

  /// The channel means of the image, 0…255.
  private var means: [Float] {
    (0..<3).map { c in (0..<16).map { Float(image.pixels[$0 * 3 + c]) }.reduce(0, +) / 16 }
  }

  private func expect(_ found: [Float], _ expected: [Float]) {
    #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-3 }, "\(found)")
  }

  @Test func gray() throws {
    try write("gray.onnx", [1, 1, 4, 4])
    let gray = (0..<16).map { i in
      (Int(image.pixels[i * 3]) * 19595 + Int(image.pixels[i * 3 + 1]) * 38470 + Int(image.pixels[i * 3 + 2]) * 7471
        + 0x8000) >> 16
    }
    let (logits, errors) = try predict("gray.onnx")
    expect(logits, [Float(gray.reduce(0, +)) / 16 / 255])
    #expect(errors.contains("using gray pixels 0…1, resized to 4×4"))
    #expect(try bench.run("explain", "gray.onnx", "a.png", "--target", "class:0", "--output", "out").status == 0)
  }

  @Test func fourChannels() throws {
    try write("four.onnx", [1, 4, 4, 4])
    expect(try predict("four.onnx").logits, means.map { $0 / 255 } + [1])
  }

  @Test func channelsLast() throws {
    try write("last.onnx", [1, 4, 4, 3]) { $0.add("first", .transpose(order: [0, 3, 1, 2])) }
    let usual = Preprocessing.imageNet
    expect(
      try predict("last.onnx").logits,
      means.enumerated().map { ($1 / 255 - Float(usual.mean[$0])) / Float(usual.standardDeviation[$0]) })
    #expect(try bench.run("explain", "last.onnx", "a.png", "--output", "out").status == 0)
    #expect(try NumPyFile.read(bench.path("out/a/class2.clrp1.npy")).shape == [4, 4, 3])
  }

  @Test func bytes() throws {
    try write("bytes.onnx", [1, 4, 4, 3], of: .integer(.uint8)) {
      $0.add("real", Cast(to: .real))
      $0.add("first", .transpose(order: [0, 3, 1, 2]))
    }
    let (logits, errors) = try predict("bytes.onnx")
    expect(logits, means)
    #expect(errors.contains("using pixels 0…255 unscaled, because the input has integers, resized to 4×4"))
  }

  /// The scale of a quantized layer does not determine the range of pixels.
  @Test func quantizedLayers() throws {
    var builder = GraphBuilder(input: [1, 3, 4, 4])
    let steps = QuantizationSteps(scale: Tensor(shape: [], elements: [0.02]), zero: Tensor(shape: [], elements: [114]))
    builder.add("quantized", Quantize(steps, to: .uint8))
    let one = Tensor(shape: [3, 3, 1, 1], elements: [1, 0, 0, 0, 1, 0, 0, 0, 1])
    builder.add("conv", Convolution(weight: one, bias: nil, window: try Window(kernel: [1, 1]), groups: 1))
    builder.add("pooled", .mean(axes: [2, 3], keepsAxes: false))
    let network = try builder.network()
    _ = try ONNXWriter().write(network, to: bench.path("quantized.onnx"))
    let outcome = try bench.run("doctor", "quantized.onnx")
    #expect(outcome.output.contains("assumed: ImageNet's usual preprocessing"), "\(outcome.output)\(outcome.errors)")
  }

  /// Keras' Rescaling, x / 127.5 − 1, and Normalization, minus the mean and divided by the deviation, of pixels in 0…1.
  @Test(arguments: [(1 / 127.5, -1.0, 255.0), (4.0, -2.0, 1.0), (1.0, 0.0, 0.0), (1.0, -120.0, 255.0)])
  func scalingInside(scale: Double, shift: Double, top: Double) throws {
    var builder = GraphBuilder(input: [1, 4, 4, 3])
    let factor = builder.constant("scale", Tensor(shape: [1], elements: [Float(scale)]))
    let scaled = builder.add("scaled", .multiply, builder.input, factor)
    let offset = builder.constant("shift", Tensor(shape: [1], elements: [Float(shift)]))
    builder.add("shifted", .add, scaled, offset)
    builder.add("first", .transpose(order: [0, 3, 1, 2]))
    let one = Tensor(shape: [3, 3, 1, 1], elements: [1, 0, 0, 0, 1, 0, 0, 0, 1])
    builder.add("conv", Convolution(weight: one, bias: nil, window: try Window(kernel: [1, 1]), groups: 1))
    builder.add("pooled", .mean(axes: [2, 3], keepsAxes: false))
    _ = try ONNXWriter().write(builder.network(), to: bench.path("scaled.onnx"))
    let (logits, errors) = try predict("scaled.onnx")
    guard top > 0 else { return #expect(errors.contains("ImageNet's usual preprocessing")) }
    #expect(errors.contains("using pixels 0…\(Int(top)), because the network scales them itself"))
    expect(logits, means.map { $0 / 255 * Float(top) * Float(scale) + Float(shift) })
  }

  @Test func aFixedBatch() throws {
    try write("batch.onnx", [8, 3, 4, 4])
    let (logits, errors) = try predict("batch.onnx")
    #expect(logits.count == 3 && errors.contains("has a fixed batch of 8 images; images are run one by one"))
    // A network that mixes the items of its batch takes the whole batch.
    var builder = GraphBuilder(input: [2, 3, 4, 4])
    builder.add("pooled", .mean(axes: [2, 3], keepsAxes: false))
    builder.add("sum", .mean(axes: [0], keepsAxes: true))
    _ = try ONNXWriter().write(builder.network(), to: bench.path("mixed.onnx"))
    let mixed = try predict("mixed.onnx")
    expect(mixed.logits, logits)
    #expect(mixed.errors.contains("each image is repeated to fill it, and its map is the sum over the copies"))
    for model in ["batch", "mixed"] {
      #expect(
        try bench.run(
          "explain", "\(model).onnx", "a.png", "--target", "class:1", "--method", "gradient-x-input", "--output", model
        ).status == 0)
    }
    let maps = try ["batch", "mixed"].map { try NumPyFile.read(bench.path("\($0)/a/class1.gradient-x-input.npy")) }
    #expect(maps[0].shape == [3, 4, 4] && maps[0].relativeDistance(from: maps[1]) < 1e-5)
  }

  @Test func theItemsOfABatch() throws {
    try write("open.onnx", [1, 3, 4, 4])
    let batch = Seeded.tensor([3, 3, 4, 4], seed: 1)
    try NumPyFile.write(batch, to: bench.path("b.npy"))
    let outcome = try bench.run("predict", "open.onnx", "b.npy", "--save", "npy", "--output", "out")
    #expect(outcome.status == 0)
    for item in 0..<3 {
      #expect(outcome.output.contains("b.npy[\(item)]\n"))
      let logits = try NumPyFile.read(bench.path("out/b-\(item)/logits.npy")).elements
      expect(logits, (0..<3).map { c in (0..<16).map { batch.elements[item * 48 + c * 16 + $0] }.reduce(0, +) / 16 })
    }
  }

  @Test func rangesOfChannels() throws {
    func table(_ options: String...) throws -> Outcome {
      try bench.run(["explain", "bare.onnx", "input.npy", "--method", "lrp", "--output", "out"] + options)
    }
    #expect(try table().errors.contains("ImageNet's usual range is assumed"))
    let given = try table("--channel-range", "-9,9")
    #expect(given.status == 0 && !given.errors.contains("assumed") && !given.errors.contains("box"))
    let each = try table("--channel-range", "-9,9", "--channel-range", "-8,8", "--channel-range", "-7,7")
    #expect(each.status == 0)
    let two = try table("--channel-range", "-9,9", "--channel-range", "-8,8")
    #expect(
      two.status == 64
        && two.errors.contains("--channel-range is given 2 times; expected once, or once for each of 3 channels"))
    #expect(try table("--channel-range", "3").errors.contains("--channel-range 3: expected LOW,HIGH"))
  }
}
