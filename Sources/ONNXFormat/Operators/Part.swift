import RelevanceNetworks

extension NodeReader {
  /// Split: one slice per output. The extents of the parts are an attribute before opset 13; without them, the parts
  /// are equal.
  func split(outputs: Int) throws -> Imported {
    let x = try operand(0, "input")
    let axis = try attributes.int("axis") ?? 0
    if let extents = try integers("split", inputSince: opset < 2 && operands.count > 1 ? 1 : 13, input: 1) {
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
    // Equal parts of an extent that may be unknown.
    guard outputs > 0 else { throw Defect("it has no outputs; expected at least 1") }
    return .outputs((0..<outputs).map { Part(axis: axis, index: $0, count: outputs) }, [x])
  }

  private func part(of axis: Int, from: Int, to: Int) -> any Operator {
    Slice(starts: .fixed([from]), ends: .fixed([to]), axes: .fixed([axis]))
  }
}

extension Part: WritableOperator {
  /// Split, written together with the first of its parts.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.require(opset: 18)
    // A repeated part, or a part whose predecessors belong to another Split, starts a new one.
    guard !file.writtenParts.contains(id) else { return }
    let graph = file.graph
    var outputs: [String?] = Array(repeating: nil, count: count)
    for other in graph.ids where other >= id && graph[other].inputs == graph[id].inputs {
      guard let part = graph[other].operation as? Part, part.axis == axis, part.count == count,
        outputs[part.index] == nil,
        !file.writtenParts.contains(other)
      else { continue }
      outputs[part.index] = file.values[other.index]
      file.writtenParts.insert(other)
      file.described.append(other)
    }
    let name = graph[id].name
    let named = outputs.enumerated().map { index, output in output ?? file.valueNames.unique("\(name).unused\(index)") }
    let attributes: [WrittenNode.Attribute] = [("axis", .int(axis)), ("num_outputs", .int(count))]
    file.add(WrittenNode("Split", file.inputs(of: id), attributes), named: name, to: named)
  }
}
