import RelevanceKit
import RelevanceTestSupport
import Testing

/// Ranges of random chains of nodes: no value of a run is outside, and after nodes that do not mix values both ends are
/// reached.
///
/// The values come from the executor, which shares no code with the analysis.
@Suite struct RangeSweepTests {
  static let pixels = PixelRange(lower: [-1, -2, 0], upper: [1, 0.5, 3])

  /// The effect of a node on values.
  enum Kind {
    /// Each element is a function of one pixel.
    case simple
    /// Any other effect.
    case mixing
  }

  @Test(arguments: 0..<6 as Range<UInt64>) func chains(part: UInt64) throws {
    var known = 0
    var tight = 0
    for seed in part * 60..<(part + 1) * 60 {
      var maker = ChainMaker(seed: seed)
      let chain = try maker.chain()
      let network = try chain.builder.network()
      let output = network.graph.output
      let range = try #require(network.range(of: output, pixels: Self.pixels), "seed \(seed): \(chain.names)")
      known += 1
      let executor = Executor(network, threads: 1)
      var lowest: [Float] = []
      var highest: [Float] = []
      for input in inputs(chain.item, isLast: chain.isLast, seed: seed) {
        let value = try executor.trace(input).value(of: output)
        try #require(value.shape.rank == range.lower.shape.rank, "seed \(seed): \(chain.names)")
        let x = value.elements
        let (l, h) = (expanded(range.lower, to: value.shape), expanded(range.upper, to: value.shape))
        let outside = x.indices.first { i in
          let slack = 1e-4 * max(1, abs(l[i]), abs(h[i]))
          return !(x[i] >= l[i] - slack && x[i] <= h[i] + slack)
        }
        if let i = outside {
          Issue.record("seed \(seed): \(chain.names): element \(i) is \(x[i]), the range \(l[i])…\(h[i])")
          break
        }
        lowest = lowest.isEmpty ? x : zip(lowest, x).map { min($0, $1) }
        highest = highest.isEmpty ? x : zip(highest, x).map { max($0, $1) }
      }
      guard chain.kind == .simple else { continue }
      tight += 1
      let shape = try network.graph.shapes(forInput: network.exampleInputShape())[output.index]
      let (l, h) = (expanded(range.lower, to: shape), expanded(range.upper, to: shape))
      let loose = l.indices.first { i in
        let slack = 0.02 * (h[i] - l[i]) + 0.02
        return !(lowest[i] <= l[i] + slack && highest[i] >= h[i] - slack)
      }
      if let i = loose {
        Issue.record(
          "seed \(seed): \(chain.names): element \(i) was \(lowest[i])…\(highest[i]), the range \(l[i])…\(h[i])")
      }
    }
    #expect(known == 60 && tight >= 15)
  }

  /// Inputs from the whole box: along its diagonal and at random, including corners.
  private func inputs(_ item: [Int], isLast: Bool, seed: UInt64) -> [Tensor] {
    let shape = TensorShape([1] + item)
    let inner = isLast ? 1 : item[1...].reduce(1, *)
    func input(_ position: (Int) -> Float) -> Tensor {
      Tensor(
        shape: shape,
        elements: (0..<shape.count).map { index in
          let channel = index / inner % 3
          let t = position(index)
          return Self.pixels.lower[channel] * (1 - t) + Self.pixels.upper[channel] * t
        })
    }
    let diagonal = (0...60).map { step in input { _ in Float(step) / 60 } }
    let random = (0..<12).map { draw in
      input { index in
        let u = Float(Seeded.uniform(7000 + seed, draw * 1000 + index))
        return draw % 3 == 0 ? u.rounded() : u
      }
    }
    return diagonal + random
  }

  private func expanded(_ bound: Tensor, to shape: TensorShape) -> [Float] {
    let strides = zip(bound.shape.dimensions, bound.shape.strides).map { $0 == 1 ? 0 : $1 }
    let x = bound.elements
    return (0..<shape.count).map { position in
      zip(zip(shape.strides, shape.dimensions), strides).reduce(0) {
        $0 + position / $1.0.0 % $1.0.1 * $1.1
      }
    }.map { x[$0] }
  }

  /// Generates random chains.
  struct ChainMaker {
    private let seed: UInt64
    private var draws = 0

    struct Chain {
      var builder: GraphBuilder
      var item: [Int]
      var isLast: Bool
      var kind = Kind.simple
      var names: [String] = []
    }

