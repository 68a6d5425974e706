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
