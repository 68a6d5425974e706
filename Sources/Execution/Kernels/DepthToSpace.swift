import RelevanceNetworks

extension DepthToSpace: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    let (shape, order) = axes(of: site.operands[0].shape)
    return TransposeKernel(order: order, input: shape)
  }
}
