import RelevanceNetworks

extension Cast: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    let copy = CopyKernel(count: site.output.shape.count)
    // Other casts share the memory of their operand.
    guard site.isStepwise else { return copy }
    let values = ElementwiseKernel(count: copy.count) { [target, source = site.operands[0].kind] x, y, count in
      for i in 0..<count { y[i] = target.converted(x[i], from: source) }
    }
    return StepwiseKernel(values: values, withoutSteps: copy)
  }
}

extension ElementKind {
  /// The value that a number of another kind has in this kind, both in single precision.
  fileprivate func converted(_ x: Float, from source: ElementKind) -> Float {
    switch self {
    case .real: return x
    case .truth: return x == 0 ? 0 : 1
    case .integer(let type):
      guard let source = source.integerType else { return type.float(type.converted(Double(x))) }
      return type.float(type.wrapped(source.held(x)))
    }
  }
}
