import RelevanceExecution
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Operators that select, repeat or mix elements: their adjoint is the transpose of the forward pass.
@Suite struct SelectionTests {
  static let operations: [(RelevanceKit.Operator, name: String)] = [
    (.slice(Slice(starts: [1, -4], ends: [3, 9], axes: [1, -1], steps: [1, 2])), "slice"),
    (.slice(Slice(starts: [-1], ends: [-9], axes: [2], steps: [-2])), "backward slice"),
    (.slice(Slice(starts: [1], ends: [2], axes: [0])), "slice of the batch"),
    (.part(axis: 1, index: 1, count: 2), "part"),
    (.pad(Pad(amounts: [0, 1, 2, 0, 0, 0, 1, 3])), "pad"),
    (.pad(Pad(amounts: [0, 0, -1, 2, 0, 0, 2, -3])), "crop and pad"),
    (.pad(Pad(amounts: [2, 3, 2, 1], axes: [2, 3], mode: .reflect)), "reflect"),
    (.pad(Pad(amounts: [0, 0, 2, 3, 0, 0, 2, 1], mode: .edge)), "edge"),
    (.pad(Pad(amounts: [0, 0, 2, 3, 0, 0, 2, 1], mode: .wrap)), "wrap"),
    (.transpose(order: [0, 3, 1, 2]), "transpose"),
    (
      .resize(
        Resize(scales: [1, 1, 2, 1.5], sizes: nil, mode: .nearest, coordinates: .asymmetric, rounding: .floor)),
      "nearest"
    ),
    (
      .resize(
        Resize(scales: nil, sizes: [2, 4, 3, 11], mode: .linear, coordinates: .halfPixel, rounding: .preferFloor)),
      "linear"
    ),
    (
      .resize(
        Resize(scales: nil, sizes: [2, 4, 9, 4], mode: .linear, coordinates: .alignCorners, rounding: .preferFloor)),
      "corners"
    ),
  ]

  /// ⟨A·x, s⟩ = ⟨x, Aᵀ·s⟩ for every item and seed; the operand follows a rectifier that keeps its positive values.
  @Test(arguments: operations.indices, [1, 3]) func adjointsAreTransposes(index: Int, seeds: Int) throws {
    let (operation, name) = Self.operations[index]
    // A sliced batch cannot have several seeds for each item.
    guard name != "slice of the batch" || seeds == 1 else { return }
    var builder = GraphBuilder(item: [4, 5, 6])
    builder.add("relu", .relu)
    let id = builder.add(name, operation)
    let x = Seeded.tensor([2, 4, 5, 6], seed: 1, low: 0, high: 1)
    let trace = try Executor(builder.network(), threads: 2).trace(x)
    let y = trace.value(of: id)
    let kernel = try #require(trace.kernel(of: id) as? any LinearKernel)
    let items = name == "slice of the batch" ? 1 : 2
    let (above, below) = (y.count / items, x.count / items)
    let s = Seeded.tensor([items * seeds * above], seed: 2)
    let back = Tensor(uninitialized: [items * seeds * below]) { result in
      s.withUnsafeElements {
        kernel.adjoint($0.baseAddress!, seeds: seeds, [result.baseAddress!], on: trace.workers)
      }
    }
    for item in 0..<items * seeds {
      let of = item / seeds
      let forward = (0..<above).reduce(0.0) {
        $0 + Double(y.elements[of * above + $1]) * Double(s.elements[item * above + $1])
      }
      let backward = (0..<below).reduce(0.0) {
        $0 + Double(x.elements[of * below + $1]) * Double(back.elements[item * below + $1])
      }
      #expect(abs(forward - backward) <= 1e-4 * max(1, abs(forward)), "\(name), item \(item)")
    }
  }

  /// A transposed convolution is the transpose of the convolution with the same weights.
  @Test(arguments: [1, 2], [1, 2]) func transposedConvolutionsAreTransposed(stride: Int, groups: Int) throws {
    let weight = Seeded.tensor(TensorShape([4, 6 / groups, 3, 3]), seed: 3)
    let window = try Window(
      kernel: [3, 3], strides: [stride, stride], padding: .explicit(before: [1, 0], after: [0, 1]))
    let transposed = TransposedConvolution(
      weight: weight, bias: nil, window: window, outputPadding: [stride - 1, 0], groups: groups)
    var builder = GraphBuilder(item: [4, 5, 6])
    let id = builder.add("up", .transposedConvolution(transposed))
    let x = Seeded.tensor([2, 4, 5, 6], seed: 4)
    let trace = try Executor(builder.network(), threads: 2).trace(x)
    let y = trace.value(of: id)
    let kernel = try #require(trace.kernel(of: id) as? any WeightedKernel)
    // By the definition, each input is added to its window.
    var expected = [Double](repeating: 0, count: y.count)
    let (height, width) = (y.shape[2], y.shape[3])
    for n in 0..<2 {
      for (c, row, column) in (0..<4 * 5 * 6).map({ ($0 / 30, $0 / 6 % 5, $0 % 6) }) {
        for (o, ky, kx) in (0..<6 / groups * 9).map({ ($0 / 9, $0 / 3 % 3, $0 % 3) }) {
          let (oy, ox) = (row * stride + ky - 1, column * stride + kx)
          guard (0..<height).contains(oy), (0..<width).contains(ox) else { continue }
          let channel = c / (4 / groups) * (6 / groups) + o
          expected[((n * 6 + channel) * height + oy) * width + ox] +=
            Double(x[n, c, row, column]) * Double(weight[c, o, ky, kx])
        }
      }
    }
    #expect(y.largestDifference(from: expected) <= Tolerance.singlePrecision)
    for (part, seeds) in [(WeightPart.all, 1), (.positive, 2), (.negative, 3)] {
      let s = Seeded.tensor([2 * seeds * y.count / 2], seed: 5)
      let product = Tensor(uninitialized: y.shape) { result in
        x.withUnsafeElements {
          kernel.product(part, $0.baseAddress!, result.baseAddress!, accumulates: false, on: trace.workers)
        }
      }
      let back = Tensor(uninitialized: [2 * seeds * x.count / 2]) { result in
        s.withUnsafeElements {
          kernel.adjoint(part, $0.baseAddress!, seeds: seeds, result.baseAddress!, factor: nil, on: trace.workers)
        }
      }
      for item in 0..<2 * seeds {
        let (above, below) = (y.count / 2, x.count / 2)
        let forward = (0..<above).reduce(0.0) {
          $0 + Double(product.elements[item / seeds * above + $1]) * Double(s.elements[item * above + $1])
        }
        let backward = (0..<below).reduce(0.0) {
          $0 + Double(x.elements[item / seeds * below + $1]) * Double(back.elements[item * below + $1])
        }
        #expect(abs(forward - backward) <= 1e-4 * max(1, abs(forward)), "\(part), item \(item)")
      }
    }
  }
}
