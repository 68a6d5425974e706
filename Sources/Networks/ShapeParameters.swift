import Tensors

/// A list of integers that a node needs: fixed by the model, or the value of one of its operands, which must then be known
/// before the network runs.
public enum List: Hashable, Sendable {
  /// The integers themselves.
  case fixed([Int])
  /// The value of the node's operand at this position, from 0.
  case operand(Int)

  /// The integers.
  func values(_ operands: [Inferred], _ name: String) throws -> [Int] {
    switch self {
    case .fixed(let values): return values
    case .operand(let index):
      guard operands.indices.contains(index), let values = operands[index].literal?.integers else {
        throw Misfit("\(name) depends on the image; expected integers that follow from shapes")
      }
      return values
    }
  }
}

extension List: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { self = .fixed(elements) }
}

/// Part of a tensor: along some axes, every `step`th element from `start` on, before `end`.
public struct Slice: Hashable, Sendable {
  /// First indices; negative ones count from the end.
  public let starts: List
  /// Where to stop; negative ones count from the end.
  public let ends: List
  /// The axes; nil means the first ones.
  public let axes: List?
  /// Steps; nil means 1.
  public let steps: List?

  /// Makes a slice.
  public init(starts: List, ends: List, axes: List? = nil, steps: List? = nil) {
    self.starts = starts
    self.ends = ends
    self.axes = axes
    self.steps = steps
  }

  /// The indices that remain along each axis that is sliced.
  func indices(of x: Shape, _ operands: [Inferred]) throws -> [(axis: Int, indices: [Int])] {
    let starts = try self.starts.values(operands, "starts")
    let ends = try self.ends.values(operands, "ends")
    let axes = try self.axes?.values(operands, "axes") ?? Array(starts.indices)
    let steps = try self.steps?.values(operands, "steps") ?? starts.map { _ in 1 }
    guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
      throw Misfit(
        "starts, ends, axes and steps have \(starts.count), \(ends.count), \(axes.count) and \(steps.count) numbers")
    }
    return try axes.indices.map { i in
      let axis = try normalised(axes[i], rank: x.rank)
      let (extent, step) = (x[axis], steps[i])
      guard step != 0, step != Int.min else { throw Misfit("a step is 0 or out of range") }
      func clamped(_ index: Int, _ range: ClosedRange<Int>) -> Int {
        min(max(index < 0 ? max(index, -extent - 1) + extent : index, range.lowerBound), range.upperBound)
      }
      if step > 0 {
        let (from, to) = (clamped(starts[i], 0...extent), clamped(ends[i], 0...extent))
        return (axis, from < to ? Array(stride(from: from, to: to, by: step)) : [])
      }
      guard extent > 0 else { return (axis, []) }
      let from = clamped(starts[i], 0...extent - 1)
      let to = ends[i] < -extent ? -1 : clamped(ends[i], -1...extent - 1)
      return (axis, from > to ? Array(stride(from: from, to: to, by: step)) : [])
    }
  }
}

/// Elements added around a tensor, or, where numbers are negative, cut off.
public struct Pad: Hashable, Sendable {
  /// What is added.
  public enum Mode: String, Hashable, Sendable {
    /// A constant.
    case constant
    /// The tensor mirrored at its first and last elements, which are not repeated.
    case reflect
    /// The first and last elements repeated.
    case edge
    /// The tensor repeated, as if it were periodic.
    case wrap
  }
  /// How many before each axis, then how many after each.
  public let amounts: List
  /// The axes; nil means all.
  public let axes: List?
  /// What is added.
  public let mode: Mode
  /// The constant.
  public let value: Float

  /// Makes a padding.
  public init(amounts: List, axes: List? = nil, mode: Mode = .constant, value: Float = 0) {
    self.amounts = amounts
    self.axes = axes
    self.mode = mode
    self.value = value
  }

