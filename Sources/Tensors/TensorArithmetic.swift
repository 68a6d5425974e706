extension Tensor {
  /// The sum of all elements, accumulated in double precision.
  public func sum() -> Double { withUnsafeElements { $0.reduce(0) { $0 + Double($1) } } }

  /// The largest magnitude; 0 for an empty tensor.
  public func largestMagnitude() -> Float { withUnsafeElements { $0.reduce(0) { max($0, abs($1)) } } }

  /// The tensor with `transform` applied to each element.
  public func map(_ transform: (Float) -> Float) -> Tensor {
    Tensor(uninitialized: shape) { result in
      withUnsafeElements { source in for i in source.indices { result[i] = transform(source[i]) } }
    }
  }

  /// The tensor with `transform` applied to each pair of elements. Traps unless the shapes are equal.
  public func combined(with other: Tensor, _ transform: (Float, Float) -> Float) -> Tensor {
    precondition(shape == other.shape, "\(shape) and \(other.shape) cannot be combined element by element")
    return Tensor(uninitialized: shape) { result in
      withUnsafeElements { a in
        other.withUnsafeElements { b in for i in a.indices { result[i] = transform(a[i], b[i]) } }
      }
    }
  }

  /// The tensor with negative elements replaced by zero.
  package var positivePart: Tensor { map { max($0, 0) } }

  /// The axes in another order: axis `k` of the result is axis `order[k]` of this tensor.
  public func transposed(_ order: [Int]) -> Tensor {
    precondition(order.sorted() == Array(0..<shape.rank), "\(order) does not order the axes of \(shape)")
    let strides = shape.strides
    let target = TensorShape(order.map { shape[$0] })
    return Tensor(uninitialized: target) { result in
      withUnsafeElements { source in
        StridedWalk(over: target, strides: order.map { strides[$0] }).forEachElement { to, from, _ in
          result[to] = source[from]
        }
      }
    }
  }

  /// ‖a − b‖₂ / ‖b‖₂, the relative distance of a tensor from a reference. For a reference of zeros it is 0 or infinite.
  public func relativeDistance(from reference: Tensor) -> Double {
    precondition(shape == reference.shape, "\(shape) and \(reference.shape) cannot be compared")
    var (difference, norm) = (0.0, 0.0)
    for (a, b) in zip(view, reference.view) {
      difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
      norm += Double(b) * Double(b)
    }
    return difference == 0 ? 0 : (difference / norm).squareRoot()
  }
}

// MARK: Statistics

extension Tensor {
  /// The cosine of the angle between two tensors as vectors, −1…1; 0 if one of them is zero.
  public func cosine(to other: Tensor) -> Double {
    precondition(shape == other.shape, "\(shape) and \(other.shape) cannot be compared")
    var (product, squaresA, squaresB) = (0.0, 0.0, 0.0)
    for (a, b) in zip(view, other.view) {
      let (x, y) = (Double(a), Double(b))
      product += x * y
      squaresA += x * x
      squaresB += y * y
    }
    return product == 0 ? 0 : max(-1, min(1, product / (squaresA * squaresB).squareRoot()))
  }

  /// The concentration of magnitudes as the Gini coefficient: 0 if all are equal, `1 − 1/n` if one of `n` is nonzero.
  ///
  /// With the magnitudes in ascending order, `G = Σ_i (2i − n − 1)·|x_i| / (n·Σ_i |x_i|)` for `i` from 1 to `n`; 0 for
  /// zeros. (N. Hurley, S. Rickard, “Comparing measures of sparsity”, IEEE Transactions on Information Theory 55(10),
  /// 2009.)
  ///
  /// - Complexity: O(n log n).
  public func giniCoefficient() -> Double {
    let magnitudes = elements.map(abs).sorted()
    let count = Double(magnitudes.count)
    var (weighted, sum) = (0.0, 0.0)
    for (index, magnitude) in magnitudes.enumerated() {
      weighted += (2 * Double(index + 1) - count - 1) * Double(magnitude)
      sum += Double(magnitude)
    }
    return sum == 0 ? 0 : weighted / (count * sum)
  }
}

extension Tensor {
  /// Joins items of equal shape along the first axis.
  package init(joining items: [Tensor]) {
    if items.count == 1 {
      self = items[0]
      return
    }
    let first = items[0].shape
    precondition(items.allSatisfy { $0.shape == first }, "only items of one shape can be joined")
    self.init(uninitialized: first.withBatch(first[0] * items.count)) { result in
      for (index, item) in items.enumerated() {
        item.withUnsafeElements {
          result.baseAddress!.advanced(by: index * first.count).update(from: $0.baseAddress!, count: first.count)
        }
      }
    }
  }
}
