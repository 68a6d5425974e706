import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// An operator with its own kernel. Functions of elements or of pairs of elements, selections and reshapings share
/// kernels.
protocol ComputedOperator: RelevanceNetworks.Operator {
  /// The kernel of a node with the operator.
  ///
  /// - Throws: `RelevanceKitError` if the node is not supported.
  func kernel(at site: KernelSite) throws -> any Kernel
}

/// An operator whose kernel is created from the operator and the site of its node.
protocol DirectlyComputed: ComputedOperator {
  associatedtype Computed: OperatorKernel where Computed.Operation == Self
}

extension DirectlyComputed {
  func kernel(at site: KernelSite) throws -> any Kernel { try Computed(self, at: site) }
}

/// The kernel of an operator.
protocol OperatorKernel: Kernel {
  associatedtype Operation
  /// - Throws: As `ComputedOperator.kernel(at:)`.
  init(_ operation: Operation, at site: KernelSite) throws
}

/// A node that needs a kernel, and the properties of its operands and its output.
package struct KernelSite {
  let node: Node
  let operands: [Inferred]
  let output: Inferred
  let algorithm: ConvolutionAlgorithm
  /// The node's weights in derived layouts, shared by all plans of a network.
  let weights: DerivedWeights

  /// Whether values are rounded to integers or wrap as integers do.
  var isStepwise: Bool { node.operation.isStepwise(of: operands.map(\.kind)) }

  /// The kernel for real numbers, or for the integers of a type if the node rounds values to integers or wraps them.
  func kernel(_ real: any Kernel, orOfIntegers integers: (IntegerType) throws -> any Kernel) rethrows -> any Kernel {
    guard isStepwise, let type = output.kind.integerType else { return real }
    return StepwiseKernel(values: try integers(type), withoutSteps: real)
  }

  /// The site of the adjoint of the node's only operand.
  var reversed: KernelSite {
    KernelSite(node: node, operands: [output], output: operands[0], algorithm: algorithm, weights: weights)
  }

  /// The kernel of the node; nil where nothing is computed: for inputs and for values known before the run.
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

/// Copies the operand; only the shape may differ.
struct CopyKernel: LinearKernel {
  let count: Int

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    output.update(from: operands[0], count: count)
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    results[0]?.update(from: upstream, count: count * seeds)
  }
}

/// A node whose values are rounded to integers or wrap as integers do. They change in steps, so derivatives are 0.
package struct StepwiseKernel: Kernel {
  let values: any Kernel
  package let withoutSteps: (any Kernel)?

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    values.forward(operands, output, on: workers)
  }
}
