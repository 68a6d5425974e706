import Networks
import Tensors

/// An operator with a kernel of its own. Functions of elements or pairs of them, selections and reshapings share theirs.
package protocol ComputedOperator: Networks.Operator {
  /// What computes a node with the operator.
  ///
  /// - Throws: `ExecutionError` or `GraphError` for what is not supported.
  func kernel(at site: KernelSite) throws -> any Kernel
}

/// A node that needs a kernel, and what is known of its operands and its output.
package struct KernelSite {
  let node: Node
  let operands: [Inferred]
  let output: Inferred
  /// How convolutions are computed.
  let algorithm: ConvolutionAlgorithm
  /// The node's weights in derived layouts, shared by all plans of a network.
  let weights: DerivedWeights<ConvolutionKernel.Form>

  /// Whether values are rounded to integers or wrap as integers do.
  var isStepwise: Bool { node.operation.isStepwise(of: operands.map(\.kind)) }

  /// The kernel that computes the node; nil where nothing is computed: inputs, and what is known beforehand.
  ///
  /// - Throws: As `ComputedOperator.kernel(at:)`.
  func kernel() throws -> (any Kernel)? {
    if output.literal != nil { return nil }
    switch node.operation {
    case is Input: return nil
    case let operation as any ComputedOperator: return try operation.kernel(at: self)
    case let function as any ElementwiseFunction: return function.elementwiseKernel(at: self)
    case let function as any PairwiseFunction: return function.pairwiseKernel(at: self)
    case let selecting as any Selecting: return SelectionKernel(try selecting.selection(of: operands))
    case let operation where operation.keepsElements: return CopyKernel(count: output.shape.count)
    default: preconditionFailure("nothing computes \(node.kind) of values that depend on the image")
    }
  }
}

/// Weights in derived layouts, by node: shared by all plans of a network.
final class WeightLibrary: Sendable {
  private let layouts: [DerivedWeights<ConvolutionKernel.Form>]
  init(nodes: Int) { layouts = (0..<nodes).map { _ in DerivedWeights() } }
  var bytes: Int { layouts.reduce(0) { $0 + $1.bytes } }
  subscript(id: Node.ID) -> DerivedWeights<ConvolutionKernel.Form> { layouts[id.index] }
}
