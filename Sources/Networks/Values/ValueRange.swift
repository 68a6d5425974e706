import RelevanceTensors

/// The interval of each element of a tensor, as bounds that broadcast to the tensor's shape.
///
/// Both bounds have the tensor's axes. Along each axis they have the tensor's extent, or 1 if the interval is the same
/// for the whole axis.
public struct ValueRange: Sendable {
  /// The smallest values.
  public let lower: Tensor
  /// The largest values; the shape is that of `lower`.
  public let upper: Tensor

  /// Creates a range; nil unless all bounds are finite and no lower bound exceeds its upper bound.
  package init?(lower: Tensor, upper: Tensor) {
    let isRange = lower.withUnsafeElements { l in
      upper.withUnsafeElements { h in
        l.count == h.count && l.indices.allSatisfy { l[$0].isFinite && h[$0].isFinite && l[$0] <= h[$0] }
      }
    }
    guard isRange, lower.shape == upper.shape, lower.count > 0 else { return nil }
    (self.lower, self.upper) = (lower, upper)
  }

  /// One interval for all elements of a tensor of `rank` axes.
  package init?(_ lower: Float, _ upper: Float, rank: Int) {
    let shape = TensorShape([Int](repeating: 1, count: rank))
    self.init(lower: Tensor(shape: shape, repeating: lower), upper: Tensor(shape: shape, repeating: upper))
  }

  package var shape: TensorShape { lower.shape }

  /// The smallest and the largest value that any element can have.
  ///
  /// - Complexity: O(bounds).
  package var hull: (lower: Float, upper: Float) {
    (lower.withUnsafeElements { $0.reduce(.infinity, min) }, upper.withUnsafeElements { $0.reduce(-.infinity, max) })
  }

  /// The bounds for a tensor of the given shape. If they were computed for an input of another size and do not
  /// broadcast to the shape along an axis, the axis gets one interval.
  package func fitted(to target: TensorShape) -> ValueRange {
    guard shape.rank == target.rank else {
      let (lower, upper) = hull
      return ValueRange(lower, upper, rank: target.rank) ?? self
    }
    return hull(along: shape.dimensions.indices.filter { shape[$0] != 1 && shape[$0] != target[$0] })
  }
}

extension ValueRange {
  /// Bounds with more elements are widened to fewer elements. Moving and mixing pixels does not justify more memory.
  static let largestCount = 1 << 22

  /// One interval for all elements along some axes.
  package func hull(along axes: [Int]) -> ValueRange {
    guard axes.contains(where: { shape[$0] != 1 }) else { return self }
    let kept = shape.reduced(over: Set(axes), keepsAxes: true)
    let walk = StridedWalk(over: shape, broadcasting: kept)
    func reduced(_ bound: Tensor, _ start: Float, _ function: (Float, Float) -> Float) -> Tensor {
      Tensor(uninitialized: kept) { result in
        result.update(repeating: start)
        bound.withUnsafeElements { bound in
          walk.forEachElement { position, to, _ in result[to] = function(result[to], bound[position]) }
        }
      }
    }
    return ValueRange(lower: reduced(lower, .infinity, min), upper: reduced(upper, -.infinity, max)) ?? self
  }

  /// The same bounds with extent 1 along every axis on which they do not differ.
  func simplified() -> ValueRange {
    var result = self
    for axis in shape.dimensions.indices where result.shape[axis] > 1 {
      let (extent, inner) = (result.shape[axis], result.shape.dimensions[(axis + 1)...].reduce(1, *))
      func isConstant(_ bound: Tensor) -> Bool {
        bound.withUnsafeElements { bound in
          bound.indices.allSatisfy { at in
            let first = at / (extent * inner) * (extent * inner) + at % inner
            return bound[at] == bound[first]
          }
        }
      }
      if isConstant(result.lower), isConstant(result.upper) { result = result.hull(along: [axis]) }
    }
    return result
  }

  /// Bounds whose shape leads to no more elements than `largestCount`: the longest axes are widened first. `fullShape`
  /// is the resulting shape for bounds of a given shape.
  func limited(_ fullShape: (TensorShape) -> TensorShape?) -> ValueRange? {
    var result = self
    while let full = fullShape(result.shape) {
      guard full.count > Self.largestCount else { return result }
      guard let axis = result.shape.dimensions.indices.max(by: { result.shape[$0] < result.shape[$1] }),
        result.shape[axis] > 1
      else { return nil }
      result = result.hull(along: [axis])
    }
    return nil
  }

  func expanded(to target: TensorShape) -> ValueRange? {
    shape == target ? self : ValueRange(lower: lower.expanded(to: target), upper: upper.expanded(to: target))
  }

  /// The interval of an elementwise function, given its result for one interval; nil if the function returns nil.
  package func mapped(_ function: (Interval) -> Interval?) -> ValueRange? {
    var isKnown = true
    var upperBounds = upper
    let lowerBounds = Tensor(uninitialized: shape) { result in
      lower.withUnsafeElements { l in
        upperBounds.withUnsafeMutableElements { h in
          for i in l.indices {
            guard let image = function(Interval(l[i], h[i])) else {
              (isKnown, result[i]) = (false, 0)
              continue
            }
            (result[i], h[i]) = (image.lower, image.upper)
          }
        }
      }
    }
    return isKnown ? ValueRange(lower: lowerBounds, upper: upperBounds) : nil
  }

  /// The interval of a pairwise function of two tensors that broadcast.
  package func combined(with other: ValueRange, _ function: (Interval, Interval) -> Interval?) -> ValueRange? {
    guard let a = limited({ $0.broadcast(with: other.shape) }),
      let b = other.limited({ $0.broadcast(with: a.shape) }), let shape = a.shape.broadcast(with: b.shape),
      let left = a.expanded(to: shape), let right = b.expanded(to: shape)
    else { return nil }
    let bounds = right.lower.elements
    let uppers = right.upper.elements
    var at = -1
    return left.mapped {
      at += 1
      return function($0, Interval(bounds[at], uppers[at]))
    }
  }

  package func including(_ value: Float) -> ValueRange? {
    mapped { Interval(min($0.lower, value), max($0.upper, value)) }
  }
}
