import RelevanceNetworks

extension NodeReader {
  /// Slice. All parameters are attributes before opset 10.
  func slice() throws -> Imported {
    var taken = [try operand(0, "data")]
    guard let starts = try list("starts", inputSince: 10, input: 1, in: &taken),
      let ends = try list("ends", inputSince: 10, input: 2, in: &taken)
    else { throw Defect("starts or ends is missing") }
    let axes = try list("axes", inputSince: 10, input: 3, in: &taken)
    let steps = try opset >= 10 ? list("steps", inputSince: 10, input: 4, in: &taken) : nil
    return .node(Slice(starts: starts, ends: ends, axes: axes, steps: steps), taken)
  }
}

extension Slice: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    [
      file.inputs(of: id)[0], file.list(starts, "starts", of: id), file.list(ends, "ends", of: id),
      file.list(axes, "axes", of: id), file.list(steps, "steps", of: id),
    ]
  }
}
