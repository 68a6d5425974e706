import RelevanceNetworks
import RelevanceTensors

extension RelevanceNetworks.Operator {
  /// The value of the operator for known operands, computed by the kernel of a run. The result is nil if there is no
  /// kernel, if the value has more elements than weights would need, or if it is not finite.
  ///
  /// - Parameter output: the inferred properties of the output.
  package func computed(of operands: [Inferred], as output: Inferred) -> Literal? {
    let inputs = operands.reduce(0) { $0 + $1.shape.count }
    guard output.literal == nil, output.kind == .real, !operands.isEmpty, output.shape.count > 0,
      output.shape.count <= max(1 << 22, 2 * inputs), !(self is Input), !(self is any LiteralFunction)
    else { return nil }
    let node = Node(name: "", operation: self, inputs: operands.indices.map { Node.ID($0) })
    let site = KernelSite(
      node: node, operands: operands, output: output, algorithm: .automatic,
      weights: WeightLibrary(nodes: 1, budget: 0)[Node.ID(0)])
    guard let kernel = try? site.kernel() else { return nil }
    let workers = Workers(count: 1, pool: MemoryPool())
    let tensors = operands.compactMap { $0.literal?.floats }
    guard tensors.count == operands.count else { return nil }
    let result = Tensor(uninitialized: output.shape) { result in
      workers.compute { Self.run(kernel, tensors[...], [], result.baseAddress!, on: workers) }
    }
    return result.notFinite() == nil ? .floats(result) : nil
  }

  /// Runs a kernel on tensors, whose memory is kept alive during the run.
  private static func run(
    _ kernel: any Kernel, _ tensors: ArraySlice<Tensor>, _ bases: [Floats], _ output: MutableFloats, on workers: Workers
  ) {
    guard let first = tensors.first else { return kernel.forward(bases, output, on: workers) }
    first.withUnsafeElements { elements in
      run(kernel, tensors.dropFirst(), bases + [elements.baseAddress!], output, on: workers)
    }
  }
}
