import RelevanceKit
import RelevanceTestSupport

/// A random network of the operators that transformers consist of: tokens are mixed, rearranged, combined, and at the
/// end often some of them are selected.
struct RandomTokenNetwork {
  private var builder: GraphBuilder
  private var random: SplitMix64
  private var shapes: [[Int]]
  /// The node that the next operator takes.
  private var current = Node.ID(0)
  private var constants = 0
  let inputShape: TensorShape

  init(seed: UInt64) {
    var random = SplitMix64(state: seed)
    let extents = [
      Int.random(in: 1...2, using: &random), Int.random(in: 4...9, using: &random),
      [4, 6, 8].randomElement(using: &random)!,
    ]
    (self.random, shapes, inputShape) = (random, [extents], TensorShape(extents))
    builder = GraphBuilder(input: extents)
    for _ in 0..<Int.random(in: 4...14, using: &self.random) { step() }
    if Int.random(in: 0..<4, using: &self.random) > 0 { select() }
    apply(.seededLinear(inputs: shape.last ?? 1, outputs: 3, seed: 9), to: Array(shape.dropLast()) + [3])
  }

  func network() throws -> NeuralNetwork { try builder.network() }

  private var shape: [Int] { shapes[current.index] }

  /// Adds a node with a known shape, and goes on with it.
  private mutating func apply(
    _ operation: any RelevanceKit.Operator, _ operands: [Node.ID]? = nil, to result: [Int]
  ) {
    let operands = operands ?? [current]
    let name = "n\(builder.count)"
    // Every operator here has one to three operands.
    current =
      switch operands.count {
      case 1: builder.add(name, operation, operands[0])
      case 2: builder.add(name, operation, operands[0], operands[1])
      default: builder.add(name, operation, operands[0], operands[1], operands[2])
      }
    shapes.append(result)
  }

  private mutating func constant(_ extents: [Int]) -> Node.ID {
    constants += 1
    shapes.append(extents)
    return builder.constant("c\(constants)", Seeded.tensor(TensorShape(extents), seed: UInt64(constants)))
  }

  private mutating func integers(_ values: [Int], scalar: Bool = false) -> Node.ID {
    constants += 1
    shapes.append(scalar ? [] : [values.count])
    let tensor = IntegerTensor(shape: scalar ? [] : [values.count], elements: values)
    return builder.integers("c\(constants)", tensor)
  }

  private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

  private mutating func step() {
    let axes = shape.count
    guard axes > 1, shape.reduce(1, *) > 1 else { return apply(.tanh, to: shape) }
    switch number(0..<16) {
    case 0: apply([.tanh, .relu, .gelu(approximate: false)][number(0..<3)], to: shape)
    case 1: combine()
    case 2, 3:
      let outputs = [4, 6, 8][number(0..<3)]
      apply(
        .seededLinear(inputs: shape[axes - 1], outputs: outputs, seed: UInt64(builder.count)),
        to: shape.dropLast() + [outputs])
    case 4:
      let width = shape[axes - 1]
      apply(
        .layerNormalization(
          LayerNormalization(
            axis: -1, scale: Seeded.tensor([width], seed: 3), shift: Seeded.tensor([width], seed: 4), epsilon: 1e-5)),
        to: shape)
    case 5: apply(.softmax(Softmax(axis: number(0..<axes), joinsTrailingAxes: false)), to: shape)
    case 6, 7:
      let order = Array(0..<axes).shuffled(using: &random)
      apply(.transpose(order: order), to: order.map { shape[$0] })
    case 8, 9: reshape()
    case 10: cut()
    case 11: join()
    case 12, 13: attend()
    case 14:
      let axis = number(0..<axes)
      apply(.mean(axes: [axis], keepsAxes: true), to: shape.enumerated().map { $0 == axis ? 1 : $1 })
    default: select()
    }
  }

  /// Adds or multiplies a constant, or an earlier value of the same shape.
  private mutating func combine() {
    let earlier = shapes.indices.filter { shapes[$0] == shape && $0 != current.index }
    let operand: Node.ID
    switch number(0..<4) {
    case 0 where !earlier.isEmpty: operand = Node.ID(earlier[number(0..<earlier.count)])
    case 1: operand = constant([])
    case 2: operand = constant(shape.enumerated().map { $0 == 1 ? $1 : 1 })
    default: operand = constant([shape[shape.count - 1]])
    }
    let operands = number(0..<2) == 0 ? [current, operand] : [operand, current]
    apply(number(0..<2) == 0 ? .add : .multiply, operands, to: shape)
  }

