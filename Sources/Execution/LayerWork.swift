import RelevanceNetworks

/// The work of one product of a layer with its weights for a whole batch, determined from the shapes.
package struct LayerWork: Hashable, Sendable {
  /// The algorithm of a product.
  package enum Algorithm: String, Sendable {
    /// F(4×4, 3×3) over channels.
    case winograd
    /// One product with the windows laid out as columns, by the package's loops or by OpenBLAS.
    case im2col
    /// Sums over the taps of few channels, without a matrix product.
    case direct
    /// One product whose columns are added at their input positions.
    case col2im
    /// One product with the data in their original layout: a convolution with one tap.
    case pointwise
    /// Weights times several items.
    case gemm
    /// Weights times one item.
    case gemv
    /// One number per channel.
    case diagonal
  }

  package let algorithm: Algorithm
  /// The multiply-adds of the matrix products that are computed, without transforms.
  package let multiplyAdds: Int
  /// The multiply-adds of the layer's definition.
  package let directMultiplyAdds: Int
  /// The minimum number of bytes that are moved: operand, result and the model's weights, each once.
  package let bytes: Int

  init(_ layer: some WeightedKernel, _ algorithm: Algorithm, multiplyAdds: Int, direct: Int? = nil, weights: Int) {
    (self.algorithm, self.multiplyAdds) = (algorithm, multiplyAdds)
    directMultiplyAdds = direct ?? multiplyAdds
    bytes = (layer.inputShape.count + layer.outputShape.count + weights) * MemoryLayout<Float>.stride
  }
}

extension ExecutionPlan {
  /// The work of `W·x` of a node; nil for a node without weights.
  package func work(of id: Node.ID) -> LayerWork? { (kernels[id.index] as? any WeightedKernel)?.work }

  /// The work of `Wᵀ·s` of a node for one seed; nil for a node without weights, and where it depends on `s`.
  package func adjointWork(of id: Node.ID) -> LayerWork? { (kernels[id.index] as? any WeightedKernel)?.adjointWork }

  /// The minimum number of bytes that computing a node moves: its operands, its output and its weights, each once.
  package func leastBytesMoved(by id: Node.ID) -> Int {
    if let work = work(of: id) { return work.bytes }
    let values = network.graph[id].inputs.map { shapes[$0.index].count }.reduce(shapes[id.index].count, +)
    return values * MemoryLayout<Float>.stride
  }
}

// MARK: Layers

extension WeightedKernel {
  package var work: LayerWork? { nil }
  package var adjointWork: LayerWork? { nil }
  package var productWork: LayerWork? { work }
}

extension ConvolutionGeometry {
  /// The multiply-adds of an item: outputs × positions × depth.
  fileprivate var multiplyAdds: Int { groups * outputs * outputPositions * depth }

  /// The multiply-adds of an item by F(4×4, 3×3): 36 for every tile and pair of channels. Maps are rounded up to whole
  /// tiles.
  fileprivate var winogradMultiplyAdds: Int {
    let tiles = Int((window.out_height + 3) / 4 * ((window.out_width + 3) / 4))
    return groups * outputs * inputs * 36 * tiles
  }
}

extension ConvolutionKernel {
  var work: LayerWork? {
    isDirect ? directWork : usesWinograd ? winogradWork(over: geometry) : im2colWork(over: geometry)
  }

  var adjointWork: LayerWork? {
    if isDirect { return directWork }
    // Columns that overlapping bands compute twice are not counted.
    guard hasConvolutionAsAdjoint else { return work(.col2im, multiplyAdds: geometry.multiplyAdds) }
    let transposed = geometry.transposed()
    return usesWinograd && WinogradConvolution.suits(transposed)
      ? winogradWork(over: transposed) : im2colWork(over: transposed)
  }

  var productWork: LayerWork? { work }

  private var directWork: LayerWork { work(.direct, multiplyAdds: geometry.multiplyAdds) }

  private func winogradWork(over geometry: ConvolutionGeometry) -> LayerWork {
    work(.winograd, multiplyAdds: geometry.winogradMultiplyAdds)
  }

  private func im2colWork(over geometry: ConvolutionGeometry) -> LayerWork {
    work(geometry.isPointwise ? .pointwise : .im2col, multiplyAdds: geometry.multiplyAdds)
  }

  private func work(_ algorithm: LayerWork.Algorithm, multiplyAdds: Int) -> LayerWork {
    LayerWork(
      self, algorithm, multiplyAdds: inputShape[0] * multiplyAdds, direct: inputShape[0] * geometry.multiplyAdds,
      weights: geometry.groups * geometry.outputs * geometry.depth)
  }
}

extension FullyConnectedKernel {
  // The adjoint reads only rows whose outputs have relevance, so its work depends on the relevance.
  var work: LayerWork? {
    let (inputs, outputs) = (inputShape[-1], outputShape[-1])
    let items = outputs == 0 ? 0 : outputShape.count / outputs
    return LayerWork(
      self, items == 1 ? .gemv : .gemm, multiplyAdds: items * inputs * outputs, weights: inputs * outputs)
  }
}

extension BatchNormalizationKernel {
  var work: LayerWork? { LayerWork(self, .diagonal, multiplyAdds: inputShape.count, weights: 2 * inputShape[1]) }
  var adjointWork: LayerWork? { work }
}
