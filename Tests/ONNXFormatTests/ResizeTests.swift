import Foundation
import RelevanceONNXFormat
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Random resizings, compared with ONNX Runtime for whole tensors: scales and sizes, modes, coordinate transformations,
/// roundings, opsets 7 to 19, three to five axes.
@Suite struct ResizeTests {
  struct Case: Decodable {
    let opset: Int
    let shape: [Int]
    let mode: String
    let axes: [Int]?
    let scales: [Float]?
    let sizes: [Int]?
    let frame: String?
    let rounding: String?
    let policy: String?
    let output: [Int]

    /// The input: element i is (7919 i mod 1009) / 1009.
    var input: Tensor {
      let shape = TensorShape(shape)
      return Tensor(shape: shape, elements: (0..<shape.count).map { Float($0 * 7919 % 1009) / 1009 })
    }

    var model: WireModel {
      var attributes: [(String, WireAttribute)] = [("mode", .string(mode))]
      if let frame { attributes.append(("coordinate_transformation_mode", .string(frame))) }
      if let rounding { attributes.append(("nearest_mode", .string(rounding))) }
      if let policy { attributes.append(("keep_aspect_ratio_policy", .string(policy))) }
      if let axes { attributes.append(("axes", .ints(axes))) }
      let factors = scales ?? []
      var weights: [WireTensor] = []
      if opset < 9 {
        attributes.append(("scales", .floats(factors)))
      } else {
        if opset >= 11 { weights.append(.floats("roi", [0], [])) }
        weights.append(.floats("scales", [factors.count], factors))
        if let sizes { weights.append(.integers("sizes", sizes)) }
      }
      return .oneNode(
        opset < 10 ? "Upsample" : "Resize", weights.map(\.name), opset: opset, attributes: attributes,
        initializers: weights, input: shape)
    }
  }

  static let cases: [(test: Case, expected: Tensor)] = {
    guard let json = try? Fixtures.data("resize/cases.json"),
      let cases = try? JSONDecoder().decode([Case].self, from: json),
      let outputs = try? Fixtures.tensor("resize/outputs.npy").elements
    else { return [] }
    var start = 0
    return cases.map { test in
      let shape = TensorShape(test.output)
      defer { start += shape.count }
      return (test, Tensor(shape: shape, elements: Array(outputs[start..<start + shape.count])))
    }
  }()

  /// Nearest neighbors are bitwise equal. Interpolated values differ only by rounding, since positions are the same.
  @Test func matchesONNXRuntime() throws {
    #expect(Self.cases.count == 600)
    for (test, expected) in Self.cases {
      let found = try WritingTests.output(of: NeuralNetwork(onnx: test.model.bytes), test.input)
      #expect(found.shape == expected.shape, "\(test)")
      guard found.shape == expected.shape else { continue }
      if test.mode == "nearest" {
        #expect(found == expected, "\(test)")
      } else {
        #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(test)")
      }
    }
  }

  /// A written operator reads as the same resizing, for every original opset.
  @Test func isWrittenAsItWasRead() throws {
    let scratch = try Fixtures.Scratch()
    for (test, _) in Self.cases {
      let network = try NeuralNetwork(onnx: test.model.bytes)
      let summary = try ONNXWriter(placement: .inside).write(network, to: scratch.path("out.onnx"))
      #expect(test.policy == nil || summary.opset >= 18)
      let again = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
      #expect(
        try WritingTests.output(of: again, test.input) == WritingTests.output(of: network, test.input), "\(test)")
    }
  }

  /// Before opset 11, an axis that shrinks takes the upper neighbor: 1 … 8 by 0.6 is [1, 3] in ONNX Runtime, for two
  /// rows of four.
  @Test func shrinkingBeforeOpset11TakesTheUpperNeighbor() throws {
    let model = WireModel.oneNode(
      "Resize", ["scales"], opset: 10, attributes: [("mode", .string("nearest"))],
      initializers: [.floats("scales", [4], [1, 1, 0.6, 0.6])], input: [1, 1, 2, 4])
    let input = Tensor(shape: [1, 1, 2, 4], elements: (1...8).map { Float($0) })
    #expect(try WritingTests.output(of: NeuralNetwork(onnx: model.bytes), input).elements == [1, 3])
  }

  @Test(arguments: [
    ("tf_crop_and_resize", "linear", "roi is missing; expected the start and end of the resized part"),
    ("outer_space", "linear", "coordinate_transformation_mode is outer_space; expected half_pixel, "),
    ("half_pixel", "quadratic", "mode is quadratic; expected nearest, linear or cubic"),
  ])
  func unsupportedModesAreReported(frame: String, mode: String, reason: String) {
    let model = WireModel.oneNode(
      "Resize", ["", "scales"], opset: 18,
      attributes: [("mode", .string(mode)), ("coordinate_transformation_mode", .string(frame))],
      initializers: [.floats("scales", [4], [1, 1, 2, 2])])
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }
}