  private mutating func reshape() {
    let axis = number(0..<shape.count)
    var result = shape
    if number(0..<2) == 0, axis + 1 < shape.count {
      result.replaceSubrange(axis...axis + 1, with: [shape[axis] * shape[axis + 1]])
    } else if shape[axis] % 2 == 0, shape.count < 5 {
      result.replaceSubrange(axis...axis, with: [2, shape[axis] / 2])
    } else {
      return apply(.unsqueeze(axes: [axis]), to: Array(shape[..<axis] + [1] + shape[axis...]))
    }
    apply(.reshape(extents: .fixed(result), allowZero: false), to: result)
  }

  /// Part of an axis.
  private mutating func cut() {
    let axis = number(0..<shape.count)
    let extent = shape[axis]
    var result = shape
    if number(0..<3) == 0, extent % 2 == 0 {
      result[axis] = extent / 2
      return apply(.part(axis: axis, index: number(0..<2), count: 2), to: result)
    }
    let first = number(0..<extent)
    let (end, step) = (number(first + 1..<extent + 1), number(1..<3))
    result[axis] = (end - first + step - 1) / step
    apply(.slice(Slice(starts: [first], ends: [end], axes: [axis], steps: [step])), to: result)
  }

  private mutating func join() {
    let earlier = shapes.indices.filter { shapes[$0] == shape }
    let axis = number(0..<shape.count)
    var result = shape
    result[axis] *= 2
    apply(.concat(axis: axis), [current, Node.ID(earlier[number(0..<earlier.count)])], to: result)
  }

  /// Attention among the positions of the last axis but one.
  private mutating func attend() {
    let (width, axes, source) = (shape[shape.count - 1], shape.count, current)
    func linear(_ network: inout Self) -> Node.ID {
      network.apply(
        .seededLinear(inputs: width, outputs: 4, seed: UInt64(network.builder.count)), [source],
        to: network.shapes[source.index].dropLast() + [4])
      return network.current
    }
    var (q, v) = (linear(&self), linear(&self))
    if number(0..<3) == 0, axes > 2 {
      // One set of queries for all items, whose scores broadcast.
      apply(.mean(axes: [0], keepsAxes: true), [q], to: [1] + shapes[q.index].dropFirst())
      q = current
    }
    if number(0..<3) == 0, axes > 2 {
      apply(.mean(axes: [0], keepsAxes: true), [v], to: [1] + shapes[v.index].dropFirst())
      v = current
    }
    _ = linear(&self)
    let order = Array(0..<axes - 2) + [axes - 1, axes - 2]
    apply(.transpose(order: order), to: order.map { shape[$0] })
    let rows = shapes[source.index][axes - 2]
    let scores = Array(shapes[source.index].dropLast(2)) + [rows, rows]
    apply(MatrixProduct(), [q, current], to: scores)
    if number(0..<2) == 0 {
      let scale = constant([])
      apply(number(0..<2) == 0 ? .multiply : .divide, [Node.ID(scale.index - 1), scale], to: scores)
    }
    apply(.softmax(Softmax(axis: -1, joinsTrailingAxes: false)), to: scores)
    apply(MatrixProduct(), [current, v], to: scores.dropLast() + [4])
  }

  /// One position along an axis, or the first few.
  private mutating func select() {
    guard shape.count > 1 else { return }
    let axis = number(0..<shape.count - 1)
    var result = shape
    switch number(0..<4) {
    case 0 where shape[axis] > 2:
      // The sum of two positions, as with a distillation token.
      result.remove(at: axis)
      let operand = current
      let extent = shape[axis]
      var parts: [Node.ID] = []
      for _ in 0..<2 {
        apply(.gather(axis: axis), [operand, integers([number(1..<extent)], scalar: true)], to: result)
        parts.append(current)
      }
      apply(.add, parts, to: result)
    case 1:
      result.remove(at: axis)
      let (operand, index) = (current, number(0..<shape[axis]))
      apply(.gather(axis: axis), [operand, integers([index], scalar: true)], to: result)
    case 2:
      result[axis] = min(2, shape[axis])
      let (operand, first) = (current, number(0..<shape[axis] - result[axis] + 1))
      apply(.gather(axis: axis), [operand, integers(Array(first..<first + result[axis]))], to: result)
    default:
      result[axis] = 1
      apply(.slice(Slice(starts: [-1], ends: [Int.max], axes: [axis])), to: result)
    }
  }
}
