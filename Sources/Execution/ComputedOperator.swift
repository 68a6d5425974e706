import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// An operator with a kernel of its own. Functions of elements or pairs of them, selections and reshapings share theirs.
protocol ComputedOperator: RelevanceNetworks.Operator {
  /// What computes a node with the operator.
  ///
  /// - Throws: `RelevanceKitError` for what is not supported.
  func kernel(at site: KernelSite) throws -> any Kernel
}

/// An operator with a kernel that is made of it and of what is known of its node.
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

/// A node that needs a kernel, and what is known of its operands and its output.
package struct KernelSite {
  let node: Node
  let operands: [Inferred]
  let output: Inferred
  let algorithm: ConvolutionAlgorithm
  /// The node's weights in derived layouts, shared by all plans of a network.
  let weights: DerivedWeights

  /// Whether values are rounded to integers or wrap as integers do.
  var isStepwise: Bool { node.operation.isStepwise(of: operands.map(\.kind)) }

  /// What computes real numbers, or the integers of a type where values are rounded to these or wrap as they do.
  func kernel(_ real: any Kernel, orOfIntegers integers: (IntegerType) throws -> any Kernel) rethrows -> any Kernel {
    guard isStepwise, let type = output.kind.integerType else { return real }
    return StepwiseKernel(values: try integers(type), withoutSteps: real)
  }

  /// The same for the adjoint of the node's only operand.
  var reversed: KernelSite {
    KernelSite(node: node, operands: [output], output: operands[0], algorithm: algorithm, weights: weights)
  }

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

/// Output is the operand, element for element, under another shape at most.
struct CopyKernel: LinearKernel {
  let count: Int

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    output.update(from: operands[0], count: count)
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    results[0]?.update(from: upstream, count: count * seeds)
  }
}

/// A node whose values are rounded to integers or wrap as integers do: they change in steps, so that derivatives are 0.
package struct StepwiseKernel: Kernel {
  let values: any Kernel
  package let withoutSteps: (any Kernel)?

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    values.forward(operands, output, on: workers)
  }
}
