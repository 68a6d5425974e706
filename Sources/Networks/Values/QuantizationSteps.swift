import RelevanceTensors

/// The real numbers that integers represent: `(q − zero) · scale`, the same for all elements, for each position along
/// an axis, or for each block of positions.
package struct QuantizationSteps: Sendable {
  /// One number; one per position along the axis; or a tensor with one per block along the axis.
  package let scale: Tensor
  /// The integers that represent 0, one for each scale.
  package let zero: Tensor
  /// The axis along which scales differ; a negative axis counts from the end. Nil if there is one scale.
  package let axis: Int?
  /// The number of positions in a block along the axis; 0 if each position has its own scale.
  package let block: Int

  package init(scale: Tensor, zero: Tensor? = nil, axis: Int? = nil, block: Int = 0) {
    (self.scale, self.axis, self.block) = (scale, scale.count == 1 && block == 0 ? nil : axis, block)
    self.zero = zero ?? Tensor(shape: scale.shape, repeating: 0)
  }

  /// Checks that there is a scale for each element of a shape.
  ///
  /// - Throws: `Misfit`.
  func check(_ x: TensorShape) throws {
    guard scale.count == zero.count else {
      throw Misfit("found \(zero.count) zero points and \(scale.count) scales; expected the same number")
    }
    guard let axis else { return }
    let place = try counted(axis, rank: x.rank)
    if block == 0 {
      guard scale.count == x[place] else { throw Misfit("\(scale.count) scales along axis \(axis) do not fit \(x)") }
    } else {
      let blocks = TensorShape(
        x.dimensions.enumerated().map { $0.offset == place ? ($0.element + block - 1) / block : $0.element })
      guard scale.shape == blocks else { throw Misfit("scales of shape \(scale.shape) do not fit blocks of \(x)") }
    }
  }

  /// The number of consecutive elements of a shape that share a scale.
  package func run(in x: TensorShape) -> Int {
    guard let axis else { return max(x.count, 1) }
    return block == 0 ? max(inner(x, axis), 1) : 1
  }

  /// The index of the scale of run `index`, in a shape that fits.
  package func place(ofRun index: Int, in x: TensorShape) -> Int {
    guard let axis else { return 0 }
    if block == 0 { return index % scale.count }
    let (inner, extent) = (inner(x, axis), x[axis < 0 ? axis + x.rank : axis])
    let (outer, at) = (index / (inner * extent), index / inner % extent)
    return (outer * ((extent + block - 1) / block) + at / block) * inner + index % inner
  }

  private func inner(_ x: TensorShape, _ axis: Int) -> Int {
    x.dimensions[((axis < 0 ? axis + x.rank : axis) + 1)...].reduce(1, *)
  }

  /// Applies a function to each element of a tensor that fits.
  package func map(_ x: Tensor, _ function: (_ x: Float, _ scale: Float, _ zero: Float) -> Float) -> Tensor {
    let (run, scales, zeros) = (run(in: x.shape), scale.elements, zero.elements)
    return Tensor(uninitialized: x.shape) { result in
      x.withUnsafeElements { x0 in
        for at in x0.indices {
          let place = place(ofRun: at / run, in: x.shape)
          result[at] = function(x0[at], scales[place], zeros[place])
        }
      }
    }
  }

  /// The interval of a function of each element, its scale and its zero point; nil for blocks.
  func range(_ x: ValueRange?, _ function: @escaping (Interval, _ scale: Float, _ zero: Float) -> Interval?)
    -> ValueRange?
  {
    guard let x, block == 0 else { return nil }
    var shape = [Int](repeating: 1, count: x.shape.rank)
    if let axis { shape[axis < 0 ? axis + shape.count : axis] = scale.count }
    let places = Tensor(shape: TensorShape(shape), elements: (0..<scale.count).map { Float($0) })
    let (scales, zeros) = (scale.elements, zero.elements)
    return ValueRange(lower: places, upper: places).flatMap { places in
      x.combined(with: places) { function($0, scales[Int($1.lower)], zeros[Int($1.lower)]) }
    }
  }
}
