import RelevanceTensors

extension Resize {
  /// The weights of the four neighbors in cubic interpolation.
  package struct Cubic: Hashable, Sendable {
    /// The slope of the curve at distance one from its center: ONNX's `cubic_coeff_a`.
    package let coefficient: Float

    package init(coefficient: Float) { self.coefficient = coefficient }

    /// The weight of a neighbor at some distance.
    fileprivate func weight(at distance: Float) -> Float {
      let (a, d) = (coefficient, abs(distance))
      if d < 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
      return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
    }

    /// The weights of the neighbors one before, at, and one and two after the integer part of a position.
    fileprivate func weights(at share: Float) -> [Float] {
      let a = coefficient
      func near(_ d: Float) -> Float { ((a + 2) * d - (a + 3)) * d * d + 1 }
      func far(_ d: Float) -> Float { ((a * d - 5 * a) * d + 8 * a) * d - 4 * a }
      return [far(share + 1), near(share), near(1 - share), far(2 - share)]
    }
  }

  /// An input index and its weight in the interpolation.
  package struct Tap: Sendable {
    package let index: Int
    package let weight: Float
  }

  /// For each axis and each output index along it, the input indices that it interpolates. There are none outside of
  /// the cropped part. Nil for an axis that does not change.
  package func taps(of operands: [Inferred]) throws -> [[[Tap]]?] {
    let x = try firstShape(operands)
    let (extents, scales) = try extents(of: x, operands)
    let output = try TensorShape(checking: extents)
    guard output.count == 0 || x.count > 0 else { throw Misfit("an empty tensor cannot be resized") }
    let crops = try crop.map { try $0.parts(of: countedAxes(x), rank: x.rank) }
    // If no extent changes, the factors are irrelevant.
    if output == x { return x.dimensions.map { _ in nil } }
    return (0..<x.rank).map { axis in
      let (from, to, scale) = (x[axis], extents[axis], scales[axis])
      if from == to && scale == 1 { return nil }
      let taps = (0..<to).map { index in
        let part = crops?[axis]
        let position = position(of: Float(index), scale: scale, from: Float(from), to: Float(to), part)
        if part != nil, position < 0 || position > Float(from - 1) { return [Tap]() }
        return self.taps(at: position, from: from, scale: scale)
      }
      let isUnchanged =
        to == from && taps.enumerated().allSatisfy { $1.count == 1 && $1[0].index == $0 && $1[0].weight == 1 }
      return isUnchanged ? nil : taps
    }
  }

  private func taps(at position: Float, from: Int, scale: Float) -> [Tap] {
    func inside(_ index: Int) -> Int { min(max(index, 0), from - 1) }
    if mode == .nearest {
      let clamped = min(max(nearest(position, shrinks: scale < 1), 0), Float(from - 1))
      return [Tap(index: inside(Int(clamped)), weight: 1)]
    }
    if antialiases { return smoothed(at: position, from: from, scale: scale) }
    guard mode == .cubic else {
      let clamped = min(max(position, 0), Float(from - 1))
      let low = inside(Int(clamped))
      let share = low + 1 < from ? clamped - Float(low) : 0
      return share == 0
        ? [Tap(index: low, weight: 1)] : [Tap(index: low, weight: 1 - share), Tap(index: low + 1, weight: share)]
    }
    let whole = position.rounded(.down)
    var weights = cubic.weights(at: position - whole)
    let first = Int(max(min(whole, Float(from) + 4), -8)) - 1
    if excludesOutside {
      for i in 0..<4 where !(0..<from).contains(first + i) { weights[i] = 0 }
      let sum = weights.reduce(0, +)
      if sum != 0 { weights = weights.map { $0 / sum } }
    }
    return (0..<4).map { Tap(index: inside(first + $0), weight: weights[$0]) }
  }

  /// All neighbors within a filter whose width corresponds to one output element.
  private func smoothed(at position: Float, from: Int, scale: Float) -> [Tap] {
    let center = position + 0.5
    let narrowing = min(scale, 1)
    let reach = (mode == .cubic ? 2 : 1) / narrowing
    let (first, last) = ((center - reach + 0.5).rounded(.down), (center + reach + 0.5).rounded(.down))
    // The weights of neighbors outside are added to those at the edge, unless they are excluded.
    var weights = [Float](repeating: 0, count: from)
    for index in Int(max(first, -1e6))..<Int(min(max(last, first), 1e6)) {
      guard !excludesOutside || (0..<from).contains(index) else { continue }
      let distance = (Float(index) - center + 0.5) * narrowing
      weights[min(max(index, 0), from - 1)] +=
        mode == .cubic ? cubic.weight(at: distance) : max(1 - abs(distance), 0)
    }
    let sum = weights.reduce(0, +)
    return weights.indices.filter { weights[$0] != 0 }.map { Tap(index: $0, weight: weights[$0] / sum) }
  }

  /// The part of a tensor that is resized: ONNX's `tf_crop_and_resize`.
  package struct Crop: Hashable, Sendable {
    /// The start and end of the part along each axis, where 0 is the first element and 1 the last.
    package let starts: [Float]
    package let ends: [Float]
    /// The value of elements outside of the tensor.
    package let fill: Float

    package init(starts: [Float], ends: [Float], fill: Float) {
      (self.starts, self.ends, self.fill) = (starts, ends, fill)
    }

    /// The part along each axis of a tensor.
    func parts(of axes: [Int], rank: Int) throws -> [(start: Float, end: Float)] {
      guard starts.count == axes.count, ends.count == axes.count, (starts + ends).allSatisfy({ abs($0) < 1e6 }) else {
        throw Misfit("roi has \(starts.count + ends.count) numbers; expected \(2 * axes.count) finite ones")
      }
      var parts = [(start: Float, end: Float)](repeating: (0, 1), count: rank)
      for (index, axis) in axes.enumerated() { parts[axis] = (starts[index], ends[index]) }
      return parts
    }
  }
}
