import CRelevancePropagation
import RelevanceTensors

// Operations on runs of relevance, implemented as loops in C.

extension MutableElements {
  func add(_ x: Elements) { withPointers(beside: x) { rk_add($0, $0, $1, $2) } }

  func add(_ addend: Float) { withPointer { rk_affine($0, $0, 1, addend, count) } }

  func multiply(by x: Elements) { withPointers(beside: x) { rk_multiply($0, $0, $1, $2) } }

  func multiply(by factor: Float) { withPointer { rk_scale($0, $0, factor, count) } }

  func set(_ x: Elements, times factor: Float) { withPointers(beside: x) { rk_scale($0, $1, factor, $2) } }

  func set(_ a: Elements, times b: Elements) {
    precondition(b.count == count, "the views differ in length")
    withPointers(beside: a) { own, a, count in b.withPointer { rk_multiply(own, a, $0, count) } }
  }

  func set(_ x: Elements, minus subtrahend: Float) {
    withPointers(beside: x) { rk_subtract_scalar($0, $1, subtrahend, $2) }
  }

  func set(positivePartOf x: Elements) { withPointers(beside: x) { rk_relu($0, $1, $2) } }

  func set(negativePartOf x: Elements) { withPointers(beside: x) { rk_clip($0, $1, -.infinity, 0, $2) } }

  func rectify() { withPointer { rk_relu($0, $0, count) } }

  /// Sets elements to 0 where `y` is not positive.
  func mask(_ y: Elements) { withPointers(beside: y) { rk_mask($0, $1, $2) } }

  /// Sets elements to 0 except where `y` has the given sign; 0 counts as positive.
  func keep(where y: Elements, areNegative: Bool) {
    withPointers(beside: y) { rk_keep_sign($0, $1, areNegative ? 1 : 0, $2) }
  }

  /// `self ← self / (z + stabilizer)`; 0 where z is 0, or where z is not positive and the stabilizer expects positive
  /// denominators.
  func divide(by z: Elements, _ stabilizer: Contributions.Stabilizer) {
    withPointers(beside: z) { own, z, count in
      switch stabilizer {
      case .positive(let number): rk_divide_positive(own, z, number, count)
      case .signed(let number): rk_divide_nonzero(own, z, number, count)
      }
    }
  }
}

extension Elements {
  var sum: Double { withPointer { rk_sum($0, count) } }

  /// The sum, and the sum of the magnitudes.
  var sums: SIMD2<Double> { Self.pair { pair in withPointer { rk_sums($0, count, pair) } } }

  /// The relevance that a division by z absorbs: at denominators that are 0, and by the stabilizer.
  func losses(dividingBy z: Elements, _ stabilizer: Contributions.Stabilizer) -> SIMD2<Double> {
    precondition(z.count == count, "the views differ in length")
    let (number, isPositive): (Float, Int32) =
      switch stabilizer {
      case .positive(let number): (number, 1)
      case .signed(let number): (number, 0)
      }
    return Self.pair { pair in
      withPointer { r in z.withPointer { rk_divide_losses(r, $0, number, isPositive, count, pair) } }
    }
  }

  private static func pair(_ add: (UnsafeMutablePointer<Double>) -> Void) -> SIMD2<Double> {
    var sums = [0.0, 0.0]
    add(&sums)
    return [sums[0], sums[1]]
  }
}
