import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// QuantizeLinear with constant scale and zero point. The type of the zero point is the type of the integers.
  /// Constants are quantized immediately.
  func quantize() throws -> Imported {
    guard try attributes.int("precision") ?? 0 <= 1 else {
      throw Unsupported("its precision is not FLOAT; expected FLOAT")
    }
    let x = try operand(0, "x")
    var type = try optionalConstant(2, "y_zero_point")?.type
    if type == nil, let number = try attributes.int("output_dtype"), number != 0 {
      type = ElementType(number: Int32(truncatingIfNeeded: number))
    }
    let steps = try steps(1, 2, along: try attributes.int("axis") ?? 1, block: try attributes.int("block_size") ?? 0)
    let operation = try Quantize(steps, toType: type ?? .uint8)
    guard case .constant(let tensor) = x else { return .node(operation, [x]) }
    do {
      let integers = try operation.literal(of: [Inferred(tensor.literal())])
      return integers.map { .constant(ConstantTensor($0, name: tensor.name, file: model.file)) }
        ?? .node(operation, [x])
    } catch let error as Misfit {
      throw Defect(error.description)
    }
  }

  /// DequantizeLinear. Constants are dequantized immediately.
  func dequantize() throws -> Imported {
    let x = try operand(0, "x")
    let steps = try steps(1, 2, along: try attributes.int("axis") ?? 1, block: try attributes.int("block_size") ?? 0)
    return try dequantized(x, steps, type: try optionalConstant(2, "x_zero_point")?.type)
  }

  /// The real numbers that integers represent; `type` is the type of the integers if it is known.
  private func dequantized(_ x: Operand, _ steps: QuantizationSteps, type: ElementType?) throws -> Imported {
    guard case .constant(let tensor) = x else {
      // The outputs of a node that quantizes with a measured scale are already real numbers.
      let isPlain = steps.scale.count == 1 && steps.scale.elements == [1] && steps.zero.elements == [0]
      return .node(isPlain ? Identity() : try Dequantize(steps, fromType: type ?? .uint8), [x])
    }
    guard tensor.type.isInteger else {
      throw Unsupported("\(shown(tensor.name)) has type \(tensor.type); expected integers")
    }
    do {
      let operation = try Dequantize(steps, fromType: tensor.type)
      let values = try operation.values(of: tensor.literal())
      return .constant(ConstantTensor(.floats(values), name: tensor.name, file: model.file))
    } catch let error as Misfit {
      throw Defect(error.description)
    }
  }

  /// Constant scales and zero points from the inputs `scale` and `zero`. Along an axis, there is one of each per
  /// position or per block.
  func steps(_ scale: Int, _ zero: Int, along axis: Int? = nil, block: Int = 0) throws -> QuantizationSteps {
    guard let constant = try optionalConstant(scale, "scale") else { throw Defect("input scale is missing") }
    guard constant.type.isReal else { throw Unsupported("the scale has type \(constant.type); expected real numbers") }
    let numbers = try constant.floats()
    guard numbers.allElements({ $0.isFinite && $0 != 0 }) else {
      throw Defect("\(shown(constant.name)) contains scales that are 0 or not finite")
    }
    let zeros = try optionalConstant(zero, "zero point")
    guard let type = zeros?.type else { return QuantizationSteps(scale: numbers, axis: axis, block: block) }
    guard type.limits != nil else {
      throw Unsupported("the zero point has type \(type); expected integers of up to 32 bits")
    }
    let points = try zeros?.values()
    guard points?.count == numbers.count else {
      throw Defect("there are \(points?.count ?? 0) zero points and \(numbers.count) scales; expected the same number")
    }
    if axis == nil, numbers.count != 1 { throw Unsupported("the tensor has \(numbers.count) scales; expected one") }
    return QuantizationSteps(scale: numbers, zero: points, axis: axis, block: block)
  }

  // MARK: Operators on integers, in the real numbers that these represent

  /// The real numbers that an operand's integers represent. Scale and zero point are two inputs.
  func real(_ x: Operand, _ scale: Int, _ zero: Int, in graph: inout GraphImporter) throws -> Operand {
    let type = try optionalConstant(zero, "zero point")?.type
    return try graph.place(
      dequantized(x, steps(scale, zero), type: type), named: "\(name).dequantize")[0]
  }

  /// The integers for real numbers, with the type of the zero point.
  func integers(_ x: Operand, _ scale: Int, _ zero: Int, in graph: inout GraphImporter) throws -> Operand {
    let type = try optionalConstant(zero, "zero point")?.type ?? .uint8
    return try graph.add(Quantize(steps(scale, zero), toType: type), [x], named: "\(name).quantize")
  }
}

