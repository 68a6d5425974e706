import Tensors

/// Another size of some axes, by nearest neighbors or by linear or cubic interpolation.
///
/// Positions are computed in single precision and in the order in which ONNX Runtime does it: where rounding decides which neighbor is
/// nearest, it decides as there. Where all extents stay what they are, nothing is interpolated. Interpolated integers are rounded toward
/// zero; where rounding decides, they may differ from ONNX Runtime's by 1.
package struct Resize: LimitKeeping {
  package enum Mode: String, Hashable, Sendable {
    case nearest
    case linear
    case cubic
  }
  /// Which input coordinate an output index stands for: ONNX's `coordinate_transformation_mode`.
  package enum Coordinates: String, Hashable, Sendable {
    /// Centers of pixels correspond: `(index + ½) / scale − ½`.
    case halfPixel = "half_pixel"
    /// The same, with the centers of both axes on one another where sizes times scales are no whole numbers.
    case halfPixelSymmetric = "half_pixel_symmetric"
    /// As `halfPixel`, but 0 where the result has one element.
    case pytorchHalfPixel = "pytorch_half_pixel"
    /// TensorFlow's for nearest neighbors: `(index + ½) / scale`.
    case halfPixelForNearest = "tf_half_pixel_for_nn"
    /// First and last pixels correspond: `index · (input − 1) / (output − 1)`.
    case alignCorners = "align_corners"
    /// First pixels correspond: `index / scale`.
    case asymmetric
  }
  /// Which neighbor is nearest: ONNX's `nearest_mode`.
  package enum Rounding: String, Hashable, Sendable {
    /// The nearest one, the lower of two as near.
    case preferFloor = "round_prefer_floor"
    /// The nearest one, the upper of two as near.
    case preferCeil = "round_prefer_ceil"
    case floor
    case ceil
    /// The upper one along axes that shrink, else the lower one: what ONNX Runtime does before opset 11.
    case simple
  }
  /// What becomes of sizes that would change the ratio of extents: ONNX's `keep_aspect_ratio_policy`.
  package enum AspectRatio: String, Hashable, Sendable {
    case stretch
    /// It stays, and no extent exceeds its size.
    case notLarger = "not_larger"
    /// It stays, and no extent is below its size.
    case notSmaller = "not_smaller"
  }
  /// Factors per axis, or nil where sizes are given.
  package let scales: [Float]?
  /// Extents of the result per axis, or nil where scales are given.
  package let sizes: List?
  /// The axes that scales or sizes are for; negative ones count from the end. Nil means all, batch and channels included.
  package let axes: [Int]?
  package let mode: Mode
  package let coordinates: Coordinates
  /// Which neighbor is nearest; only `Mode.nearest` asks.
  package let rounding: Rounding
  package let aspectRatio: AspectRatio
  /// How cubic interpolation weighs; nil in other modes.
  package let cubic: Cubic?

  package init(
    scales: [Float]?, sizes: List?, axes: [Int]? = nil, mode: Mode, coordinates: Coordinates, rounding: Rounding,
    aspectRatio: AspectRatio = .stretch, cubic: Cubic? = nil
  ) {
    (self.scales, self.sizes, self.axes, self.mode) = (scales, sizes, axes, mode)
    (self.coordinates, self.rounding, self.aspectRatio) = (coordinates, rounding, aspectRatio)
    self.cubic = mode == .cubic ? cubic ?? Cubic(coefficient: -0.75, excludesOutside: false) : nil
  }

  package var kind: OperatorKind { .resize }
  package var takesLists: Bool { true }
  package var isLinear: Bool { true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try TensorShape(checking: extents(of: firstShape(operands), operands).extents)
  }
  // Cubic interpolation goes beyond what it interpolates.
  package func isNonNegative(_ operands: [Bool]) -> Bool { mode != .cubic && operands.first ?? false }
  package func origin(of operands: [Inferred]) throws -> Origin {
    if mode == .cubic {
      let weights = try cubicWeights(of: operands)
      return .mixed(Set(weights.indices.filter { weights[$0] != nil }))
    }
    return .mixed(Set(Self.changedAxes(of: operands[0].shape, by: try weights(of: operands))))
  }
  /// An axis along which each index takes its own stays what it is.
  package static func changedAxes(
    of x: TensorShape, by weights: [[(low: Int, high: Int, share: Float)]]
  ) -> [Int] {
    weights.indices.filter { axis in
      weights[axis].count != x[axis]
        || weights[axis].enumerated().contains { $0.element.low != $0.offset || $0.element.share != 0 }
    }
  }
  package func range(at site: RangeSite) -> ValueRange? {
    guard mode != .cubic else { return nil }
    return site.range(0).flatMap { x in (try? weights(of: site.operands)).flatMap(x.resized) }
  }

  /// The extents of the result, and the factor of each axis.
  func extents(of x: TensorShape, _ operands: [Inferred]) throws -> (extents: [Int], scales: [Float]) {
    let axes = try self.axes?.map { try counted($0, rank: x.rank) } ?? Array(0..<x.rank)
    guard Set(axes).count == axes.count else { throw Misfit("axes are \(axes); expected each once") }
    var extents = x.dimensions
    var scales = [Float](repeating: 1, count: x.rank)
    if let sizes {
      let sizes = try sizes.values(operands, "sizes")
      guard sizes.count == axes.count else {
        throw Misfit("sizes has \(sizes.count) numbers; expected \(axes.count) for a shape \(x)")
      }
      var ratios = zip(axes, sizes).map { Float($1) / Float(max(x[$0], 1)) }
      if aspectRatio != .stretch, let least = ratios.min(), let most = ratios.max() {
        ratios = ratios.map { _ in aspectRatio == .notLarger ? least : most }
      }
      for (index, axis) in axes.enumerated() {
        scales[axis] = ratios[index]
        extents[axis] =
          aspectRatio == .stretch ? sizes[index] : try extent((ratios[index] * Float(x[axis])).rounded())
      }
      return (extents, scales)
    }
    let factors = self.scales ?? []
    guard factors.count == axes.count, factors.allSatisfy({ $0 > 0 && $0.isFinite && $0 < 1e6 }) else {
      throw Misfit("scales are \(factors); expected \(axes.count) positive numbers")
    }
    for (axis, factor) in zip(axes, factors) {
      scales[axis] = factor
      extents[axis] = try extent((factor * Float(x[axis])).rounded(.down))
    }
    return (extents, scales)
  }

  private func extent(_ whole: Float) throws -> Int {
    guard whole >= 0, whole < 0x1p62 else { throw Misfit("an extent is \(whole)") }
    return Int(whole)
  }

  /// For each axis the two input indices that each output index mixes, and the share of the second.
  package func weights(of operands: [Inferred]) throws -> [[(low: Int, high: Int, share: Float)]] {
    let x = try firstShape(operands)
    let (extents, scales) = try extents(of: x, operands)
    let output = try TensorShape(checking: extents)
    guard output.count == 0 || x.count > 0 else { throw Misfit("an empty tensor cannot be resized") }
    // Factors are not looked at where no extent changes.
    let isUnchanged = output == x
    return (0..<x.rank).map { axis in
      let (from, to, scale) = (x[axis], extents[axis], scales[axis])
      return (0..<to).map { index in
        if isUnchanged || from == to && scale == 1 { return (index, index, 0) }
        let position = position(of: Float(index), scale: scale, from: Float(from), to: Float(to))
        if mode == .nearest {
          let clamped = min(max(nearest(position, shrinks: scale < 1), 0), Float(from - 1))
          let nearest = min(Int(clamped), from - 1)
          return (nearest, nearest, 0)
        }
        let clamped = min(max(position, 0), Float(from - 1))
        let low = min(Int(clamped), from - 1)
        return (low, min(low + 1, from - 1), low + 1 < from ? clamped - Float(low) : 0)
      }
    }
  }

  /// The coordinate along an axis of `from` elements that an index of `to` stands for.
  func position(of index: Float, scale: Float, from: Float, to: Float) -> Float {
    switch coordinates {
    case .halfPixel: return (index + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let offset = from / 2 * (1 - to / (scale * from))
      // ONNX Runtime has a constant in double precision here.
      return Float(Double(offset) + (Double(index) + 0.5) / Double(scale) - 0.5)
    case .pytorchHalfPixel: return to > 1 ? (index + 0.5) / scale - 0.5 : 0
    case .halfPixelForNearest: return (index + 0.5) / scale
    case .alignCorners: return to > 1 ? index * (from - 1) / (to - 1) : 0
    case .asymmetric: return index / scale
    }
  }

  /// The nearest neighbor of a coordinate, not yet clamped to those that are there.
  private func nearest(_ position: Float, shrinks: Bool) -> Float {
    let below = position.rounded(.down)
    switch rounding {
    case .floor: return below
    case .ceil: return position.rounded(.up)
    case .simple: return shrinks ? position.rounded(.up) : position.rounded(.towardZero)
    // What is half way but for rounding counts as half way: measured on ONNX Runtime 1.32, whose earlier versions compare exactly.
    case .preferFloor, .preferCeil:
      let share = position - below
      let isHalfWay = abs(share - 0.5) < 1e-6
      return below + ((isHalfWay ? rounding == .preferCeil : share > 0.5) ? 1 : 0)
    }
  }
}
