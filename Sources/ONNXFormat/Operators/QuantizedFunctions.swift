import RelevanceNetworks
import RelevanceTensors

/// Other operators on integers, computed in the real numbers that these represent.
extension NodeReader {
  /// An operator with one operand: X, its scale and zero point, then scale and zero point of the output.
  func quantizedFunction(_ function: @escaping (NodeReader) throws -> Imported) throws -> Imported {
    let x = try operand(0, "X")
    return .assembly { graph in
      let real = try real(x, 1, 2, in: &graph)
      let result = try graph.place(function(taking(real)), named: name)[0]
      return [try integers(result, 3, 4, in: &graph)]
    }
  }

  /// A pool with channels in the second or last position.
  func quantizedPool(_ pool: @escaping (NodeReader) throws -> Imported) throws -> Imported {
    let isLast = try attributes.flag("channels_last")
    let x = try operand(0, "X")
    return .assembly { graph in
      let real = try real(x, 1, 2, in: &graph)
      let result = try channelsSecond(real, if: isLast, in: &graph) { try pool(taking($0)) }
      return [try integers(result, 3, 4, in: &graph)]
    }
  }

  /// A pool of an operand with channels last, of any element type.
  func channelsLastPool(_ pool: @escaping (NodeReader) throws -> Imported) throws -> Imported {
    let x = try operand(0, "x")
    return .assembly { graph in [try channelsSecond(x, if: true, in: &graph) { try pool(taking($0)) }] }
  }

  /// Softmax, whose opset is an attribute.
  func quantizedSoftmax() throws -> Imported {
    let opset = try attributes.int("opset") ?? 13
    return try quantizedFunction { node in
      let node = node.taking(node.operands[0], opset: opset)
      return try node.node(node.softmax(isLogarithm: false), "X")
    }
  }

  /// A pairwise function: A with scale and zero point, B with scale and zero point, then those of the output.
  func quantizedPair(_ function: any PairwiseFunction) throws -> Imported {
    let (a, b) = (try operand(0, "A"), try operand(3, "B"))
    return .assembly { graph in
      let (a, b) = (try real(a, 1, 2, in: &graph), try real(b, 4, 5, in: &graph))
      return [try integers(try graph.add(function, [a, b], named: name), 6, 7, in: &graph)]
    }
  }

  /// The inputs are scale and zero point of the output, then each operand with its own.
  func quantizedConcat() throws -> Imported {
    guard operands.count >= 5, operands.count % 3 == 2 else {
      throw Defect("it has \(operands.count) inputs; expected two plus three for each operand")
    }
    let parts = try stride(from: 2, to: operands.count, by: 3).map { ($0, try operand($0, "X")) }
    let axis = try attributes.required("axis")
    return .assembly { graph in
      let all = try parts.map { try real($1, $0 + 1, $0 + 2, in: &graph) }
      return [try integers(try graph.add(Concat(axis: axis), all, named: name), 0, 1, in: &graph)]
    }
  }

  /// Applies a layer that expects channels in the second position. If `isLast`, transposes the operand before and the
  /// result after it.
  func channelsSecond(
    _ x: Operand, if isLast: Bool, in graph: inout GraphImporter, _ layer: (Operand) throws -> Imported
  ) throws -> Operand {
    guard isLast else { return try graph.place(layer(x), named: name)[0] }
    let rank = try rank(of: x, else: "channels are last, and the number of axes is unknown")
    guard rank >= 3 else { throw Defect("its operand has \(rank) axes; expected batch × space × channels") }
    let first = try graph.add(
      Transpose(order: [0, rank - 1] + Array(1..<rank - 1)), [x], named: "\(name).channels_first")
    let result = try graph.place(layer(first), named: name)[0]
    return try graph.add(
      Transpose(order: [0] + Array(2..<rank) + [1]), [result], named: "\(name).channels_last")
  }
}
