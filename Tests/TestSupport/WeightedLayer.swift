import RelevanceKit

/// The kernel of one convolution or fully connected layer, called with tensors.
///
/// Outputs are NaN before a kernel writes them. They are between guards that it must not change.
package struct WeightedLayer {
  package let kernel: any WeightedKernel
  private let workers: Workers

  package init(
    _ operation: any RelevanceKit.Operator, input: TensorShape, threads: Int = 2,
    convolution: ConvolutionAlgorithm = .automatic, instructionSet: InstructionSet? = nil
  ) throws {
    var builder = GraphBuilder(item: Array(input.dimensions.dropFirst()))
    let id = builder.add("layer", operation)
    let executor = Executor(
      try builder.network(), threads: threads, convolution: convolution, instructionSet: instructionSet)
    let trace = try executor.trace(Tensor(shape: input))
    guard let kernel = trace.kernel(of: id) as? any WeightedKernel else {
      preconditionFailure("a layer without weights")
    }
    self.kernel = kernel
    workers = Workers(count: threads, pool: MemoryPool(), instructionSet: executor.instructionSet)
  }

  /// W·x + b, optionally rectified.
  package func forward(_ x: Tensor, rectifies: Bool = false) -> Tensor {
    write(kernel.outputShape) { y in
      x.withUnsafeElements { kernel.forward($0.baseAddress!, y, rectifies: rectifies, sideProduct: nil, on: workers) }
    }
  }

  /// W·x + b, optionally rectified, and W⁺·x.
  package func forwardWithSideProduct(_ x: Tensor, rectifies: Bool = false) -> (output: Tensor, sideProduct: Tensor) {
    var sideProduct: Tensor?
    let output = write(kernel.outputShape) { y in
      sideProduct = write(kernel.outputShape) { z in
        x.withUnsafeElements {
          kernel.forward(
            $0.baseAddress!, y, rectifies: rectifies, sideProduct: SideProduct(z, scope: .everywhere), on: workers)
        }
      }
    }
    return (output, sideProduct!)
  }

  /// part(W)·x, added to `start` if it is given.
  package func product(_ part: WeightPart, _ x: Tensor, addedTo start: Tensor? = nil) -> Tensor {
    write(kernel.outputShape, start: start) { y in
      x.withUnsafeElements { kernel.product(part, $0.baseAddress!, y, accumulates: start != nil, on: workers) }
    }
  }

  /// part(W)ᵀ·s, times `factor` if it is given. `s` contains `seeds` items for each item of the batch.
  package func adjoint(_ part: WeightPart, _ s: Tensor, seeds: Int, factor: Tensor? = nil) -> Tensor {
    let input = kernel.inputShape
    return write(input.withBatch(input[0] * seeds)) { c in
      s.withUnsafeElements { s in
        let run = { (factor: UnsafePointer<Float>?) in
          kernel.adjoint(part, s.baseAddress!, seeds: seeds, c, factor: factor, on: workers)
        }
        if let factor { factor.withUnsafeElements { run($0.baseAddress!) } } else { run(nil) }
      }
    }
  }

  private func write(
    _ shape: TensorShape, start: Tensor? = nil, _ body: (UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    Guarded.tensor(shape, start: start) { pointer in BLAS.withOneThreadPerCall { body(pointer) } }
  }
}

/// Memory for a kernel's output, initially NaN, between guards.
package enum Guarded {
  private static let guardCount = 64
  private static let mark: Float = 1234.5

  /// The tensor that `body` writes. It is all NaN if `body` writes outside of it.
  package static func tensor(
    _ shape: TensorShape, start: Tensor? = nil, _ body: (UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    var memory = [Float](repeating: mark, count: shape.count + 2 * guardCount)
    memory.replaceSubrange(
      guardCount..<guardCount + shape.count, with: start?.elements ?? [Float](repeating: .nan, count: shape.count))
    memory.withUnsafeMutableBufferPointer { body($0.baseAddress! + guardCount) }
    guard (memory.prefix(guardCount) + memory.suffix(guardCount)).allSatisfy({ $0 == mark }) else {
      return Tensor(shape: shape, repeating: .nan)
    }
    return Tensor(shape: shape, elements: Array(memory[guardCount..<guardCount + shape.count]))
  }
}
