import RelevanceNetworks

/// What one product of a layer with its weights takes, of a whole batch, by the shapes alone.
package struct LayerWork: Hashable, Sendable {
  /// How a product is computed.
  package enum Algorithm: String, Sendable {
    /// F(4×4, 3×3), over channels.
    case winograd
    /// One product with the windows laid out as columns, for loops of the package or of OpenBLAS.
    case im2col
    /// Sums over the taps of few channels, without a matrix product.
    case direct
    /// One product whose columns are added up where they land.
    case col2im
    /// One product with the data as they lie: a convolution of one tap.
    case pointwise
    /// Weights times several items.
    case gemm
    /// Weights times one item.
    case gemv
    /// One number per channel.
    case diagonal
  }

  package let algorithm: Algorithm
  /// Multiply-adds of the matrix products that are computed, without transforms.
  package let multiplyAdds: Int
  /// Multiply-adds by the layer's definition.
  package let directMultiplyAdds: Int
  /// Bytes that are moved at least: operand, result and weights as the model has them, each once.
  package let bytes: Int

  init(_ layer: some WeightedKernel, _ algorithm: Algorithm, multiplyAdds: Int, direct: Int? = nil, weights: Int) {
    (self.algorithm, self.multiplyAdds) = (algorithm, multiplyAdds)
    directMultiplyAdds = direct ?? multiplyAdds
    bytes = (layer.inputShape.count + layer.outputShape.count + weights) * MemoryLayout<Float>.stride
  }
}

extension ExecutionPlan {
  /// What `W·x` of a node takes; nil for a node without weights.
  package func work(of id: Node.ID) -> LayerWork? { (kernels[id.index] as? any WeightedKernel)?.work }

  /// What `Wᵀ·s` of a node takes for one seed; nil for a node without weights, and where it depends on `s`.
  package func adjointWork(of id: Node.ID) -> LayerWork? { (kernels[id.index] as? any WeightedKernel)?.adjointWork }

  /// Bytes that computing a node moves at least: its operands, its output and its weights, each once.
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
  /// Multiply-adds of an item: outputs × positions × depth.
  fileprivate var multiplyAdds: Int { groups * outputs * outputPositions * depth }

  /// Multiply-adds of an item by F(4×4, 3×3): 36 for every tile and pair of channels. Maps are rounded up to whole tiles.
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
    // Bands that overlap compute some columns twice, which is not counted.
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
  // Of the adjoint only rows whose outputs have relevance are read, so its work depends on what arrives.
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