    init(seed: UInt64) { self.seed = seed }

    private mutating func draw(_ range: ClosedRange<Int>) -> Int {
      draws += 1
      return range.lowerBound + Int(Seeded.uniform(5000 + seed, draws) * Double(range.count))
    }

    private mutating func number(_ low: Double, _ high: Double) -> Float {
      draws += 1
      return Float(low + (high - low) * Seeded.uniform(6000 + seed, draws))
    }

    mutating func chain() throws -> Chain {
      let isLast = draw(0...2) == 0
      let item = isLast ? [draw(4...6), draw(4...6), 3] : [3, draw(3...6), draw(3...6)]
      var chain = Chain(builder: GraphBuilder(item: item), item: item, isLast: isLast)
      var id = chain.builder.input
      for step in 0..<draw(1...5) {
        let shape = try chain.builder.graph().shapes(forInput: TensorShape([1] + item))[id.index]
        guard shape.count < 2000, shape.rank < 7 else { break }
        id = try add(to: &chain, id, shape, "n\(step)")
      }
      // With this node, the output is the last node unchanged.
      chain.builder.add("end", .multiply, id, chain.builder.constant("one", Tensor(shape: [1], repeating: 1)))
      return chain
    }

    /// Adds a random node that keeps the batch axis in place.
    private mutating func add(to chain: inout Chain, _ x: Node.ID, _ shape: TensorShape, _ name: String) throws
      -> Node.ID
    {
      let axis = shape.rank > 1 ? draw(1...shape.rank - 1) : 0
      func added(_ operation: any RelevanceKit.Operator, _ operands: Node.ID..., as kind: Kind = .simple) -> Node.ID {
        chain.names.append("\(kind)\(shape)")
        if kind == .mixing { chain.kind = .mixing }
        return operands.isEmpty
          ? chain.builder.add(name, operation, x)
          : operands.count == 1
            ? chain.builder.add(name, operation, operands[0])
            : chain.builder.add(name, operation, operands[0], operands[1])
      }
      func integers(_ values: [Int], _ extents: TensorShape? = nil) -> Node.ID {
        let numbers = Tensor(shape: extents ?? [values.count], elements: values.map { Float($0) })
        return chain.builder.add(name + "i", .cast(.integer(.int64)), chain.builder.constant(name + "l", numbers))
      }
      guard axis > 0 else { return added(.relu) }
      let extent = shape[axis]
      switch draw(0...24) {
      case 0:
        let step = [-2, -1, 1, 2][draw(0...3)]
        return step < 0
          ? added(.slice(Slice(starts: [-1], ends: [-extent - 9], axes: [axis - shape.rank], steps: [step])))
          : added(.slice(Slice(starts: [extent > 2 ? 1 : 0], ends: [1000], axes: [axis], steps: [step])))
      case 1: return added(.part(axis: axis, index: 0, count: min(2, extent)))
      case 2:
        let indices = (0..<4).map { _ in draw(0...extent - 1) }
        let form: TensorShape = [[4], [2, 2], []][draw(0...2)]
        return added(.gather(axis: axis), x, integers(Array(indices.prefix(form.count)), form))
      case 3:
        let mode: Pad.Mode =
          extent > 1 ? [.constant, .reflect, .edge, .wrap][draw(0...3)] : [.constant, .edge][draw(0...1)]
        return added(.pad(Pad(amounts: [1, 1], axes: [axis], mode: mode, value: number(-1, 1))))
      case 4:
        var order = Array(1..<shape.rank)
        for i in order.indices.reversed() where i > 0 { order.swapAt(i, draw(0...i)) }
        return added(.transpose(order: [0] + order))
      case 5: return added(.flatten(axis: 1))
      case 6: return added(.reshape(extents: [0, -1, shape[-1]], allowZero: false))
      case 7:
        let factor = (2...max(extent, 2)).first { extent % $0 == 0 } ?? extent
        let rest = extent / factor
        return added(
          .reshape(
            extents: .fixed(
              [0] + Array(shape.dimensions[1..<axis]) + [factor, rest] + shape.dimensions[(axis + 1)...]),
            allowZero: false))
      case 8: return added(.squeeze(axes: [axis]), chain.builder.add(name + "u", .unsqueeze(axes: [axis]), x))
      case 9:
        let wide = chain.builder.add(name + "u", .unsqueeze(axes: [axis]), x)
        return added(.expand, wide, integers([1] + (1..<axis).map { _ in 1 } + [2] + shape.dimensions[axis...]))
      case 10, 11:
        guard shape.rank == 4 else { return added(.identity) }
        let least = min(shape[2], shape[3]) > 1 ? 0.6 : 1
        let scales = [1, 1, number(least, 2.5), number(least, 2.5)]
        let mode: Resize.Mode = draw(0...1) == 0 ? .linear : .nearest
        let coordinates: Resize.Coordinates = [.halfPixel, .asymmetric, .alignCorners][draw(0...2)]
        let resize = Resize(scales: scales, sizes: nil, mode: mode, coordinates: coordinates, rounding: .floor)
        return added(.resize(resize), as: mode == .linear ? .mixing : .simple)
      case 12:
        let other = chain.builder.constant(name + "c", Seeded.tensor(shape, seed: seed, low: -2, high: 2))
        return added(.concat(axis: axis), x, draw(0...1) == 0 ? x : other)
      case 13: return added(.clip(lowest: number(-2, 0), highest: number(0, 2)))
      case 14: return added(.negate)
      case 15:
        let functions: [any ElementwiseFunction] = [
          .abs, .elu(alpha: 1), .elu(alpha: -0.5), .erf, .gelu(approximate: false), .gelu(approximate: true),
          .hardSwish,
          .hardSigmoid(alpha: -0.3, beta: 0.4), .leakyRelu(alpha: 0.1), .leakyRelu(alpha: -0.7), .mish, .sigmoid,
          .softplus, .tanh,
        ]
        return added(functions[draw(0...functions.count - 1)])
      case 16:
        // An operator that is only defined for positive numbers.
        let positive = chain.builder.add(
          name + "s", .add, chain.builder.add(name + "a", .abs, x),
          chain.builder.constant(name + "h", Tensor(shape: [1], repeating: 0.5)))
        return added([Sqrt(), Log(), Reciprocal()][draw(0...2)] as any ElementwiseFunction, positive)
      case 17:
        return added(.parametricRelu(slope: Seeded.tensor(TensorShape([1] + shape.dimensions.dropFirst()), seed: seed)))
      case 18, 19:
        // A constant along one axis, with both signs, as the first or second operand.
        var extents = [Int](repeating: 1, count: shape.rank)
        extents[axis] = extent
        let values = Seeded.tensor(TensorShape(extents), seed: seed + 90).map { $0 < 0 ? $0 - 0.3 : $0 + 0.3 }
        let constant = chain.builder.constant(name + "c", values)
        switch draw(0...4) {
        case 0: return added(.add, constant, x)
        case 1: return added(.multiply, x, constant)
        case 2: return added(.subtract, constant, x)
        case 3: return added(.divide, x, constant)
        default: return added([Minimum(), Maximum()][draw(0...1)] as any PairwiseFunction, x, constant)
        }
      case 20:
        let flipped = chain.builder.add(
          name + "f", .slice(Slice(starts: [-1], ends: [-extent - 9], axes: [axis], steps: [-1])), x)
        switch draw(0...4) {
        case 0: return added(.add, x, flipped, as: .mixing)
        case 1: return added(.maximum, x, flipped, as: .mixing)
        case 2: return added(.subtract, x, flipped, as: .mixing)
        case 3: return added(.multiply, x, flipped, as: .mixing)
        default: return added(.multiply, x, x)
        }
      case 21:
        let exponent = chain.builder.constant(name + "e", Tensor(shape: [1], repeating: [2, 3][draw(0...1)]))
        return added(.power, x, exponent)
      case 22:
        return added(.mean(axes: [axis], keepsAxes: draw(0...1) == 0), as: .mixing)
      case 23:
        let function: Reduction.Function = [.sum, .maximum, .minimum][draw(0...2)]
        return added(.reduce(Reduction(function, axes: [axis], keepsAxes: draw(0...1) == 0)), as: .mixing)
      default:
        guard shape.rank == 4, shape[2] > 1, shape[3] > 1 else {
          return added(.softmax(Softmax(axis: axis, joinsTrailingAxes: false)), as: .mixing)
        }
        let window = try Window(kernel: [2, 2], padding: draw(0...1) == 0 ? .sameUpper : nil)
        return draw(0...1) == 0
          ? added(.maxPool(window), as: .mixing)
          : added(.averagePool(AveragePool(window: window, countsPadding: true)), as: .mixing)
      }
    }
  }
}
