import COnnx
import Networks
import Tensors

/// Operators that take more than one look at their parameters, or more than one node, to write.
extension GraphWriter {
  /// Gemm where the operand is a matrix; else MatMul and, for the bias, Add.
  mutating func write(_ linear: Linear, of input: String, as id: Node.ID) {
    if extents.shapes[graph[id].inputs[0].index].extents.count == 2 {
      var operands = [input, parameter(linear.weight, "weight", of: id)]
      if let bias = linear.bias { operands.append(parameter(bias, "bias", of: id)) }
      finish(id, WrittenNode("Gemm", operands, [.init("transB", .int(1))]))
      return
    }
    let product = WrittenNode("MatMul", [input, parameter(linear.weight, "weight", of: id, transposed: true)])
    guard let bias = linear.bias else { return finish(id, product) }
    // The layer's name goes to the product, since importers that join the two keep that one.
    let output = freshValue("\(graph[id].name).product")
    add(product, named: graph[id].name, to: [output])
    let operands = [output, parameter(bias, "bias", of: id)]
    add(WrittenNode("Add", operands), named: freshNode("\(graph[id].name).add"), to: [values[id.index]])
    describe(id)
  }

  /// MaxPool; integers are real numbers meanwhile.
  mutating func write(maxPool window: Window, of input: String, as id: Node.ID) {
    if window.canStartBehindInput { require(opset: 22) }
    let attributes = window.attributes + [.init("ceil_mode", .int(window.ceilMode ? 1 : 0))]
    guard kinds[id.index] != .real else { return finish(id, WrittenNode("MaxPool", [input], attributes)) }
    let own = graph[id].name
    let real = helper(cast(input, to: .real), named: "\(own).real")
    let result = freshValue("\(own).pooled")
    add(WrittenNode("MaxPool", [real], attributes), named: own, to: [result])
    add(cast(result, to: kinds[id.index]), named: freshNode("\(own).cast"), to: [values[id.index]])
    describe(id)
  }

  /// AveragePool, whose dilations are newer than itself.
  mutating func write(_ pool: AveragePool, of input: String, as id: Node.ID) {
    if pool.window.canStartBehindInput { require(opset: 22) }
    var attributes = pool.window.attributes
    if pool.window.dilations.allSatisfy({ $0 == 1 }) {
      attributes.removeAll { $0.name == "dilations" }
    } else {
      require(opset: 19)
    }
    attributes.append(.init("ceil_mode", .int(pool.window.ceilMode ? 1 : 0)))
    attributes.append(.init("count_include_pad", .int(pool.countsPadding ? 1 : 0)))
    finish(id, WrittenNode("AveragePool", [input], attributes))
  }

  /// GlobalMaxPool, or a reduction whose axes are an input.
  mutating func write(_ reduction: Reduction, of inputs: [String], as id: Node.ID) {
    let rank = extents.shapes[graph[id].inputs[0].index].extents.count
    if reduction.function == .maximum, reduction.keepsAxes, rank >= 3, kinds[id.index] == .real,
      case .fixed(let axes) = reduction.axes, axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() == Array(2..<rank)
    {
      return finish(id, WrittenNode("GlobalMaxPool", [inputs[0]]))
    }
    if reduction.function != .sum { require(opset: 18) }
    let name =
      switch reduction.function {
      case .sum: "ReduceSum"
      case .product: "ReduceProd"
      case .maximum: "ReduceMax"
      case .minimum: "ReduceMin"
      }
    let axes = reduction.axes.map { list($0, "axes", of: id) } ?? ""
    finish(id, WrittenNode(name, [inputs[0], axes], [.init("keepdims", .int(reduction.keepsAxes ? 1 : 0))]))
  }

  /// Softmax and LogSoftmax over one axis. One that joins axes, as ONNX's did before opset 13, becomes one over a matrix,
  /// unless all axes but one have extent 1.
  mutating func write(_ softmax: Softmax, of input: String, as id: Node.ID) {
    let name = graph[id].operation.kind.rawValue
    let x = extents.shapes[graph[id].inputs[0].index].extents
    let axis = softmax.axis < 0 ? softmax.axis + x.count : softmax.axis
    let long = (axis..<max(x.count, axis)).filter { x[$0] != .fixed(1) }
    if !softmax.joinsTrailingAxes || long.count <= 1 {
      return finish(id, WrittenNode(name, [input], [.init("axis", .int(long.first ?? axis))]))
    }
    let own = graph[id].name
    let matrix = helper(WrittenNode("Flatten", [input], [.init("axis", .int(axis))]), named: "\(own).flatten")
    let result = freshValue("\(own).matrix")
    add(WrittenNode(name, [matrix], [.init("axis", .int(1))]), named: own, to: [result])
    let shape = helper(WrittenNode("Shape", [input]), named: "\(own).shape")
    add(WrittenNode("Reshape", [result, shape]), named: freshNode("\(own).reshape"), to: [values[id.index]])
    describe(id)
  }

