/// What elements are.
///
/// All values that depend on the input are held in single precision, whatever they are: integers are exact up to 2²⁴, and beyond that
/// the nearest numbers that a `Float` has. Arithmetic of integers is that of their type, on the integers that are held.
/// Of ONNX's floating-point types none is followed: FLOAT16, BFLOAT16 and DOUBLE are computed as FLOAT.
public enum ElementKind: Hashable, Sendable {
  /// Real numbers: of any of ONNX's floating-point types
  case real
  /// Integers of one of ONNX's types
  case integer(IntegerType)
  /// Truth values: ONNX's `bool`; as numbers 0 and 1
  case truth

  /// The type of integers; nil for other elements.
  public var integerType: IntegerType? { if case .integer(let type) = self { type } else { nil } }

  /// Whether all values of another kind are values of this one, so that a cast changes none.
  public func holds(_ other: ElementKind) -> Bool {
    switch (self, other) {
    case (.real, _), (.truth, .truth), (.integer, .truth): true
    case (.integer(let type), .integer(let narrower)):
      type == narrower || (type.isSigned || !narrower.isSigned) && type.bitWidth > narrower.bitWidth
    default: false
    }
  }
}

/// ONNX's types of integers.
public enum IntegerType: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  /// −128 … 127
  case int8
  /// −2¹⁵ … 2¹⁵ − 1
  case int16
  /// −2³¹ … 2³¹ − 1
  case int32
  /// −2⁶³ … 2⁶³ − 1
  case int64
  /// 0 … 255
  case uint8
  /// 0 … 2¹⁶ − 1
  case uint16
  /// 0 … 2³² − 1
  case uint32
  /// 0 … 2⁶⁴ − 1
  case uint64

  /// Whether there are negative ones.
  public var isSigned: Bool {
    switch self {
    case .int8, .int16, .int32, .int64: true
    case .uint8, .uint16, .uint32, .uint64: false
    }
  }

  /// How many bits one has.
  public var bitWidth: Int {
    switch self {
    case .int8, .uint8: 8
    case .int16, .uint16: 16
    case .int32, .uint32: 32
    case .int64, .uint64: 64
    }
  }

  public var description: String { rawValue }
}

extension Graph {
  /// What the elements of every node's output are: it follows from what the input declares, casts, and operators.
  ///
  /// - Complexity: O(nodes and edges).
  public var elementKinds: [ElementKind] {
    var kinds: [ElementKind] = []
    kinds.reserveCapacity(nodes.count)
    for node in nodes { kinds.append(node.operation.elementKind(of: node.inputs.map { kinds[$0.index] })) }
    return kinds
  }
}

extension Operator {
  /// What the elements of the result are, for operands of the given kinds.
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    let first = operands.first ?? .real
    switch self {
    case .input(_, let kind), .cast(let kind): return kind
    case .integers(let tensor): return tensor.kind
    case .shape: return .integer(.int64)
    case .constant, .convolution, .transposedConvolution, .linear, .averagePool, .localResponseNormalization,
      .batchNormalization, .layerNormalization, .softmax, .logSoftmax:
      return .real
    case .unary(let function): return function.keepsIntegers ? first : .real
    case .add, .multiply, .binary(.subtract), .binary(.divide), .binary(.minimum), .binary(.maximum):
      if operands.contains(.real) { return .real }
      return operands.first { $0.integerType != nil } ?? .integer(.int64)
    // Bases decide: exponents of any type are allowed.
    case .binary(.power): return first == .truth ? .integer(.int64) : first
    case .mean: return first == .truth ? .real : first
    case .concat: return operands.contains(.real) ? .real : first
    case .relu, .maxPool, .flatten, .reshape, .transpose, .squeeze, .unsqueeze, .dropout, .identity, .parametricRelu,
      .pad, .slice, .part, .gather, .expand, .reduce, .resize:
      return first
    case .arithmetic(let function):
      switch function {
      case .range: return operands.contains(.real) ? .real : first
      case .constantOfShape(_, let kind): return kind
      case .choice: return operands.dropFirst().contains(.real) ? .real : operands.dropFirst().first ?? .real
      case .comparison, .logic: return .truth
      }
    }
  }

  /// Whether values are rounded to integers or wrap as integers do: then they change in steps, and derivatives are 0.
  package func isStepwise(of operands: [ElementKind]) -> Bool {
    switch self {
    case .cast(let kind): return !kind.holds(operands.first ?? .real)
    case .add, .multiply, .binary(.subtract), .binary(.divide), .binary(.power), .unary(.abs), .unary(.negate), .mean:
      return elementKind(of: operands).integerType != nil
    case .reduce(let reduction):
      return [.sum, .product].contains(reduction.function) && elementKind(of: operands).integerType != nil
    default: return false
    }
  }
}
