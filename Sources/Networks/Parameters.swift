import Tensors

/// An extent that the model fixes, or one that it leaves to the input and gives a name.
public enum SymbolicExtent: Hashable, Sendable, CustomStringConvertible {
  /// The extent that the model fixes.
  case fixed(Int)
  /// The name of an open extent, such as `batch`; empty where the model gives none.
  case symbolic(String)

  public var description: String {
    switch self {
    case .fixed(let extent): String(extent)
    case .symbolic(let name): name.isEmpty ? "?" : name
    }
  }
}

/// The shape of a network's input, some extents of which may be open.
public struct SymbolicShape: Hashable, Sendable, CustomStringConvertible {
  /// The extents, outermost first.
  public let extents: [SymbolicExtent]
  /// Makes a shape.
  public init(_ extents: [SymbolicExtent]) { self.extents = extents }
  /// Whether a concrete shape fits.
  public func admits(_ shape: Shape) -> Bool {
    shape.rank == extents.count
      && zip(extents, shape.dimensions).allSatisfy { extent, found in
        if case .fixed(let expected) = extent { expected == found } else { found > 0 }
      }
  }
  /// A shape that fits: fixed extents as they are, `batch` items, and `side` for an open height or width; less where that would be
  /// more elements than an image has.
  package func example(batch: Int = 1, side: Int = 224) -> Shape {
    for side in [side, 8, 2] {
      let shape = try? Shape(checking: dimensions(batch: batch, side: side))
      if let shape, shape.count <= Self.largestExample { return shape }
    }
    return Shape(dimensions(batch: 1, side: 1))
  }

  private func dimensions(batch: Int, side: Int) -> [Int] {
    extents.enumerated().map { axis, extent in
      if case .fixed(let extent) = extent { extent } else if axis == 0 { batch } else { side }
    }
  }

  private static let largestExample = 1 << 30

  /// Checks that a tensor with the extents that are fixed can exist.
  ///
  /// - Throws: `ShapeError`.
  func checkFixedExtents() throws { _ = try Shape(checking: dimensions(batch: 1, side: 1)) }
  public var description: String { extents.map(\.description).joined(separator: "×") }
}

/// How far a window reaches past the edges of its input.
public enum Padding: Hashable, Sendable {
  /// Elements added before and after each spatial axis.
  case explicit(before: [Int], after: [Int])
  /// As many as give ⌈input/stride⌉ outputs, an odd one placed after.
  case sameUpper
  /// The same, an odd one placed before.
  case sameLower
}

/// A sliding window over the spatial axes: kernel, strides, dilations and padding, as ONNX defines them.
public struct Window: Hashable, Sendable {
  /// Extent of the kernel along each spatial axis.
  public let kernel: [Int]
  /// Step between neighbouring windows.
  public let strides: [Int]
  /// Step between neighbouring elements of a window.
  public let dilations: [Int]
  /// Elements added around the input.
  public let padding: Padding
  /// Whether a last, partly covered window counts.
  public let ceilMode: Bool

  /// Makes a window; nil stands for ONNX's defaults: steps of 1 and no padding.
  ///
  /// - Throws: `WindowError` if a list has another length than `kernel`, or an extent or step is not positive.
  public init(
    kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, padding: Padding? = nil, ceilMode: Bool = false
  ) throws {
    let ones = [Int](repeating: 1, count: kernel.count)
    let zeros = [Int](repeating: 0, count: kernel.count)
    self.kernel = kernel
    self.strides = strides ?? ones
    self.dilations = dilations ?? ones
    self.padding = padding ?? .explicit(before: zeros, after: zeros)
    self.ceilMode = ceilMode
    for (name, list) in [("kernel_shape", kernel), ("strides", self.strides), ("dilations", self.dilations)] {
      guard list.count == kernel.count, list.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
        throw WindowError.invalid(name, list, axes: kernel.count)
      }
    }
    if case .explicit(let before, let after) = self.padding {
      guard before.count == kernel.count, after.count == kernel.count,
        (before + after).allSatisfy({ abs($0) <= Int(Int32.max) })
      else { throw WindowError.invalid("pads", before + after, axes: kernel.count) }
    }
  }

  /// The number of windows along each spatial axis and the padding before it, for an input of the given extents.
  ///
  /// - Throws: `WindowError.tooSmall` if not even one window fits, `WindowError.invalid` if the number of extents is not the kernel's.
  public func placement(over extents: [Int]) throws -> (outputs: [Int], before: [Int]) {
    guard extents.count == kernel.count else { throw WindowError.invalid("kernel_shape", kernel, axes: extents.count) }
    var outputs: [Int] = []
    var leading: [Int] = []
    for axis in kernel.indices {
      let input = extents[axis]
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      let step = strides[axis]
      switch padding {
      case .explicit(let before, let after):
        let slack = input + before[axis] + after[axis] - reach
        guard slack >= 0 else { throw WindowError.tooSmall(extent: input, reach: reach, axis: axis) }
        var count = (ceilMode ? slack + step - 1 : slack) / step + 1
        // A window that starts in the padding after the input would see nothing.
        if ceilMode, (count - 1) * step >= input + before[axis] { count -= 1 }
        outputs.append(count)
        leading.append(before[axis])
      case .sameUpper, .sameLower:
        let count = (input + step - 1) / step
        let total = max((count - 1) * step + reach - input, 0)
        outputs.append(count)
        leading.append(padding == .sameUpper ? total / 2 : (total + 1) / 2)
      }
    }
    return (outputs, leading)
  }
}

