import RelevanceNetworks

extension NodeReader {
  func poolingWindow(_ x: Operand) throws -> Window {
    let kernel = try attributes.present(attributes.ints("kernel_shape"), "kernel_shape")
    guard (1...3).contains(kernel.count) else {
      throw Unsupported("the window has \(kernel.count) axes; expected 1 to 3")
    }
    try expect(x, rank: kernel.count + 2, "X")
    return try window(kernel: kernel)
  }

  /// The attributes that all sliding windows share. `pads` lists the padding before each axis, then after each axis.
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
    } catch let error as Misfit {
      throw Defect(error.description)
    }
  }
}

extension Window {
  var attributes: [WrittenNode.Attribute] {
    let padding: WrittenNode.Attribute =
      switch padding {
      case .explicit(let before, let after): ("pads", .ints(before + after))
      case .sameUpper: ("auto_pad", .string("SAME_UPPER"))
      case .sameLower: ("auto_pad", .string("SAME_LOWER"))
      }
    return [
      ("kernel_shape", .ints(kernel)), ("strides", .ints(strides)), ("dilations", .ints(dilations)), padding,
    ]
  }

  /// Whether ceiling mode can place a window completely in the padding after an input. Such a window does not count,
  /// but ONNX's shape rules up to opset 21 count it, and its checker then rejects the file's shapes.
  var canStartBehindInput: Bool {
    guard ceilMode, case .explicit(_, let after) = padding else { return false }
    return kernel.indices.contains { strides[$0] + after[$0] > (kernel[$0] - 1) * dilations[$0] + 1 }
  }
}
