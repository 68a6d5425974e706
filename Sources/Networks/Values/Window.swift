import RelevanceTensors

/// The padding of a window's input.
package enum Padding: Hashable, Sendable {
  case explicit(before: [Int], after: [Int])
  /// The padding that gives ⌈input/stride⌉ outputs. If it is odd, there is one more element at the end.
  case sameUpper
  /// The same; if it is odd, there is one more element at the start.
  case sameLower
}

/// A sliding window over the spatial axes: kernel, strides, dilations and padding, as ONNX defines them.
package struct Window: Hashable, Sendable {
  package let kernel: [Int]
  package let strides: [Int]
  package let dilations: [Int]
  package let padding: Padding
  /// Whether a last, partly covered window counts.
  package let ceilMode: Bool

  /// Creates a window. Nil is ONNX's default: a stride of 1 and no padding.
  ///
  /// - Throws: `Misfit` if a list differs in length from `kernel`, or if an extent or step is not positive.
  package init(
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
        throw Self.misfit(name, list, axes: kernel.count)
      }
    }
    if case .explicit(let before, let after) = self.padding {
      guard before.count == kernel.count, after.count == kernel.count,
        (before + after).allSatisfy({ abs($0) <= Int(Int32.max) })
      else { throw Self.misfit("pads", before + after, axes: kernel.count) }
    }
  }

  /// The number of windows along each spatial axis and the padding before it, for an input with the given extents.
  ///
  /// - Throws: `Misfit` if no window fits, or if the number of extents differs from the kernel's.
  package func placement(over extents: [Int]) throws -> (outputs: [Int], before: [Int]) {
    guard extents.count == kernel.count else { throw Self.misfit("kernel_shape", kernel, axes: extents.count) }
    var outputs: [Int] = []
    var leading: [Int] = []
    for axis in kernel.indices {
      let input = extents[axis]
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      let step = strides[axis]
      switch padding {
      case .explicit(let before, let after):
        let slack = input + before[axis] + after[axis] - reach
        // A single window may cover less than a whole kernel, as when a pool is larger than its input: it is the partly
        // covered window.
        guard slack >= 0 || ceilMode && slack > -step else {
          throw Misfit("the window covers \(reach) elements of spatial axis \(axis), but the input has \(input)")
        }
        var count = (ceilMode ? slack + step - 1 : slack) / step + 1
        // A window that starts in the padding after the input would cover no element.
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

  private static func misfit(_ name: String, _ list: [Int], axes: Int) -> Misfit {
    Misfit("\(name) is \(list); expected \(axes) positive numbers, one per spatial axis (two each for pads)")
  }
}

extension Window {
  var axes: Set<Int> { Set(2..<kernel.count + 2) }

  /// Whether windows may extend into padding.
  var mayPad: Bool {
    if case .explicit(let before, let after) = padding { return ceilMode || (before + after).contains { $0 > 0 } }
    return true
  }

  /// The shape of one value per window and channel.
  func pooledShape(of x: TensorShape) throws -> TensorShape {
    guard x.rank == kernel.count + 2 else {
      throw Misfit("expected \(kernel.count + 2) axes (batch × channels × space), found shape \(x)")
    }
    return try TensorShape(checking: [x[0], x[1]] + placement(over: Array(x.dimensions[2...])).outputs)
  }

  /// The elements under the windows of some outputs.
  ///
  /// - Parameters:
  ///   - elements: The outputs, batch × channels × windows.
  ///   - x: The shape of the input of the windows.
  ///   - channels: The input channels that some output channels depend on.
  func sources(of elements: ElementSet, in x: TensorShape, channels: ([Bool]) -> [Bool] = { $0 }) throws -> ElementSet {
    let before = try placement(over: Array(x.dimensions[2...])).before
    var meetsPadding = false
    var result = elements.mapped(to: x) { block in
      let space = kernel.indices.map { axis in
        var flags = [Bool](repeating: false, count: x[axis + 2])
        for (output, isIn) in block.axes[axis + 2].enumerated() where isIn {
          let first = output * strides[axis] - before[axis]
          let step = dilations[axis]
          // The first tap inside the input, and the first one after its end.
          let start = first < 0 ? (step - 1 - first) / step : 0
          let end = first < flags.count ? min(kernel[axis], (flags.count - 1 - first) / step + 1) : 0
          for tap in start..<max(start, end) { flags[first + tap * step] = true }
          if end - start < kernel[axis] { meetsPadding = true }
        }
        return flags
      }
      return [block.axes[0], channels(block.axes[1])] + space
    }
    result.meetsPadding = meetsPadding
    return result
  }
}

/// For each channel of a layer's input, whether some channels of its output depend on it, if channels are in groups.
///
/// - Parameters:
///   - flags: The channels of the output.
///   - groups: The number of groups of neighboring channels.
///   - count: The number of the input's channels.
func channels(before flags: [Bool], groups: Int, count: Int) -> [Bool] {
  let (outputs, inputs) = (flags.count / groups, count / groups)
  return (0..<groups).flatMap { group in
    [Bool](repeating: flags[group * outputs..<(group + 1) * outputs].contains(true), count: inputs)
  }
}
