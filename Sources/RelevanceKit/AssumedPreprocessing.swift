import RelevanceImaging
import RelevanceNetworks
import RelevanceTensors

/// The preprocessing that is assumed if no file specifies it.
enum AssumedPreprocessing {
  /// The preprocessing that the network's input implies, or ImageNet's usual preprocessing if it implies none, with a
  /// description in words.
  static func of(_ network: NeuralNetwork, metadata: [String: String] = [:]) -> (Preprocessing, words: String) {
    let (channels, height, width) = network.imageExtents
    if let size = ultralyticsSize(metadata, task: "detect"), channels == 3 {
      let result = Preprocessing(
        resize: .exact(width: width ?? size.width, height: height ?? size.height), crop: nil, mean: [0, 0, 0],
        standardDeviation: [1, 1, 1], cropRounding: .torchvision)
      return (
        result,
        "pixels 0…1, resized to \(height ?? size.height)×\(width ?? size.width) as in the file's Ultralytics metadata, "
          + "but without its padding, which preserves the aspect ratio"
      )
    }
    var result = Preprocessing.imageNet
    var words = "ImageNet's usual preprocessing"
    func take(_ text: String, factor: Double) {
      let count = channels.flatMap(Preprocessing.Colors.init(rawValue:))?.rawValue ?? 3
      result = Preprocessing(
        rescaleFactor: factor, mean: [Double](repeating: 0, count: count),
        standardDeviation: [Double](repeating: 1, count: count), cropRounding: .torchvision)
      words = text
    }
    let kind = channels == 1 ? "gray pixels" : "pixels"
    if network.inputElements != .real {
      take("\(kind) 0…255 unscaled, because the input has integers", factor: 1)
    } else if let scaling = Scaling(of: network) {
      take(
        "\(kind) 0…\(scaling.takesBytes ? 255 : 1), because the network scales them itself",
        factor: scaling.takesBytes ? 1 : 1 / 255)
    } else if channels == 1 || channels == 4 {
      take("\(kind) 0…1" + (channels == 4 ? " with opacity, which is 1 everywhere" : ""), factor: 1 / 255)
    }
    guard let height, let width, height > 0, width > 0 else { return (result, words) }
    // Networks that detect objects or classify pixels take the whole image.
    let inferred = (try? network.analysis(forInput: network.exampleInputShape()))?.inferred
    let hasPositions = inferred.map { network.scoreLayout($0).hasPositions } ?? false
    if height == width, height >= 160, !hasPositions {
      // The crop of 224 pixels from 256, in proportion.
      (result.resize, result.crop) = (.shortestEdge(height * 8 / 7), .init(width: width, height: height))
    } else {
      (result.resize, result.crop) = (.exact(width: width, height: height), nil)
    }
    return (result, height == 224 && width == 224 && !hasPositions ? words : words + ", resized to \(height)×\(width)")
  }
}

extension AssumedPreprocessing {
  /// The height and width of images that Ultralytics' exporter writes into a model for a task, such as `[320, 320]`;
  /// nil if there are none.
  private static func ultralyticsSize(_ metadata: [String: String], task: String) -> (height: Int, width: Int)? {
    guard metadata["task"] == task, metadata["stride"] != nil, let text = metadata["imgsz"] else { return nil }
    let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
    guard numbers.count == 2, numbers.allSatisfy({ (1...1 << 14).contains($0) }) else { return nil }
    return (numbers[0], numbers[1])
  }
}

/// The scaling of pixels before a network's first layer: subtraction of means and division by deviations.
private struct Scaling {
  /// Whether the scaling fits pixels in 0…255 rather than 0…1.
  let takesBytes: Bool

  /// Nil if the scaling does not determine the range.
  init?(of network: NeuralNetwork) {
    // Quantized values have another scale, which does not indicate the range of pixels.
    func unquantized(_ id: Node.ID) -> Node.ID {
      let node = network.graph[id]
      let quantizers: Set<OperatorKind> = [.quantizeLinear, .dequantizeLinear, .dynamicQuantizeLinear, .cast]
      return quantizers.contains(node.operation.kind) ? unquantized(node.inputs[0]) : id
    }
    let first = network.outermostWeightedNodes(before: network.logits).first
    let operands = Set(first.map { unquantized(network.graph[$0].inputs[0]) }).subtracting([network.input])
    let unit = PixelRange(lower: [0], upper: [1])
    guard !operands.isEmpty, let range = network.ranges(of: operands, pixels: unit).values.first else { return nil }
    let (low, high) = (range.lower.elements, range.upper.elements)
    let scales = zip(low, high).map { $1 - $0 }.filter { $0 > 0 }
    guard !scales.isEmpty else { return nil }
    let (deviations, means) = (scales.map { 1 / $0 }, zip(low, high).map { -$0 / max($1 - $0, 1e-9) })
    if deviations.allSatisfy({ $0 >= 16 }) || means.contains(where: { abs($0) >= 8 }) {
      takesBytes = true
    } else if deviations.allSatisfy({ $0 <= 1 / 16 })
      || deviations.allSatisfy({ (0.1...0.6).contains($0) }) && means.allSatisfy({ (0.2...0.8).contains($0) })
    {
      takesBytes = false
    } else {
      return nil
    }
  }
}
