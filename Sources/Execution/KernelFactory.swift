import Networks
import Tensors

/// Weights in derived layouts, by node: shared by all plans of a network.
final class WeightLibrary: Sendable {
  private let layouts: [DerivedWeights<ConvolutionKernel.Form>]
  init(nodes: Int) { layouts = (0..<nodes).map { _ in DerivedWeights() } }
  subscript(id: Node.ID) -> DerivedWeights<ConvolutionKernel.Form> { layouts[id.index] }
}

/// The kernel that computes a node for operands of the given shapes; nil where nothing is computed (inputs, constants).
func makeKernel(
  for id: Node.ID, in graph: Graph, shapes: [Shape], weights: WeightLibrary, algorithm: ConvolutionAlgorithm
) throws -> (any Kernel)? {
  let node = graph[id]
  let operands = node.inputs.map { shapes[$0.index] }
  let output = shapes[id.index]
  switch node.operation {
  case .input, .constant: return nil
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
  case .flatten, .reshape, .squeeze, .unsqueeze, .dropout, .identity: return CopyKernel(count: output.count)
  case .transpose(let order): return TransposeKernel(order: order, input: operands[0])
  case .softmax(let softmax): return SoftmaxKernel(softmax, logarithm: false, shape: output)
  case .logSoftmax(let softmax): return SoftmaxKernel(softmax, logarithm: true, shape: output)
  }
}