  /// Functions of each element; their parameters are attributes, except Clip's.
  mutating func write(_ function: UnaryFunction, of input: String, as id: Node.ID) {
    var inputs = [input]
    var attributes: [WrittenNode.Attribute] = []
    switch function {
    case .clip(let lowest, let highest):
      inputs.append(lowest > -.infinity ? number(lowest, "min", of: id) : "")
      inputs.append(highest < .infinity ? number(highest, "max", of: id) : "")
    case .elu(let alpha), .leakyRelu(let alpha): attributes = [.init("alpha", .float(alpha))]
    case .hardSigmoid(let alpha, let beta):
      attributes = [.init("alpha", .float(alpha)), .init("beta", .float(beta))]
    case .gelu(let isApproximate):
      require(opset: 20)
      attributes = [.init("approximate", .string(isApproximate ? "tanh" : "none"))]
    case .mish: require(opset: 18)
    case .abs, .ceil, .erf, .exp, .floor, .hardSwish, .log, .negate, .reciprocal, .round, .sigmoid, .softplus, .sqrt,
      .tanh:
      break
    }
    finish(id, WrittenNode(graph[id].operation.kind.rawValue, inputs, attributes))
  }

  /// Pad; amounts for some axes only, where they are fixed, become amounts for all.
  mutating func write(_ pad: Pad, of input: String, as id: Node.ID) {
    var (amounts, axes) = (pad.amounts, pad.axes)
    let rank = extents.shapes[graph[id].inputs[0].index].extents.count
    if case .fixed(let some) = amounts, case .fixed(let chosen) = axes, some.count == 2 * chosen.count {
      var all = [Int](repeating: 0, count: 2 * rank)
      for (index, axis) in chosen.enumerated() {
        let axis = axis < 0 ? axis + rank : axis
        all[axis] = some[index]
        all[rank + axis] = some[chosen.count + index]
      }
      (amounts, axes) = (.fixed(all), nil)
    }
    if axes != nil { require(opset: 18) }
    if pad.mode == .wrap { require(opset: 19) }
    let operands = [
      input, list(amounts, "pads", of: id), pad.value == 0 ? "" : number(pad.value, "value", of: id),
      axes.map { list($0, "axes", of: id) } ?? "",
    ]
    finish(id, WrittenNode("Pad", operands, [.init("mode", .string(pad.mode.rawValue))]))
  }

  /// Split, once for all parts that the graph has of it: with the first of them.
  mutating func write(partOf input: String, _ axis: Int, _ index: Int, _ count: Int, as id: Node.ID) {
    require(opset: 18)
    // A part that occurs again, or one whose predecessors belong to another Split, is the start of a new one.
    guard !writtenParts.contains(id) else { return }
    var outputs: [String?] = Array(repeating: nil, count: count)
    for other in graph.ids where other >= id && graph[other].inputs == graph[id].inputs {
      guard case .part(axis, let index, count) = graph[other].operation, outputs[index] == nil,
        !writtenParts.contains(other)
      else { continue }
      outputs[index] = values[other.index]
      writtenParts.insert(other)
      describe(other)
    }
    let name = graph[id].name
    let named = outputs.enumerated().map { index, output in output ?? freshValue("\(name).unused\(index)") }
    let attributes: [WrittenNode.Attribute] = [.init("axis", .int(axis)), .init("num_outputs", .int(count))]
    add(WrittenNode("Split", [input], attributes), named: name, to: named)
  }

  /// What is computed around shapes.
  mutating func write(_ function: LiteralFunction, of inputs: [String], as id: Node.ID) {
    switch function {
    case .range: finish(id, WrittenNode("Range", inputs))
    case .constantOfShape(let value, let kind):
      finish(id, WrittenNode("ConstantOfShape", inputs, [.init("value", .tensor(element(value, kind)))]))
    case .choice: finish(id, WrittenNode("Where", [truth(graph[id].inputs[0])] + inputs.dropFirst()))
    case .comparison(let comparison):
      let name =
        switch comparison {
        case .equal: "Equal"
        case .less: "Less"
        case .lessOrEqual: "LessOrEqual"
        case .greater: "Greater"
        case .greaterOrEqual: "GreaterOrEqual"
        }
      finish(id, WrittenNode(name, inputs))
    case .logic(let logic):
      let name =
        switch logic {
        case .and: "And"
        case .or: "Or"
        case .not: "Not"
        }
      finish(id, WrittenNode(name, graph[id].inputs.map { truth($0) }))
    }
  }

  /// What a node's output is called as truth values.
  private mutating func truth(_ id: Node.ID) -> String {
    if kinds[id.index] == .truth { return values[id.index] }
    if case .integers(let tensor) = graph[id].operation {
      let name = freshValue("\(graph[id].name).truth")
      constant(IntegerTensor(shape: tensor.shape, elements: tensor.elements, kind: .truth), named: name)
      return name
    }
    return helper(cast(values[id.index], to: .truth), named: "\(graph[id].name).truth")
  }

  private func cast(_ input: String, to kind: ElementKind) -> WrittenNode {
    WrittenNode("Cast", [input], [.init("to", .int(Int(kind.elementType.rawValue)))])
  }

  private func element(_ value: Double, _ kind: ElementKind) -> UnsafeMutablePointer<TensorProto> {
    if kind != .real {
      let element = (kind.integerType ?? .int64).held(value)
      return tensors.tensor(IntegerTensor(shape: [1], elements: [element], kind: kind), named: "value")
    }
    var tensors = tensors
    return tensors.tensor(Tensor(shape: [1], elements: [Float(value)]), named: "value")
  }
}

extension Window {
  /// Whether ceiling mode can place a window wholly in the padding behind an input. It does not count; but up to opset 21
  /// ONNX's rules for shapes count it, and its checker takes the file's shapes for wrong.
  fileprivate var canStartBehindInput: Bool {
    guard ceilMode, case .explicit(_, let after) = padding else { return false }
    return kernel.indices.contains { strides[$0] + after[$0] > (kernel[$0] - 1) * dilations[$0] + 1 }
  }
}
