import RelevanceTensors

/// Resizes some axes, with nearest neighbors or with linear or cubic interpolation.
///
/// Positions are computed in single precision and in the same order as in ONNX Runtime, so that rounding selects the
/// same nearest neighbor. If no extent changes, nothing is interpolated. Interpolated integers are rounded toward zero
/// and can differ from ONNX Runtime's by 1.
package struct Resize: LimitKeeping {
  package enum Mode: String, Hashable, Sendable {
    case nearest
    case linear
    case cubic
  }
  /// The input coordinate of an output index: ONNX's `coordinate_transformation_mode`.
  package enum Coordinates: String, Hashable, Sendable {
    /// Centers of pixels correspond: `(index + ½) / scale − ½`.
    case halfPixel = "half_pixel"
    /// The same, with the centers of both axes aligned if size times scale is not an integer.
    case halfPixelSymmetric = "half_pixel_symmetric"
    /// The same as `halfPixel`, but 0 if the result has one element.
    case pytorchHalfPixel = "pytorch_half_pixel"
    /// TensorFlow's formula for nearest neighbors: `(index + ½) / scale`.
    case halfPixelForNearest = "tf_half_pixel_for_nn"
    /// First and last pixels correspond: `index · (input − 1) / (output − 1)`.
    case alignCorners = "align_corners"
    /// First pixels correspond: `index / scale`.
    case asymmetric
    /// The first and last pixels correspond to the ends of a part: `Crop`.
    case cropAndResize = "tf_crop_and_resize"
  }
  /// The choice of the nearest neighbor: ONNX's `nearest_mode`.
  package enum Rounding: String, Hashable, Sendable {
    /// The nearest one; in a tie, the lower one.
    case preferFloor = "round_prefer_floor"
    /// The nearest one; in a tie, the upper one.
    case preferCeil = "round_prefer_ceil"
    case floor
    case ceil
    /// The upper one along axes that shrink, otherwise the lower one. ONNX Runtime does this before opset 11.
    case simple
  }
  /// The treatment of sizes that would change the aspect ratio: ONNX's `keep_aspect_ratio_policy`.
  package enum AspectRatio: String, Hashable, Sendable {
    case stretch
    /// The ratio is kept, and no extent exceeds its size.
    case notLarger = "not_larger"
    /// The ratio is kept, and no extent is below its size.
    case notSmaller = "not_smaller"
  }
  /// The factor of each axis; nil if sizes are given.
  package let scales: [Float]?
  /// The extents of the result; nil if scales are given.
  package let sizes: List?
  /// The axes of the scales or sizes; a negative axis counts from the end. Nil means all axes, including batch and
  /// channels.
  package let axes: [Int]?
  package let mode: Mode
  package let coordinates: Coordinates
  /// The choice of the nearest neighbor; only used with `Mode.nearest`.
  package let rounding: Rounding
  package let aspectRatio: AspectRatio
  /// The weights of cubic interpolation.
  package let cubic: Cubic
  /// Whether neighbors outside have no weight, instead of being replaced by those at the edge.
  package let excludesOutside: Bool
  /// Whether axes that shrink are smoothed over the neighbors that an element of the result corresponds to.
  package let antialiases: Bool
  /// The part that is resized; only used with `Coordinates.cropAndResize`.
  package let crop: Crop?

  package init(
    scales: [Float]?, sizes: List?, axes: [Int]? = nil, mode: Mode, coordinates: Coordinates, rounding: Rounding,
    aspectRatio: AspectRatio = .stretch, cubic: Cubic = Cubic(coefficient: -0.75), excludesOutside: Bool = false,
    antialiases: Bool = false, crop: Crop? = nil
  ) {
    (self.scales, self.sizes, self.axes, self.mode) = (scales, sizes, axes, mode)
    (self.coordinates, self.rounding, self.aspectRatio) = (coordinates, rounding, aspectRatio)
    (self.cubic, self.excludesOutside, self.antialiases, self.crop) = (cubic, excludesOutside, antialiases, crop)
  }

  package var kind: OperatorKind { .resize }
  package var takesLists: Bool { true }
  package var isLinear: Bool { crop.map { $0.fill == 0 } ?? true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try TensorShape(checking: extents(of: firstShape(operands), operands).extents)
  }
  // Cubic interpolation can overshoot.
  package func isNonNegative(_ operands: [Bool]) -> Bool {
    mode != .cubic && crop?.fill ?? 0 >= 0 && operands.first ?? false
  }
  package func origin(of operands: [Inferred]) throws -> Origin {
    let taps = try taps(of: operands)
    return .mixed(Set(taps.indices.filter { taps[$0] != nil }))
  }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let x = try firstShape(operands)
    let taps = try taps(of: operands)
    let mixed = elements.mapped(to: x) { block in
      block.axes.enumerated().map { axis, outputs in
        guard let taps = taps[axis] else { return outputs }
        var flags = [Bool](repeating: false, count: x[axis])
        for (isIn, taps) in zip(outputs, taps) where isIn {
          for tap in taps where tap.weight != 0 { flags[tap.index] = true }
        }
        return flags
      }
    }
    return [mixed] + operands.dropFirst().map { ElementSet(allOf: $0.shape) }
  }
  package func range(at site: RangeSite) -> ValueRange? {
    guard mode != .cubic, let x = site.range(0) else { return nil }
    guard let crop else { return (try? taps(of: site.operands)).flatMap(x.resized) }
    return ValueRange(
      min(x.hull.lower, crop.fill), max(x.hull.upper, crop.fill), rank: site.output.shape.rank)
  }

  /// The extents of the result, and the factor of each axis.
  func extents(of x: TensorShape, _ operands: [Inferred]) throws -> (extents: [Int], scales: [Float]) {
    let axes = try countedAxes(x)
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

  func countedAxes(_ x: TensorShape) throws -> [Int] {
    let axes = try self.axes?.map { try counted($0, rank: x.rank) } ?? Array(0..<x.rank)
    guard Set(axes).count == axes.count else { throw Misfit("axes are \(axes); expected each once") }
    return axes
  }

  private func extent(_ whole: Float) throws -> Int {
    guard whole >= 0, whole < 0x1p62 else { throw Misfit("an extent is \(whole); expected a smaller number ≥ 0") }
    return Int(whole)
  }

  /// The coordinate, along an axis of `from` elements, that an index along an axis of `to` elements corresponds to.
  func position(
    of index: Float, scale: Float, from: Float, to: Float, _ part: (start: Float, end: Float)? = nil
  ) -> Float {
    switch coordinates {
    case .halfPixel: return (index + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let offset = from / 2 * (1 - to / (scale * from))
      // ONNX Runtime has a double-precision constant here.
      return Float(Double(offset) + (Double(index) + 0.5) / Double(scale) - 0.5)
    case .pytorchHalfPixel: return to > 1 ? (index + 0.5) / scale - 0.5 : 0
    case .halfPixelForNearest: return (index + 0.5) / scale
    case .alignCorners: return to > 1 ? index * (from - 1) / (to - 1) : 0
    case .asymmetric: return index / scale
    case .cropAndResize:
      let (start, end) = part ?? (0, 1)
      return to > 1
        ? start * (from - 1) + index * (end - start) * (from - 1) / (to - 1) : 0.5 * (start + end) * (from - 1)
    }
  }

  /// The nearest neighbor of a coordinate, before clamping.
  func nearest(_ position: Float, shrinks: Bool) -> Float {
    let below = position.rounded(.down)
    switch rounding {
    case .floor: return below
    case .ceil: return position.rounded(.up)
    case .simple: return shrinks ? position.rounded(.up) : position.rounded(.towardZero)
    // Values that are a tie except for rounding count as a tie, as measured on ONNX Runtime 1.32. Earlier versions
    // compare exactly.
    case .preferFloor, .preferCeil:
      let share = position - below
      let isHalfWay = abs(share - 0.5) < 1e-6
      return below + ((isHalfWay ? rounding == .preferCeil : share > 0.5) ? 1 : 0)
    }
  }
}
