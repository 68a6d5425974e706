import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Three images and a network that is small enough for loops in double precision: a convolution of 3 × 3 with padding,
/// a rectifier and a fully connected layer, without biases. Only `subject` and `data` use the package's code.
struct TinyRun {
  static let (height, width, channels, classes) = (7, 6, 4, 5)
  static let plane = height * width
  /// The methods that are compared: saliency by the magnitude of the gradient, and by the positive part of relevance.
  static let methods: [any AttributionMethod] = [.gradient, .lrp]

  let scratch: Fixtures.Scratch
  let data: DataSet
  let subject: Subject
  private let kernel: [Double]
  private let head: [Double]
  /// Red, green, blue of each pixel of each image.
  private let bytes: [[UInt8]]
  private static let (mean, deviation) = ([0.4, 0.5, 0.6], [0.2, 0.25, 0.3])
  /// The classes that the images are labeled with.
  static let labels = [[0, 3], [2], [1, 4]]

  init() throws {
    scratch = try Fixtures.Scratch()
    bytes = (0..<3).map { image in (0..<3 * Self.plane).map { UInt8(Seeded.uniform(UInt64(80 + image), $0) * 256) }
    }
    let kernel = Seeded.tensor([Self.channels, 3, 3, 3], seed: 31)
    // No channel contributes to the last class, so its maps are zero.
    let head = Tensor(
      shape: [Self.classes, Self.channels * Self.plane],
      elements: (0..<Self.classes * Self.channels * Self.plane).map { index in
        index < (Self.classes - 1) * Self.channels * Self.plane ? Seeded.value(32, index, low: -1, high: 1) : 0
      })
    (self.kernel, self.head) = (kernel.elements.map(Double.init), head.elements.map(Double.init))
    var builder = GraphBuilder(item: [3, Self.height, Self.width])
    builder.add(
      "conv",
      try .seededConvolution(
        inputs: 3, outputs: Self.channels, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]),
        bias: false,
        seed: 31))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .linear(Linear(weight: head, bias: nil)))
    // Without biases, rule z is gradient × input.
    let table = try RuleTable(
      yaml: "rules: [{op: [Conv, Gemm], rule: z}, {op: Relu, rule: pass}]", pixelRange: nil)
    subject = Subject(
      try Explainer(
        builder.network(), rules: table,
        preprocessing: Preprocessing(resize: nil, crop: nil, mean: Self.mean, standardDeviation: Self.deviation)),
      methods: Self.methods)
    var images: [LabeledImage] = []
    for (image, labels) in Self.labels.enumerated() {
      let path = scratch.path("\(image).png")
      try RGBImage(width: Self.width, height: Self.height, pixels: bytes[image]).writePNG(to: path)
      images.append(LabeledImage(name: "\(image).png", path: path, classes: labels))
    }
    data = DataSet(name: "tiny", images: images)
  }

  /// The journal of a run.
  func journal(_ prepared: PreparedEvaluation) throws -> Journal {
    let journal = try prepared.run(journal: scratch.path("\(prepared.name)-\(UUID()).jsonl"))
    try #require(journal.failures.isEmpty && journal.entries.count == 3, "\(journal.failures)")
    return journal
  }

  // MARK: Values from the definitions

  /// An image as the network's input: channels of rows.
  func input(_ image: Int) -> [Double] {
    (0..<3 * Self.plane).map { index in
      let (channel, pixel) = (index / Self.plane, index % Self.plane)
      return (Double(bytes[image][pixel * 3 + channel]) / 255 - Self.mean[channel]) / Self.deviation[channel]
    }
  }

  /// The mean of the images, position by position.
  var meanInput: [Double] {
    let inputs = (0..<3).map(input)
    return inputs[0].indices.map { (inputs[0][$0] + inputs[1][$0] + inputs[2][$0]) / 3 }
  }

  /// Calls `body` for each product of the convolution, with the positions of output, input and weight.
  private func forEachProduct(_ body: (_ output: Int, _ input: Int, _ weight: Int) -> Void) {
    for channel in 0..<Self.channels {
      for row in 0..<Self.height {
        for column in 0..<Self.width {
          for source in 0..<3 {
            for i in 0..<3 where (0..<Self.height).contains(row + i - 1) {
              for j in 0..<3 where (0..<Self.width).contains(column + j - 1) {
                body(
                  (channel * Self.height + row) * Self.width + column,
                  (source * Self.height + row + i - 1) * Self.width + column + j - 1,
                  ((channel * 3 + source) * 3 + i) * 3 + j)
              }
            }
          }
        }
      }
    }
  }

  /// The convolution's output before the rectifier.
  private func hidden(_ x: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: Self.channels * Self.plane)
    forEachProduct { output, input, weight in sums[output] += x[input] * kernel[weight] }
    return sums
  }

  func logits(_ x: [Double]) -> [Double] {
    let hidden = hidden(x)
    return (0..<Self.classes).map { index in
      var sum = 0.0
      for (i, value) in hidden.enumerated() { sum += max(value, 0) * head[index * hidden.count + i] }
      return sum
    }
  }

  /// The rectifier's output.
  func rectified(_ x: [Double]) -> [Double] { hidden(x).map { max($0, 0) } }

  /// The head's weights of a class.
  func weights(of classIndex: Int) -> ArraySlice<Double> {
    let count = Self.channels * Self.plane
    return head[classIndex * count..<(classIndex + 1) * count]
  }

  /// The softmax.
  func probabilities(_ x: [Double]) -> [Double] {
    let powers = logits(x).map(exp)
    return powers.map { $0 / powers.reduce(0, +) }
  }

  /// The classes in descending order of their logits.
  func ranking(_ image: Int) -> [Int] {
    let logits = logits(input(image))
    return (0..<Self.classes).sorted { logits[$0] > logits[$1] }
  }

  /// The possible values of a channel of the input.
  static func range(_ channel: Int) -> (lower: Double, upper: Double) {
    (-mean[channel] / deviation[channel], (1 - mean[channel]) / deviation[channel])
  }

  /// The saliency of each pixel for a class, by each method.
  func saliency(_ image: Int, _ classIndex: Int) -> [[Double]] { saliency(input(image), classIndex) }

  /// For each channel after the rectifier, the sum of its values, of a class's weights for it, and of the products of
  /// both.
  func channels(
    _ image: Int, _ classIndex: Int
  ) -> [(activation: Double, slope: Double, contribution: Double)] {
    let hidden = hidden(input(image))
    return (0..<Self.channels).map { channel in
      var sums = (activation: 0.0, slope: 0.0, contribution: 0.0)
      for i in channel * Self.plane..<(channel + 1) * Self.plane {
        let (value, weight) = (max(hidden[i], 0), head[classIndex * hidden.count + i])
        sums.activation += value
        sums.slope += weight
        sums.contribution += value * weight
      }
      return sums
    }
  }

  /// The saliency of each pixel for any input.
  func saliency(_ x: [Double], _ classIndex: Int) -> [[Double]] {
    let hidden = hidden(x)
    var gradient = [Double](repeating: 0, count: x.count)
    forEachProduct { output, input, weight in
      if hidden[output] > 0 { gradient[input] += kernel[weight] * head[classIndex * hidden.count + output] }
    }
    var maps = [[Double]](repeating: [], count: 2)
    for pixel in 0..<Self.plane {
      let channels = [pixel, pixel + Self.plane, pixel + 2 * Self.plane]
      maps[0].append(channels.map { abs(gradient[$0]) }.max()!)
      maps[1].append(max(channels.reduce(0) { $0 + gradient[$1] * x[$1] }, 0))
    }
    return maps
  }

  /// An input in which some pixels are those of another one.
  func mixed(_ x: [Double], _ other: [Double], at pixels: Set<Int>) -> [Double] {
    x.indices.map { pixels.contains($0 % Self.plane) ? other[$0] : x[$0] }
  }
}

extension ResultTable {
  /// The value of an estimate, by the first cell of its row and the header of its column.
  func value(_ row: String, _ column: String) throws -> Double {
    let index = try #require(columns.firstIndex(of: column))
    let cells = try #require(rows.first { $0[0] == .text(row) })
    guard case .estimate(let estimate) = cells[index] else { return .nan }
    #expect(estimate.low <= estimate.value + 1e-12 && estimate.value <= estimate.high + 1e-12, "\(row), \(column)")
    return estimate.value
  }
}

/// Whether numbers are equal up to single precision.
func isClose(_ found: Double, _ expected: Double, within tolerance: Double = 2e-5) -> Bool {
  abs(found - expected) <= tolerance * max(abs(expected), 1)
}
