import RelevanceNetworks

extension NodeReader {
  /// Pad: amounts and value are attributes before opset 11; `axes` is an input since opset 18.
  func pad() throws -> Imported {
    var taken = [try operand(0, "data")]
    guard let amounts = try list(opset < 2 ? "paddings" : "pads", inputSince: 11, input: 1, in: &taken) else {
      throw Defect("pads is missing")
    }
    let name = try attributes.string("mode") ?? "constant"
    guard let mode = Pad.Mode(rawValue: name) else {
      throw Defect("mode is \(shown(name)); expected constant, reflect, edge or wrap")
    }
    var value = try opset < 11 ? attributes.float("value") ?? 0 : 0
    if opset >= 11, let constant = try optionalConstant(2, "constant_value") {
      guard constant.shape.count == 1 else {
        throw Defect("constant_value has shape \(constant.shape); expected one number")
      }
      value = try constant.values().elements[0]
      guard !value.isNaN else { throw Defect("constant_value is NaN; expected a number") }
    }
    let axes = try opset >= 18 ? list("axes", inputSince: 18, input: 3, in: &taken) : nil
    return .node(Pad(amounts: amounts, axes: axes, mode: mode, value: value), taken)
  }
}

extension Pad: WritableOperator {
  /// Pad. Fixed amounts for some axes become amounts for all axes.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    var (amounts, axes) = (amounts, axes)
    let rank = file.rank(ofOperandOf: id)
    if case .fixed(let some) = amounts, case .fixed(let chosen) = axes, some.count == 2 * chosen.count {
      var all = [Int](repeating: 0, count: 2 * rank)
      for (index, axis) in chosen.enumerated() {
        let axis = axis < 0 ? axis + rank : axis
        all[axis] = some[index]
        all[rank + axis] = some[chosen.count + index]
      }
      (amounts, axes) = (.fixed(all), nil)
    }
    if axes != nil { file.require(opset: 18) }
    if mode == .wrap { file.require(opset: 19) }
    let operands = [
      file.inputs(of: id)[0], file.list(amounts, "pads", of: id), value == 0 ? "" : file.number(value, "value", of: id),
      file.list(axes, "axes", of: id),
    ]
    file.finish(id, WrittenNode("Pad", operands, [("mode", .string(mode.rawValue))]))
  }
}
