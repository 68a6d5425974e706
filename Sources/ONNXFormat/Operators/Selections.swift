import Networks
import Tensors

/// Operands of a node, the first of which carries data and further ones integers.
struct OperandList {
  private(set) var operands: [Operand]

  /// Integers that are known now, or will be when the shape of the input is; these become a further operand.
  mutating func list(_ operand: Operand) throws -> List {
    if case .constant(let tensor) = operand { return .fixed(try tensor.integers()) }
    operands.append(operand)
    return .operand(operands.count - 1)
  }
}

extension NodeReader {
  /// Integers that are an attribute before opset `since`, and input `index` from then on; nil if they are left out.
  private func list(
    _ label: String, inputSince since: Int, input index: Int, in operands: inout OperandList
  ) throws -> List? {
    guard opset >= since else { return try attributes.ints(label).map { .fixed($0) } }
    return try optionalOperand(index).map { try operands.list($0) }
  }

  /// Slice: everything is an attribute before opset 10.
  func slice() throws -> Imported {
    var list = OperandList(operands: [try operand(0, "data")])
    guard let starts = try self.list("starts", inputSince: 10, input: 1, in: &list),
      let ends = try self.list("ends", inputSince: 10, input: 2, in: &list)
    else { throw Defect("starts or ends are missing") }
    let axes = try self.list("axes", inputSince: 10, input: 3, in: &list)
    let steps = try opset >= 10 ? self.list("steps", inputSince: 10, input: 4, in: &list) : nil
    return .node(.slice(Slice(starts: starts, ends: ends, axes: axes, steps: steps)), list.operands)
  }

  /// Split: one slice per output. Extents of the parts are an attribute before opset 13; without them they are equal.
  func split(outputs: Int) throws -> Imported {
    let x = try operand(0, "input")
    let axis = try attributes.int("axis", default: 0)
    if let extents = try integers("split", inputSince: 13, input: 1) {
      guard extents.count == outputs, extents.allSatisfy({ $0 >= 0 && $0 <= Int(Int32.max) }) else {
        throw Defect("split is \(extents); expected \(outputs) extents, one per output")
      }
      var start = 0
      return .outputs(
        extents.map { extent in
          defer { start += extent }
          return part(of: axis, from: start, to: start + extent)
        }, [x])
    }
    // Equal parts of an extent that may not be known yet.
    guard outputs > 0 else { throw Defect("it has no outputs; expected at least 1") }
    return .outputs((0..<outputs).map { .part(axis: axis, index: $0, count: outputs) }, [x])
  }

  private func part(of axis: Int, from: Int, to: Int) -> Operator {
    .slice(Slice(starts: .fixed([from]), ends: .fixed([to]), axes: .fixed([axis])))
  }

  /// Gather: indices that are constant or follow from shapes.
  func gather() throws -> Imported {
    .node(
      .gather(axis: try attributes.int("axis", default: 0)), [try operand(0, "data"), try operand(1, "indices")])
  }

  /// Pad: amounts and value are attributes before opset 11; axes are an input since opset 18.
  func pad() throws -> Imported {
    var list = OperandList(operands: [try operand(0, "data")])
    let label = "pads"
    guard let amounts = try self.list(label, inputSince: 11, input: 1, in: &list) else {
      throw Defect("pads are missing")
    }
    let name = try attributes.string("mode") ?? "constant"
    guard let mode = Pad.Mode(rawValue: name) else {
      throw Defect("mode is \(shown(name)); expected constant, reflect, edge or wrap")
    }
    var value = try opset < 11 ? attributes.float("value", default: 0) : 0
    if opset >= 11, let constant = try optionalConstant(2, "constant_value") {
      guard constant.shape.count == 1 else {
        throw Defect("constant_value has shape \(constant.shape); expected one number")
      }
      value = try constant.values().elements[0]
      guard !value.isNaN else { throw Defect("constant_value is NaN; expected a number") }
    }
    let axes = try opset >= 18 ? self.list("axes", inputSince: 18, input: 3, in: &list) : nil
    return .node(.pad(Pad(amounts: amounts, axes: axes, mode: mode, value: value)), list.operands)
  }

  /// Expand.
  func expand() throws -> Imported { .node(.expand, [try operand(0, "input"), try operand(1, "shape")]) }

  /// Resize and, before opset 10, Upsample: by constant scales, or to sizes that may follow from shapes.
  func resize() throws -> Imported {
    var list = OperandList(operands: [try operand(0, "X")])
    let isUpsample = opset < 10 || operands.count == 2 && opset == 10
    var scales: [Float]?
    var sizes: List?
    if opset < 9, let factors = try attributes.floats("scales") {
      scales = factors
    } else if let operand = optionalOperand(opset >= 11 ? 2 : 1) {
      let tensor = try known(operand, else: "scales are computed; expected constants")
      if tensor.shape.count > 0 { scales = try tensor.floats().elements }
    }
    if scales == nil, opset >= 11, let operand = optionalOperand(3) { sizes = try list.list(operand) }
    guard scales != nil || sizes != nil else { throw Defect("neither scales nor sizes are given") }
    guard try !attributes.flag("antialias") else { throw Unsupported("antialias 1; expected 0") }
    let policy = try attributes.string("keep_aspect_ratio_policy") ?? "stretch"
    guard let aspectRatio = Resize.AspectRatio(rawValue: policy) else {
      throw Defect("keep_aspect_ratio_policy is \(shown(policy)); expected stretch, not_larger or not_smaller")
    }
    let mode: Resize.Mode
    switch try attributes.string("mode") ?? "nearest" {
    case "nearest": mode = .nearest
    case "linear", "bilinear": mode = .linear
    case let other: throw Unsupported("mode \(shown(other)); expected nearest or linear")
    }
    let frame = try attributes.string("coordinate_transformation_mode") ?? (isUpsample ? "asymmetric" : "half_pixel")
    let older = opset < 11
    guard let coordinates = older ? .asymmetric : Resize.Coordinates(rawValue: frame) else {
      throw Unsupported(
        "coordinate_transformation_mode \(shown(frame)); expected \(Self.frames.joined(separator: ", "))")
    }
    let rounding = try attributes.string("nearest_mode") ?? "round_prefer_floor"
    guard let rounding = older ? .simple : Resize.Rounding(rawValue: rounding), older || rounding != .simple else {
      throw Defect("nearest_mode is \(shown(rounding))")
    }
    let resize = Resize(
      scales: scales, sizes: sizes, axes: try attributes.ints("axes"), mode: mode, coordinates: coordinates,
      rounding: rounding, aspectRatio: aspectRatio)
    return .node(.resize(resize), list.operands)
  }

  private static let frames = [
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn",
  ]
}
