import RelevanceNetworks

extension GroupNormalization: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    let shape = site.output.shape
    let positions = shape.dimensions[2...].reduce(1, *)
    return NormalizationKernel(
      shape: shape, size: shape[1] / (groups ?? shape[1]) * positions, scale: scale, shift: shift,
      sharing: shape[1] / scale.count * positions, epsilon: epsilon)
  }
}
