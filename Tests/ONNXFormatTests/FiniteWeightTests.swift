import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// Weights must be finite. Other constants may be infinite, but not NaN.
@Suite struct FiniteWeightTests {
  /// Every learned tensor of every operator, with one invalid element.
  static let layers: [(model: WireModel, node: String)] = [
    (.oneNode("Conv", ["w", "b"], initializers: [ones("w", [3, 2, 1, 1]), ones("b", [3])]), "Conv"),
    (
      .oneNode("ConvTranspose", ["w", "b"], initializers: [ones("w", [2, 3, 2, 2]), ones("b", [3])]), "ConvTranspose"
    ),
    (.oneNode("Gemm", ["w", "b"], initializers: [ones("w", [2, 3]), ones("b", [3])], input: [1, 2]), "Gemm"),
    (.oneNode("MatMul", ["w"], initializers: [ones("w", [4, 5])]), "MatMul"),
    (.oneNode("PRelu", ["w"], initializers: [ones("w", [2, 1, 1])]), "PRelu"),
    (
      .oneNode("LayerNormalization", ["w", "b"], opset: 17, initializers: [ones("w", [4]), ones("b", [4])]),
      "LayerNormalization"
    ),
    (
      .oneNode("BatchNormalization", ["s", "b", "m", "v"], initializers: ["s", "b", "m", "v"].map { ones($0, [2]) }),
      "BatchNormalization"
    ),
  ]

  static func ones(_ name: String, _ dims: [Int]) -> WireTensor {
    .floats(name, dims, [Float](repeating: 1, count: dims.reduce(1, *)))
  }

  private static func sentence(_ model: WireModel) -> String? {
    do {
      _ = try ONNXFile(model.bytes).graph
      return nil
    } catch { return "\(error)" }
  }

  @Test func everyWeightIsChecked() {
    for (model, op) in Self.layers {
      #expect(Self.sentence(model) == nil)
      for index in model.initializers.indices {
        for (value, found) in [
          (Float.nan, "1 NaN"), (.infinity, "1 infinite"), (-.infinity, "1 infinite"), (-.signalingNaN, "1 NaN"),
        ] {
          var model = model
          let tensor = model.initializers[index]
          let count = tensor.dims.reduce(1, *)
          var elements = [Float](repeating: 1, count: count)
          elements[count / 2] = value
          model.initializers[index] = .floats(tensor.name, tensor.dims, elements)
          #expect(
            Self.sentence(model)
              == "model: node it (\(op)): \(tensor.name) has \(found) among \(count) elements; expected finite weights"
          )
        }
      }
    }
  }

  @Test func bothKindsAreCounted() {
    var model = Self.layers[0].model
    model.initializers[0] = .floats("w", [3, 2, 1, 1], [.nan, 1, .infinity, .nan, 0, -.infinity])
    #expect(
      Self.sentence(model)
        == "model: node it (Conv): w has 2 NaN and 2 infinite among 6 elements; expected finite weights")
  }

  /// Weights in other forms than initializers of floats.
  @Test func weightsInOtherFormsAreChecked() {
    let end = "elements; expected finite weights"
    var half = Self.layers[3].model
    half.initializers[0] = WireTensor(
      name: "w", dims: [4, 5], type: 10, raw: littleEndian([UInt16](repeating: 0x7C00, count: 20)))
    #expect(Self.sentence(half) == "model: node it (MatMul): w has 20 infinite among 20 \(end)")
    var double = Self.layers[4].model
    double.initializers[0] = WireTensor(name: "w", dims: [2, 1, 1], type: 11, raw: littleEndian([1e300, Double.nan]))
    #expect(Self.sentence(double) == "model: node it (PRelu): w has 1 NaN and 1 infinite among 2 \(end)")
    // A computed constant: 0 ÷ 0.
    var computed = Self.layers[3].model
    computed.initializers[0] = .floats("zeros", [4, 5], [Float](repeating: 0, count: 20))
    computed.nodes.insert(WireNode(op: "Div", inputs: ["zeros", "zeros"], outputs: ["w"], name: "quotient"), at: 0)
    #expect(Self.sentence(computed) == "model: node it (MatMul): quotient has 20 NaN among 20 \(end)")
  }

  @Test func computedWeightsAreChecked() {
    var normalization = Self.layers[6].model
    normalization.initializers[3] = .floats("v", [2], [1, -1])
    #expect(
      Self.sentence(normalization)
        == "model: node it (BatchNormalization): scale/√(input_var + epsilon) has 1 NaN among 2 elements; "
        + "expected finite weights")
    var gemm = Self.layers[2].model
    gemm.nodes[0].attributes = [("alpha", .float(.infinity))]
    #expect(
      Self.sentence(gemm)
        == "model: node it (Gemm): alpha·B has 6 infinite among 6 elements; expected finite weights")
  }

  /// Masks contain infinities. NaN is always an error.
  @Test func otherConstants() {
    for op in ["Add", "Mul", "Sub", "Div", "Max", "Min"] {
      func model(_ value: Float) -> WireModel {
        .oneNode(op, ["c"], initializers: [.floats("c", [2], [1, value])], input: [1, 2])
      }
      #expect(Self.sentence(model(-.infinity)) == nil)
      #expect(Self.sentence(model(.nan)) == "model: node it (\(op)): c has 1 NaN among 2 elements; expected numbers")
    }
    let clip = { (value: Float) in
      WireModel.oneNode("Clip", ["l"], initializers: [.floats("l", [], [value])])
    }
    #expect(Self.sentence(clip(-.infinity)) == nil)
    #expect(Self.sentence(clip(.nan))?.contains("min is nan and max is inf; expected numbers") == true)
    // A value without users does no harm.
    var unused = Self.layers[0].model
    unused.initializers.append(.floats("unused", [1], [.nan]))
    #expect(Self.sentence(unused) == nil)
  }
}
