import Networks
import Tensors

extension NodeReader {
  /// An operator that is a function of each element, without parameters.
  func unary(_ function: UnaryFunction) throws -> Imported { .node(.unary(function), [try operand(0, "X")]) }

  /// LeakyRelu, Elu, HardSigmoid: functions whose parameters are attributes.
  func leakyRelu() throws -> Imported { try unary(.leakyRelu(alpha: attributes.float("alpha", default: 0.01))) }
  func elu() throws -> Imported { try unary(.elu(alpha: attributes.float("alpha", default: 1))) }
  func hardSigmoid() throws -> Imported {
    try unary(
      .hardSigmoid(alpha: attributes.float("alpha", default: 0.2), beta: attributes.float("beta", default: 0.5)))
  }

  /// Gelu: exactly, or with tanh.
  func gelu() throws -> Imported {
    switch try attributes.string("approximate") ?? "none" {
    case "none": try unary(.gelu(approximate: false))
    case "tanh": try unary(.gelu(approximate: true))
    case let other: throw Defect("approximate is \(shown(other)); expected none or tanh")
    }
  }

  /// Clip: bounds are attributes before opset 11, and inputs from then on.
  func clip() throws -> Imported {
    func bound(_ label: String, _ index: Int, _ open: Float) throws -> Float {
      guard opset >= 11 else { return try attributes.float(label, default: open) }
      guard let tensor = try optionalConstant(index, label) else { return open }
      guard tensor.shape.count == 1 else { throw Defect("\(label) has shape \(tensor.shape); expected one number") }
      return try tensor.values().elements[0]
    }
    let (lowest, highest) = (try bound("min", 1, -.infinity), try bound("max", 2, .infinity))
    guard !lowest.isNaN, !highest.isNaN else {
      throw Defect("min is \(lowest) and max is \(highest); expected numbers")
    }
    if lowest == 0, highest == .infinity { return .node(.relu, [try operand(0, "input")]) }
    return try unary(.clip(lowest: lowest, highest: highest))
  }

  /// PRelu with a constant slope.
  func parametricRelu() throws -> Imported {
    .node(.parametricRelu(slope: try weights(1, "slope").floats()), [try operand(0, "X")])
  }

  /// Sum, Min, Max of any number of operands, two at a time.
  func chain(_ operation: Operator) throws -> Imported {
    guard !operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
    let all = try operands.indices.map { try operand($0, "\($0)") }
    return all.count == 1 ? .node(.identity, all) : .chain(operation, all)
  }

  /// LayerNormalization with constant scale and shift.
  func layerNormalization() throws -> Imported {
    let normalization = LayerNormalization(
      axis: try attributes.int("axis", default: -1), scale: try weights(1, "Scale").floats(),
      shift: try optionalWeights(2, "B")?.floats(), epsilon: try attributes.float("epsilon", default: 1e-5))
    return .node(.layerNormalization(normalization), [try operand(0, "X")])
  }
}