  func selection(of x: Shape, _ operands: [Inferred]) throws -> Selection {
    let amounts = try self.amounts.values(operands, "pads")
    let axes = try self.axes?.values(operands, "axes").map { try normalised($0, rank: x.rank) } ?? Array(0..<x.rank)
    guard amounts.count == 2 * axes.count else {
      throw Misfit("pads has \(amounts.count) numbers; expected \(2 * axes.count), two per axis")
    }
    var indices = x.dimensions.map { Array(0..<$0) }
    for (i, axis) in axes.enumerated() {
      let (before, after, extent) = (amounts[i], amounts[axes.count + i], x[axis])
      guard before > Int.min else { throw Misfit("pads \(amounts) are too large") }
      // Checked, so that a hostile number cannot ask for more than memory holds.
      _ = try Shape(checking: [max(before, 0), 4]); _ = try Shape(checking: [max(after, 0), 4])
      let range = -before..<max(extent + after, -before)
      guard range.count <= 1 << 24 else { throw Misfit("pads \(amounts) are too large") }
      guard mode == .constant || extent > 0 else { throw Misfit("an empty axis cannot be padded by \(mode.rawValue)") }
      indices[axis] = try range.map { index in
        if (0..<extent).contains(index) { return index }
        switch mode {
        case .constant: return -1
        case .edge: return index < 0 ? 0 : extent - 1
        case .wrap: return ((index % extent) + extent) % extent
        case .reflect:
          guard extent > 1 || index == 0 else {
            throw Misfit("an axis of extent \(extent) cannot be padded by reflection")
          }
          let period = 2 * (extent - 1)
          let phase = ((index % period) + period) % period
          return phase < extent ? phase : period - phase
        }
      }
    }
    _ = try Shape(checking: indices.map(\.count))
    return Selection(input: x, axes: indices.enumerated().map { (source: $0.offset, indices: $0.element) }, fill: value)
  }
}

/// Sum, product or extreme over whole axes.
public struct Reduction: Hashable, Sendable {
  /// What is computed.
  public enum Function: String, Hashable, Sendable {
    /// Σ x; 0 of no elements.
    case sum
    /// Π x; 1 of no elements.
    case product
    /// The largest element; −∞ of no elements.
    case maximum
    /// The smallest element; ∞ of no elements.
    case minimum

    /// The value for no elements.
    package var neutralElement: Double {
      switch self {
      case .sum: 0
      case .product: 1
      case .maximum: -.infinity
      case .minimum: .infinity
      }
    }
  }
  /// What is computed.
  public let function: Function
  /// The axes; negative ones count from the end, nil means all.
  public let axes: List?
  /// Whether the axes stay, with extent 1.
  public let keepsAxes: Bool

  /// Makes a reduction.
  public init(_ function: Function, axes: List?, keepsAxes: Bool) {
    self.function = function
    self.axes = axes
    self.keepsAxes = keepsAxes
  }

  var kind: OperatorKind {
    switch function {
    case .sum: .reduceSum
    case .product: .reduceProd
    case .maximum: axes == .fixed([2, 3]) && keepsAxes ? .globalMaxPool : .reduceMax
    case .minimum: .reduceMin
    }
  }

  /// The axes, counted from the front.
  package func axes(of x: Shape, _ operands: [Inferred]) throws -> Set<Int> {
    guard let axes else { return Set(0..<x.rank) }
    return try Set(axes.values(operands, "axes").map { try normalised($0, rank: x.rank) })
  }

  /// The function of two values.
  package func combine(_ a: Double, _ b: Double) -> Double {
    switch function {
    case .sum: a + b
    case .product: a * b
    case .maximum: Swift.max(a, b)
    case .minimum: Swift.min(a, b)
    }
  }
}

/// The adjoint of a convolution: each input is spread over a window of outputs.
public struct TransposedConvolution: Sendable {
  /// inputs × outputs/groups × kernel height × kernel width: the weights of the convolution that it is the adjoint of.
  public let weight: Tensor
  /// One number per output channel.
  public let bias: Tensor?
  /// The window of the convolution that it is the adjoint of.
  public let window: Window
  /// Elements added at the end of each spatial axis of the output.
  public let outputPadding: [Int]
  /// Number of groups of channels that do not see each other.
  public let groups: Int

  /// Makes a transposed convolution.
  public init(weight: Tensor, bias: Tensor?, window: Window, outputPadding: [Int], groups: Int) {
    self.weight = weight
    self.bias = bias
    self.window = window
    self.outputPadding = outputPadding
    self.groups = groups
  }
}

/// Normalisation of each position over its trailing axes, `y = scale · (x − mean)/√(variance + ε) + shift`.
public struct LayerNormalization: Sendable {
  /// The first axis that is normalised over; negative ones count from the end.
  public let axis: Int
  /// Of the normalised axes' shape.
  public let scale: Tensor
  /// Of the normalised axes' shape.
  public let shift: Tensor?
  /// Added to the variance.
  public let epsilon: Float

  /// Makes the operator.
  public init(axis: Int, scale: Tensor, shift: Tensor?, epsilon: Float) {
    self.axis = axis
    self.scale = scale
    self.shift = shift
    self.epsilon = epsilon
  }
}
