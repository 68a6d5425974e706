import Networks
import Tensors

/// A node whose values are rounded to integers or wrap as integers do: they change in steps, so that derivatives are 0.
package struct StepwiseKernel: Kernel {
  private let values: any Kernel
  /// The same as if values were real numbers, for rules that send relevance through.
  package let withoutSteps: (any Kernel)?

  init(_ values: any Kernel, withoutSteps: any Kernel) {
    self.values = values
    self.withoutSteps = withoutSteps
  }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    values.forward(operands, output, on: workers)
  }
}

/// The kernel of a node whose values change in steps, and of a cast that changes none; nil for others.
func makeStepwiseKernel(for node: Node, _ known: [Inferred], output: Inferred) throws -> (any Kernel)? {
  let count = output.shape.count
  func elements(_ function: @escaping @Sendable (Float) -> Float, withoutSteps: any Kernel) -> any Kernel {
    StepwiseKernel(ElementKernel(count: count, function: function), withoutSteps: withoutSteps)
  }
  let kinds = known.map(\.kind)
  guard node.operation.isStepwise(of: kinds) else {
    // The others have the place of their operand.
    if case .cast = node.operation { return CopyKernel(count: count) }
    return nil
  }
  switch (node.operation, output.kind) {
  case (.cast(.truth), _): return elements({ $0 == 0 ? 0 : 1 }, withoutSteps: CopyKernel(count: count))
  case (.cast(.integer(let type)), _):
    let copy = CopyKernel(count: count)
    guard let source = kinds[0].integerType else {
      return elements({ type.float(type.converted(Double($0))) }, withoutSteps: copy)
    }
    return elements({ type.float(type.wrapped(source.held($0))) }, withoutSteps: copy)
  case (.unary(let function), .integer(let type)):
    return elements(
      { type.float(function.integer(type.held($0), type)) },
      withoutSteps: UnaryKernel(function: function, count: count))
  case (.mean(let mean), .integer(let type)):
    return StepwiseKernel(
      IntegerReductionKernel(
        reduction: Reduction(.sum, axes: nil, keepsAxes: mean.keepsAxes), type: type, isMean: true,
        input: known[0].shape, axes: try mean.axes(forRank: known[0].shape.rank)),
      withoutSteps: try MeanKernel(mean, node: node.name, input: known[0].shape))
  case (.reduce(let reduction), .integer(let type)):
    let axes = try reduction.axes(of: known[0].shape, known)
    return StepwiseKernel(
      IntegerReductionKernel(reduction: reduction, type: type, isMean: false, input: known[0].shape, axes: axes),
      withoutSteps: ReductionKernel(reduction: reduction, input: known[0].shape, axes: axes))
  case (let operation, .integer(let type)):
    let real: BroadcastKernel.Operation =
      switch operation {
      case .add: .add
      case .binary(let function): .function(function)
      default: .multiply
      }
    let operands = known.map(\.shape)
    return StepwiseKernel(
      BroadcastKernel(operation: .integers(operation, type), operands: operands, output: output.shape),
      withoutSteps: BroadcastKernel(operation: real, operands: operands, output: output.shape))
  default: return nil
  }
}

/// A function of each element, given as it is computed.
private struct ElementKernel: Kernel {
  let count: Int
  let function: @Sendable (Float) -> Float

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(count) { part in
      let (x, y) = shared.pointer
      for i in part { y[i] = function(x[i]) }
    }
  }
}

/// Sum, product or mean of integers over whole axes, computed in double precision, as in ONNX Runtime: rounded toward zero, and to the
/// limits of the type.
private struct IntegerReductionKernel: Kernel {
  let reduction: Reduction
  let type: IntegerType
  let isMean: Bool
  let input: Shape
  let axes: Set<Int>

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let kept = Shape(input.dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
    let strides = zip(kept.dimensions, kept.strides).map { $0 == 1 ? 0 : $1 }
    var results = [Double](repeating: reduction.function.neutralElement, count: kept.count)
    BroadcastKernel.walk(input) { position, index in
      let to = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
      results[to] = reduction.combine(results[to], Double(operands[0][position]))
    }
    let count = isMean ? Double(input.count / max(kept.count, 1)) : 1
    for (i, result) in results.enumerated() { output[i] = type.float(type.held(result / count)) }
  }
}
