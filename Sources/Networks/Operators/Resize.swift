import RelevanceTensors

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
    /// First and last pixels correspond to the ends of a part: `Crop`.
    case cropAndResize = "tf_crop_and_resize"
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
  /// How cubic interpolation weighs.
  package let cubic: Cubic
  /// Whether neighbors outside have no weight, instead of being those at the edge.
  package let excludesOutside: Bool
  /// Whether axes that shrink are smoothed, by as many neighbors as an element of the result stands for.
  package let antialiases: Bool
  /// What is resized, if not all; only `Coordinates.cropAndResize` asks.
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
  // Cubic interpolation goes beyond what it interpolates.
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
    guard whole >= 0, whole < 0x1p62 else { throw Misfit("an extent is \(whole)") }
    return Int(whole)
  }

  /// The coordinate along an axis of `from` elements that an index of `to` stands for.
  func position(
    of index: Float, scale: Float, from: Float, to: Float, _ part: (start: Float, end: Float)? = nil
  ) -> Float {
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
    case .cropAndResize:
      let (start, end) = part ?? (0, 1)
      return to > 1
        ? start * (from - 1) + index * (end - start) * (from - 1) / (to - 1) : 0.5 * (start + end) * (from - 1)
    }
  }

  /// The nearest neighbor of a coordinate, not yet clamped to those that are there.
  func nearest(_ position: Float, shrinks: Bool) -> Float {
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
