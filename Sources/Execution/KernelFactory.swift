import Networks
import Tensors

/// Weights in derived layouts, by node: shared by all plans of a network.
final class WeightLibrary: Sendable {
  private let layouts: [DerivedWeights<ConvolutionKernel.Form>]
  init(nodes: Int) { layouts = (0..<nodes).map { _ in DerivedWeights() } }
  var bytes: Int { layouts.reduce(0) { $0 + $1.bytes } }
  subscript(id: Node.ID) -> DerivedWeights<ConvolutionKernel.Form> { layouts[id.index] }
}

/// The kernel that computes a node; nil where nothing is computed (inputs, and what is known beforehand).
func makeKernel(
  for id: Node.ID, in graph: Graph, inferred: [Inferred], weights: WeightLibrary, algorithm: ConvolutionAlgorithm
) throws -> (any Kernel)? {
  let node = graph[id]
  // What is known beforehand is not computed.
  if inferred[id.index].literal != nil { return nil }
  let known = node.inputs.map { inferred[$0.index] }
  let operands = known.map(\.shape)
  let output = inferred[id.index].shape
  if let kernel = try makeStepwiseKernel(for: node, known, output: inferred[id.index]) { return kernel }
  switch node.operation {
  case .input, .constant, .integers, .shape: return nil
  case .convolution(let convolution):
    return try ConvolutionKernel(
      convolution, input: operands[0], output: output, algorithm: algorithm, derived: weights[id])
  case .linear(let linear): return FullyConnectedKernel(linear, input: operands[0], output: output)
  case .relu: return ReluKernel(count: output.count)
  case .maxPool(let window): return try MaxPoolKernel(window, input: operands[0])
  case .averagePool(let pool): return try AveragePoolKernel(pool, input: operands[0])
  case .mean(let mean): return try MeanKernel(mean, node: node.name, input: operands[0])
  case .localResponseNormalization(let parameters):
    return LocalResponseNormalizationKernel(parameters: parameters, shape: output)
  case .batchNormalization(let parameters): return BatchNormalizationKernel(parameters: parameters, shape: output)
  case .concat(let axis): return ConcatKernel(axis: axis, operands: operands)
  case .add: return BroadcastKernel(operation: .add, operands: operands, output: output)
  case .multiply: return BroadcastKernel(operation: .multiply, operands: operands, output: output)
  case .flatten, .reshape, .squeeze, .unsqueeze, .dropout, .identity, .cast: return CopyKernel(count: output.count)
  case .transpose(let order): return TransposeKernel(order: order, input: operands[0])
  case .unary(let function): return UnaryKernel(function: function, count: output.count)
  case .parametricRelu(let slope): return ParametricReluKernel(slope: slope, shape: output)
  case .binary(let function): return BroadcastKernel(operation: .function(function), operands: operands, output: output)
  case .slice, .part, .gather, .pad, .expand:
    guard let selection = try node.operation.selection(of: known) else {
      preconditionFailure("a selection whose shape was inferred is known")
    }
    return SelectionKernel(selection)
  case .reduce(let reduction):
    return ReductionKernel(reduction: reduction, input: operands[0], axes: try reduction.axes(of: operands[0], known))
  case .resize(let resize):
    return ResizeKernel(
      try resize.weights(of: operands[0], known), input: operands[0], kind: inferred[id.index].kind)
  case .transposedConvolution(let convolution):
    return try TransposedConvolutionKernel(
      convolution, input: operands[0], output: output, algorithm: algorithm, derived: weights[id])
  case .layerNormalization(let parameters): return LayerNormalizationKernel(parameters: parameters, shape: output)
  case .arithmetic: preconditionFailure("what depends on the image is refused when shapes are inferred")
  case .softmax(let softmax): return SoftmaxKernel(softmax, logarithm: false, shape: output)
  case .logSoftmax(let softmax): return SoftmaxKernel(softmax, logarithm: true, shape: output)
  }
}