/// A window that is not one, or does not fit its input.
public enum WindowError: RelevanceKitError {
  /// An attribute has the wrong length or a value out of range.
  case invalid(String, [Int], axes: Int)
  /// The kernel reaches further than the padded input.
  case tooSmall(extent: Int, reach: Int, axis: Int)

  public var category: ErrorCategory { .badData }
  public var description: String {
    switch self {
    case .invalid(let name, let list, let axes):
      "\(name) is \(list); expected \(axes) positive numbers, one per spatial axis (two each for pads)"
    case .tooSmall(let extent, let reach, let axis):
      "the window reaches over \(reach) elements of spatial axis \(axis), but the input has \(extent)"
    }
  }
}

/// Convolution, `y[m] = b[m] + Σ_c W[m,c] ⋆ x[c]`.
public struct Convolution: Sendable {
  /// outputs × inputs/groups × kernel height × kernel width.
  public let weight: Tensor
  /// One number per output channel.
  public let bias: Tensor?
  /// Kernel, strides, dilations, padding.
  public let window: Window
  /// Number of groups of channels that do not see each other.
  public let groups: Int

  /// Makes a convolution.
  public init(weight: Tensor, bias: Tensor?, window: Window, groups: Int) {
    self.weight = weight
    self.bias = bias
    self.window = window
    self.groups = groups
  }
}

/// A fully connected layer, `y = W·x + b`.
public struct Linear: Sendable {
  /// outputs × inputs.
  public let weight: Tensor
  /// One number per output.
  public let bias: Tensor?

  /// Makes a layer.
  public init(weight: Tensor, bias: Tensor?) {
    self.weight = weight
    self.bias = bias
  }
}

/// Mean over a window.
public struct AveragePool: Hashable, Sendable {
  /// Kernel, strides, padding.
  public let window: Window
  /// Whether padding counts in the number that the sum is divided by.
  public let countsPadding: Bool

  /// Makes a pooling operator.
  public init(window: Window, countsPadding: Bool) {
    self.window = window
    self.countsPadding = countsPadding
  }
}

/// Mean over whole axes.
public struct Mean: Hashable, Sendable {
  /// The axes; negative ones count from the end.
  public let axes: [Int]
  /// Whether the axes stay, with extent 1.
  public let keepsAxes: Bool

  /// Makes a mean.
  public init(axes: [Int], keepsAxes: Bool) {
    self.axes = axes
    self.keepsAxes = keepsAxes
  }

  /// Whether it averages height and width of batch × channels × height × width. Axes counted from the front are taken to
  /// be those of an image; the importer counts them so.
  public var isGlobalAveragePooling: Bool {
    let axes = Set(self.axes)
    return axes == [2, 3] || axes == [-2, -1]
  }
}

/// Local response normalisation, `y = x / (bias + alpha/size · Σ x²)^beta` over `size` neighbouring channels.
public struct LocalResponseNormalization: Hashable, Sendable {
  /// How many neighbouring channels are summed.
  public let size: Int
  /// The factor of the mean square.
  public let alpha: Float
  /// The exponent.
  public let beta: Float
  /// What is added to the mean square.
  public let bias: Float

  /// Makes the operator.
  public init(size: Int, alpha: Float, beta: Float, bias: Float) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
  }
}

/// Batch normalisation in inference: `y = scale · x + shift` per channel.
public struct BatchNormalization: Sendable {
  /// `γ / √(σ² + ε)`, one number per channel.
  public let scale: Tensor
  /// `β − μ · scale`, one number per channel.
  public let shift: Tensor

  /// Makes the operator from its scale and shift, one number per channel each.
  public init(scale: Tensor, shift: Tensor) {
    self.scale = scale
    self.shift = shift
  }

  /// Makes the operator from the learned and the running statistics, one number per channel each.
  public init(gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Float) {
    let scale = gamma.combined(with: variance) { $0 / ($1 + epsilon).squareRoot() }
    self.scale = scale
    self.shift = beta.combined(with: mean.combined(with: scale, *), -)
  }
}

/// The axis over which probabilities sum to one.
public struct Softmax: Hashable, Sendable {
  /// The axis; negative ones count from the end.
  public let axis: Int
  /// Whether all axes from `axis` on are normalised together, as ONNX did before opset 13.
  public let joinsTrailingAxes: Bool

  /// Makes the parameters.
  public init(axis: Int, joinsTrailingAxes: Bool) {
    self.axis = axis
    self.joinsTrailingAxes = joinsTrailingAxes
  }
}