extension Quantize {
  fileprivate init(_ steps: QuantizationSteps, toType type: ElementType) throws {
    guard let limits = type.limits, let held = type.kind.integerType else {
      throw Unsupported("the zero point has type \(type); expected integers of up to 32 bits")
    }
    self.init(steps, to: held, limits: limits)
  }
}

extension Dequantize {
  fileprivate init(_ steps: QuantizationSteps, fromType type: ElementType) throws {
    guard let limits = type.limits, let held = type.kind.integerType else {
      throw Unsupported("the integers have type \(type); expected up to 32 bits")
    }
    self.init(steps, from: held, lowest: limits.lowerBound)
  }
}

// MARK: Writing

extension QuantizationSteps {
  fileprivate func operands(_ type: IntegerType, in file: inout GraphWriter, of id: Node.ID) -> [String] {
    if block != 0 || type.bitWidth == 16 { file.require(opset: 21) }
    // One scale becomes a scalar.
    let shape: TensorShape = axis == nil ? [] : block == 0 ? [scale.count] : scale.shape
    let points = IntegerTensor(
      shape: shape, elements: zero.elements.map { type.held($0) }, kind: .integer(type))
    return [
      file.parameter(scale.reshaped(to: shape), "scale", of: id), file.parameter(points, "zero", of: id),
    ]
  }

  fileprivate var attributes: [WrittenNode.Attribute] {
    (axis.map { [("axis", .int($0))] } ?? []) + (block == 0 ? [] : [("block_size", .int(block))])
  }
}

extension Quantize: WritableOperator {
  /// QuantizeLinear, followed by Clip if the limits are those of fewer bits.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let operands = file.inputs(of: id) + steps.operands(type, in: &file, of: id)
    let node = WrittenNode("QuantizeLinear", operands, steps.attributes)
    guard limits != type.lowest...type.highest else { return file.finish(id, node) }
    let wide = file.helper(node, named: "\(file.graph[id].name).wide")
    let (lowest, highest) = (Float(limits.lowerBound), Float(limits.upperBound))
    file.finish(
      id, WrittenNode("Clip", [wide, file.number(lowest, "min", of: id), file.number(highest, "max", of: id)]))
  }
}

extension Dequantize: WritableOperator {
  /// DequantizeLinear. For operands that are not integers, or of another type, a difference and a product.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let (input, own) = (file.inputs(of: id)[0], file.graph[id].name)
    guard steps.block == 0, file.kinds[file.graph[id].inputs[0].index] != .integer(type) else {
      let operands = [input] + steps.operands(type, in: &file, of: id)
      return file.finish(id, WrittenNode("DequantizeLinear", operands, steps.attributes))
    }
    let real = file.helper(.cast(input, to: .real), named: "\(own).cast")
    let rank = file.rank(ofOperandOf: id)
    let after = steps.axis.map { $0 < 0 ? -$0 - 1 : rank - $0 - 1 } ?? 0
    let shape = TensorShape(steps.axis == nil ? [] : [steps.scale.count] + [Int](repeating: 1, count: after))
    let zero = file.parameter(steps.zero.reshaped(to: shape), "zero", of: id)
    let difference = file.helper(WrittenNode("Sub", [real, zero]), named: "\(own).difference")
    let scale = file.parameter(steps.scale.reshaped(to: shape), "scale", of: id)
    file.finish(id, WrittenNode("Mul", [difference, scale]))
  }
}

extension DynamicQuantize: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let own = file.graph[id].name
    let outputs = ["integers", "scale", "zero"].map { file.valueNames.unique("\(own).\($0)") }
    file.add(
      WrittenNode("DynamicQuantizeLinear", file.inputs(of: id)), named: file.nodeNames.unique("\(own).quantize"),
      to: outputs)
    file.finish(id, WrittenNode("DequantizeLinear", outputs))
  }
}
