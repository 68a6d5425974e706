import RelevanceTensors

/// images, positions → the images' values at the positions. Positions are between −1 and 1 along each spatial axis,
/// with the last axis first.
///
/// Positions and neighbors are computed as in ONNX Runtime.
package struct GridSample: Operator {
  package enum Mode: String, Sendable {
    case nearest
    case linear
    case cubic
  }
  /// The values outside of the images: ONNX's `padding_mode`.
  package enum Padding: String, Sendable {
    case zeros
    case border
    case reflection
  }
  package let mode: Mode
  package let padding: Padding
  /// Whether −1 and 1 are the centers of the outermost pixels, and not their edges.
  package let alignsCorners: Bool
  package init(mode: Mode, padding: Padding, alignsCorners: Bool) {
    (self.mode, self.padding, self.alignsCorners) = (mode, padding, alignsCorners)
  }

  package var kind: OperatorKind { .gridSample }
  package var decidingOperands: Set<Int> { [1] }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard operands.count == 2 else { throw Misfit("expected 2 operands, found \(operands.count)") }
    let (x, grid) = (operands[0].shape, operands[1].shape)
    guard x.rank >= 3, grid.rank == x.rank, grid[0] == x[0], grid[-1] == x.rank - 2 else {
      throw Misfit("positions of shape \(grid) do not fit images of shape \(x)")
    }
    guard mode != .cubic || x.rank == 4 else { throw Misfit("found shape \(x) for cubic sampling; expected 4 axes") }
    guard !x.dimensions.contains(0) else { throw Misfit("an empty tensor cannot be sampled") }
    return TensorShape(Array(x.dimensions[..<2] + grid.dimensions[1..<(grid.rank - 1)]))
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed(Set(2..<(try firstShape(operands).rank))) }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let (x, grid) = (operands[0].shape, operands[1].shape)
    let positions = elements.mapped(to: grid) { block in
      [block.axes[0]] + block.axes[2...] + [[Bool](repeating: true, count: grid[-1])]
    }
    if let known = operands[1].literal?.floats { return [samples(of: elements, in: x, at: known), positions] }
    let images = elements.mapped(to: x) { block in
      block.axes[..<2] + x.dimensions[2...].map { [Bool](repeating: true, count: $0) }
    }
    return [images, positions]
  }

  /// The neighbors of known positions.
  private func samples(of elements: ElementSet, in x: TensorShape, at grid: Tensor) -> ElementSet {
    let axes = x.rank - 2
    let space = TensorShape(Array(elements.shape.dimensions[2...]))
    let coordinates = grid.elements
    var result = ElementSet(noneOf: x)
    for block in elements.blocks {
      let places = ElementSet.Block(axes: Array(block.axes[2...])).places(in: space)
      for item in block.axes[0].indices where block.axes[0][item] {
        let items = block.axes[0].indices.map { $0 == item }
        for place in places {
          let neighbors = (0..<axes).map { axis in
            // Positions start with the last axis.
            let position = coordinates[(item * space.count + place) * axes + axes - 1 - axis]
            var flags = [Bool](repeating: false, count: x[axis + 2])
            for tap in taps(at: position, extent: flags.count) where tap.weight != 0 {
              if let index = tap.index { flags[index] = true } else { result.meetsPadding = true }
            }
            return flags
          }
          result.insert(ElementSet.Block(axes: [items, block.axes[1]] + neighbors))
        }
      }
    }
    return result
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { mode != .cubic && operands.first ?? false }
  package func range(at site: RangeSite) -> ValueRange? {
    guard mode != .cubic, let x = site.range(0)?.hull else { return nil }
    let (low, high) = padding == .zeros ? (min(x.lower, 0), max(x.upper, 0)) : (x.lower, x.upper)
    return ValueRange(low, high, rank: site.output.shape.rank)
  }

  /// A neighbor that contributes to a value.
  package struct Tap: Sendable {
    /// The index along the axis; nil outside of the image, where everything is 0.
    package let index: Int?
    package let weight: Float
    /// The derivative of the weight with respect to the given position.
    package let slope: Float
  }

  /// The neighbors of a position along an axis.
  package func taps(at position: Float, extent: Int) -> [Tap] {
    let size = Float(extent)
    let (low, high): (Float, Float) = alignsCorners ? (0, size - 1) : (-0.5, size - 0.5)
    var x = alignsCorners ? (position + 1) / 2 * (size - 1) : ((position + 1) * size - 1) / 2
    var scale = alignsCorners ? (size - 1) / 2 : size / 2
    if mode == .nearest { x = x.rounded(.toNearestOrEven) }
    if x < low || x > high {
      switch padding {
      case .zeros: break
      // Each of the four neighbors is clamped separately.
      case .border where mode == .cubic: break
      case .border: (x, scale) = (min(max(x, 0), size - 1), 0)
      case .reflection:
        let (place, isTurned) = Self.reflected(x, low, high)
        (x, scale) = (place, isTurned ? -scale : scale)
      }
    }
    // Far outside, where all values are 0.
    guard x.isFinite, abs(x) < 0x1p30 else { return [Tap(index: nil, weight: 0, slope: 0)] }
    let whole = x.rounded(.down)
    let share = x - whole
    let first = Int(whole)
    switch mode {
    case .nearest: return [Tap(index: index(first, low, high, extent), weight: 1, slope: 0)]
    case .linear:
      return [
        Tap(index: index(first, low, high, extent), weight: 1 - share, slope: -scale),
        Tap(index: index(first + 1, low, high, extent), weight: share, slope: scale),
      ]
    case .cubic:
      let a: Float = -0.75
      func near(_ d: Float) -> (Float, Float) {
        (((a + 2) * d - (a + 3)) * d * d + 1, (3 * (a + 2) * d - 2 * (a + 3)) * d)
      }
      func far(_ d: Float) -> (Float, Float) {
        (((a * d - 5 * a) * d + 8 * a) * d - 4 * a, (3 * a * d - 10 * a) * d + 8 * a)
      }
      let weights = [far(share + 1), near(share), near(1 - share), far(2 - share)]
      return weights.enumerated().map { place, own in
        Tap(
          index: index(first - 1 + place, low, high, extent), weight: own.0,
          slope: place < 2 ? own.1 * scale : -own.1 * scale)
      }
    }
  }

  private func index(_ index: Int, _ low: Float, _ high: Float, _ extent: Int) -> Int? {
    if (0..<extent).contains(index) { return index }
    switch padding {
    case .zeros: return nil
    case .border: return min(max(index, 0), extent - 1)
    case .reflection: return min(max(Int(Self.reflected(Float(index), low, high).place), 0), extent - 1)
    }
  }

  /// The position after reflection at both ends, as often as necessary.
  private static func reflected(_ x: Float, _ low: Float, _ high: Float) -> (place: Float, isTurned: Bool) {
    let range = high - low
    guard range > 0 else { return (low, true) }
    if x >= low, x <= high { return (x, false) }
    let beyond = x < low ? low - x : x - high
    let turns = (beyond / range).rounded(.towardZero)
    let rest = beyond - turns * range
    let isOdd = turns.truncatingRemainder(dividingBy: 2) != 0
    return ((x < low) != isOdd ? low + rest : high - rest, !isOdd)
  }
}
