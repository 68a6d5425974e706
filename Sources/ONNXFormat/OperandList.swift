import RelevanceNetworks

extension NodeReader {
  /// Integers that are either known or follow from the input's shape. In the second case they become an additional
  /// operand.
  func list(_ operand: Operand, in operands: inout [Operand]) throws -> List {
    if case .constant(let tensor) = operand { return .fixed(try tensor.integers()) }
    operands.append(operand)
    return .operand(operands.count - 1)
  }

  /// Integers that are an attribute before opset `since` and input `index` from then on; nil if they are left out.
  func list(_ label: String, inputSince since: Int, input index: Int, in operands: inout [Operand]) throws -> List? {
    guard opset >= since else { return try attributes.ints(label).map { .fixed($0) } }
    return try optionalOperand(index).map { try list($0, in: &operands) }
  }

  /// The same integers, which must be known.
  func integers(_ label: String, inputSince since: Int, input index: Int) throws -> [Int]? {
    opset < since ? try attributes.ints(label) : try optionalConstant(index, label)?.integers()
  }

  /// Axes without repetitions, counted from the front if the number of axes is known.
  func distinct(_ axes: [Int], rank: Int?) throws -> [Int] {
    let counted = try axes.map { axis in
      guard let rank else { return axis }
      guard (-rank..<rank).contains(axis) else {
        throw Defect("axes are \(axes); expected axes of a tensor of \(rank)")
      }
      return axis < 0 ? axis + rank : axis
    }
    guard Set(counted).count == counted.count else { throw Defect("axes are \(axes); expected each once") }
    return counted
  }

  /// Checks the number of axes of an operand if it is known.
  func expect(_ operand: Operand, rank: Int, _ label: String) throws {
    if let found = operand.rank, found != rank { throw Defect("input \(label) has \(found) axes; expected \(rank)") }
  }
}
