import Networks
import Tensors

extension NodeReader {
  /// InstanceNormalization with constant scale and shift.
  func instanceNormalization() throws -> Imported { try normalization(groups: nil, label: "B") }

  /// GroupNormalization with constant scale and shift: one of each per group before opset 21, per channel since.
  func groupNormalization() throws -> Imported {
    guard let groups = try attributes.int("num_groups") else { throw Defect("attribute num_groups is missing") }
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
      epsilon: try attributes.float("epsilon", default: 1e-5))
    return .node(normalization, [try operand(0, "X")])
  }
}

extension GroupNormalization: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    var attributes = [WrittenNode.Attribute("epsilon", .float(epsilon))]
    var (scale, shift) = (scale, shift)
    if let groups {
      file.require(opset: 21)
      attributes.append(.init("num_groups", .int(groups)))
      // Numbers that were one per group are spelled out.
      if case .fixed(let channels) = file.extents.shapes[id.index].extents[1], channels != scale.count {
        let positions = (0..<channels).map { $0 * scale.count / channels }
        let (all, shifts) = (scale.elements, shift.elements)
        scale = Tensor(shape: [channels], elements: positions.map { all[$0] })
        shift = Tensor(shape: [channels], elements: positions.map { shifts[$0] })
      }
    }
    let operands = [
      file.inputs(of: id)[0], file.parameter(scale, "scale", of: id), file.parameter(shift, "shift", of: id),
    ]
    file.finish(id, WrittenNode(kind.name, operands, attributes))
  }
}
