import Networks
import Tensors

extension NodeReader {
  /// BatchNormalization with running statistics.
  func batchNormalization() throws -> Imported {
    let x = try operand(0, "X")
    guard try !attributes.flag("training_mode") else { throw Unsupported("training_mode 1; expected 0") }
    // Opset 7 could also normalise every position on its own.
    guard try attributes.flag("spatial", default: true) else { throw Unsupported("spatial 0; expected 1") }
    let parameters = try ["scale", "B", "input_mean", "input_var"].enumerated().map { index, label in
      let parameter = try weights(index + 1, label)
      guard parameter.shape.rank == 1 else {
        throw Defect(
          "\(label), \(shown(parameter.name)), has shape \(parameter.shape); expected one number per channel")
      }
      return parameter
    }
    guard Set(parameters.map(\.shape)).count == 1 else {
      let counts = parameters.map { String($0.shape.count) }.joined(separator: ", ")
      throw Defect("scale, B, input_mean and input_var have \(counts) numbers; expected the same, one per channel")
    }
    let tensors = try parameters.map { try $0.floats() }
    let normalization = BatchNormalization(
      gamma: tensors[0], beta: tensors[1], mean: tensors[2], variance: tensors[3],
      epsilon: try attributes.float("epsilon", default: 1e-5))
    // A variance below −epsilon, or nearly so, makes them NaN or infinite.
    _ = try normalization.scale.checkedFinite("scale/√(input_var + epsilon)")
    _ = try normalization.shift.checkedFinite("B − input_mean·scale/√(input_var + epsilon)")
    return .node(.batchNormalization(normalization), [x])
  }

  /// LRN across channels.
  func localResponseNormalization() throws -> Imported {
    guard let size = try attributes.int("size") else { throw Defect("attribute size is missing") }
    guard size > 0, size <= Int(Int32.max) else {
      throw Defect("size is \(size); expected a positive number of channels")
    }
    let normalization = LocalResponseNormalization(
      size: size, alpha: try attributes.float("alpha", default: 1e-4),
      beta: try attributes.float("beta", default: 0.75),
      bias: try attributes.float("bias", default: 1))
    return .node(.localResponseNormalization(normalization), [try operand(0, "X")])
  }
}
