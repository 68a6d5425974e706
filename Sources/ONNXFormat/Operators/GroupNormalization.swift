import Networks
import Tensors

extension NodeReader {
  func instanceNormalization() throws -> Imported { try normalization(groups: nil, label: "B") }

  /// GroupNormalization with constant scale and shift: one of each per group before opset 21, per channel since.
  func groupNormalization() throws -> Imported {
    let groups = try attributes.required("num_groups")
    guard groups > 0 else { throw Defect("num_groups is \(groups); expected a positive number") }
    return try normalization(groups: groups, label: "bias")
  }

  private func normalization(groups: Int?, label: String) throws -> Imported {
    let (scale, shift) = (try weights(1, "scale"), try weights(2, label))
    guard scale.shape.rank == 1, scale.shape == shift.shape else {
      throw Defect(
        "scale has shape \(scale.shape) and \(label) \(shift.shape); expected one number per channel in each")
    }
    if let groups, opset < 21, scale.shape.count != groups {
      throw Defect("scale has \(scale.shape.count) numbers; expected \(groups), one per group")
    }
    let normalization = GroupNormalization(
      groups: groups, scale: try scale.floats(), shift: try shift.floats(),
      epsilon: try attributes.float("epsilon") ?? 1e-5)
    return try node(normalization, "X")
  }
}

extension GroupNormalization: WritableOperator {
  var opset: Int { groups == nil ? 0 : 21 }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    guard groups != nil, case .fixed(let channels) = file.extents.shapes[id.index].extents[1], channels != scale.count
    else { return file.operand(of: id, with: [("scale", scale), ("shift", shift)]) }
    // Numbers that were one per group are spelled out.
    func repeated(_ numbers: Tensor) -> Tensor {
      Tensor(shape: [channels], elements: (0..<channels).map { numbers.view[$0 * numbers.count / channels] })
    }
    return file.operand(of: id, with: [("scale", repeated(scale)), ("shift", repeated(shift))])
  }
  var attributes: [WrittenNode.Attribute] {
    [("epsilon", .float(epsilon))] + (groups.map { [("num_groups", .int($0))] } ?? [])
  }
}
