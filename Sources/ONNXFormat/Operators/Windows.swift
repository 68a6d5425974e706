import Networks
import Tensors

extension NodeReader {
  /// Conv: the kernel's extents are the weight's; `kernel_shape` may repeat them.
  func convolution() throws -> Imported {
    let x = try operand(0, "X")
    let weight = try weights(1, "W")
    let bias = try optionalWeights(2, "B")
    let groups = try attributes.int("group", default: 1)
    let shape = weight.shape
    guard shape.rank >= 3, shape.count > 0 else {
      throw Defect("weight \(shown(weight.name)) has shape \(shape); expected at least 3 axes, none of them empty")
    }
    guard shape.rank <= 4 else { throw Unsupported("a convolution over \(shape.rank - 2) axes; expected 1 or 2") }
    let kernel = Array(shape.dimensions[2...])
    if let declared = try attributes.ints("kernel_shape"), declared != kernel {
      throw Defect("kernel_shape is \(declared); the weight \(shown(weight.name)) of shape \(shape) has \(kernel)")
    }
    guard groups > 0, shape[0] % groups == 0 else {
      throw Defect("group is \(groups); expected a divisor of the \(shape[0]) outputs of weight \(shown(weight.name))")
    }
    try expect(x, rank: shape.rank, "X")
    if let bias, bias.shape != [shape[0]] {
      throw Defect("bias \(shown(bias.name)) has shape \(bias.shape); expected \(shape[0]), one number per output")
    }
    let convolution = Convolution(
      weight: try weight.floats(), bias: try bias?.floats(), window: try window(kernel: kernel), groups: groups)
    return .node(.convolution(convolution), [x])
  }

  /// MaxPool: dilations since opset 10; its second output is not supported.
  func maxPool() throws -> Imported {
    let x = try operand(0, "X")
    guard try attributes.int("storage_order", default: 0) == 0 else {
      throw Unsupported("storage_order 1, which only matters to the second output")
    }
    return .node(.maxPool(try poolingWindow(x)), [x])
  }

  /// AveragePool: dilations since opset 19.
  func averagePool() throws -> Imported {
    let x = try operand(0, "X")
    let pool = AveragePool(window: try poolingWindow(x), countsPadding: try attributes.flag("count_include_pad"))
    return .node(.averagePool(pool), [x])
  }

  private func poolingWindow(_ x: Operand) throws -> Window {
    guard let kernel = try attributes.ints("kernel_shape") else { throw Defect("attribute kernel_shape is missing") }
    guard (1...2).contains(kernel.count) else {
      throw Unsupported("pooling over \(kernel.count) axes; expected 1 or 2")
    }
    try expect(x, rank: kernel.count + 2, "X")
    return try window(kernel: kernel)
  }

  /// The attributes that all sliding windows share. `pads` lists what comes before each axis, then what comes after.
  func window(kernel: [Int]) throws -> Window {
    let padding: Padding?
    switch try attributes.string("auto_pad") ?? "NOTSET" {
    case "SAME_UPPER": padding = .sameUpper
    case "SAME_LOWER": padding = .sameLower
    case "VALID": padding = nil
    case "NOTSET", "":
      padding = try attributes.ints("pads").map { pads in
        guard pads.count == 2 * kernel.count, pads.allSatisfy({ $0 >= 0 }) else {
          throw Defect("pads is \(pads); expected \(2 * kernel.count) numbers ≥ 0, two per spatial axis")
        }
        return .explicit(before: Array(pads[..<kernel.count]), after: Array(pads[kernel.count...]))
      }
    case let other: throw Defect("auto_pad is \(shown(other)); expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    }
    do {
      return try Window(
        kernel: kernel, strides: attributes.ints("strides"), dilations: attributes.ints("dilations"), padding: padding,
        ceilMode: attributes.flag("ceil_mode"))
    } catch let error as WindowError {
      throw Defect(error.description)
    }
  }
}
