/// Output is the operand, element for element, under another shape at most.
struct CopyKernel: LinearKernel {
  let count: Int

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    output.update(from: operands[0], count: count)
  }

  func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    results[0]?.update(from: upstream, count: count * seeds)
  }
}
