/// A walk over all elements of a shape in row-major order, run by run, together with one or two operands that have
/// their own strides in memory: they are repeated along axes or have their axes in another order.
///
/// Within a run, each operand advances by a constant distance per element.
package struct StridedWalk: Sendable {
  package let runLength: Int
  package let runCount: Int
  /// The distance of each operand between elements of a run; 0 if it does not advance.
  package let steps: (a: Int, b: Int)
  /// The axes between runs, and the distances of each operand along them.
  @usableFromInline package let axes: [(extent: Int, a: Int, b: Int)]

  /// Creates a walk with operands that have the given distances between neighbors along each axis of the shape.
  package init(over shape: TensorShape, strides a: [Int], _ b: [Int]? = nil) {
    let b = b ?? a
    precondition(a.count == shape.rank && b.count == shape.rank, "\(a) and \(b) are no strides for \(shape)")
    // Axes with one element need no steps.
    let long = shape.dimensions.indices.filter { shape[$0] != 1 }
    var (run, steps, inner) = (1, (a: 1, b: 1), long.count)
    while inner > 0 {
      let axis = long[inner - 1]
      if run == 1 { steps = (a[axis], b[axis]) }
      guard a[axis] == steps.a * run, b[axis] == steps.b * run else { break }
      run *= shape[axis]
      inner -= 1
    }
    axes = long[..<inner].map { (shape[$0], a[$0], b[$0]) }
    runLength = run
    runCount = run == 0 ? 0 : shape.count / run
    self.steps = steps
  }

  /// Creates a walk with operands that are broadcast as in NumPy and ONNX. Traps if they do not broadcast to the shape.
  package init(over shape: TensorShape, broadcasting a: TensorShape, _ b: TensorShape? = nil) {
    self.init(over: shape, strides: a.strides(broadcastTo: shape), b?.strides(broadcastTo: shape))
  }

  /// The position of each operand at the start of a run.
  @inlinable
  package func places(ofRun number: Int) -> (a: Int, b: Int) {
    var (rest, a, b) = (number, 0, 0)
    for axis in axes.reversed() {
      a += rest % axis.extent * axis.a
      b += rest % axis.extent * axis.b
      rest /= axis.extent
    }
    return (a, b)
  }

  /// Calls `body` with the start of each run and the positions of the operands there, for all runs or for a range of
  /// runs.
  @inlinable
  package func forEachRun(
    in numbers: Range<Int>? = nil, _ body: (_ start: Int, _ a: Int, _ b: Int) throws -> Void
  ) rethrows {
    let numbers = numbers ?? 0..<runCount
    guard !numbers.isEmpty else { return }
    var index = [Int](repeating: 0, count: axes.count)
    var rest = numbers.lowerBound
    for (place, axis) in axes.enumerated().reversed() {
      index[place] = rest % axis.extent
      rest /= axis.extent
    }
    var (a, b) = places(ofRun: numbers.lowerBound)
    for number in numbers {
      try body(number * runLength, a, b)
      var place = axes.count - 1
      while place >= 0 {
        let axis = axes[place]
        index[place] += 1
        a += axis.a
        b += axis.b
        if index[place] < axis.extent { break }
        a -= axis.a * axis.extent
        b -= axis.b * axis.extent
        index[place] = 0
        place -= 1
      }
    }
  }

  /// Calls `body` with each position and the positions of the operands there.
  @inlinable
  package func forEachElement(_ body: (_ position: Int, _ a: Int, _ b: Int) throws -> Void) rethrows {
    try forEachRun { start, a, b in
      for i in 0..<runLength { try body(start + i, a + i * steps.a, b + i * steps.b) }
    }
  }
}

extension TensorShape {
  /// The distance between neighbors along each axis of a shape that this one broadcasts to; 0 along repeated axes.
  /// Traps if it does not broadcast.
  package func strides(broadcastTo target: TensorShape) -> [Int] {
    precondition(broadcast(with: target) == target, "\(self) does not broadcast to \(target)")
    let extents = [Int](repeating: 1, count: target.rank - rank) + dimensions
    return zip(extents, TensorShape(extents).strides).map { $0 == 1 ? 0 : $1 }
  }
}

extension Tensor {
  /// Calls `body` with runs of elements of a tensor of the given shape. Along a run, this tensor, broadcast to that
  /// shape, either advances or stays. Traps if it does not broadcast. The arguments of `body` are the start of the run,
  /// the position in this tensor, whether it advances, and the number of elements in the run.
  package func forEachRun(
    broadcastTo target: TensorShape, _ body: (_ start: Int, _ own: Int, _ moves: Bool, _ count: Int) -> Void
  ) {
    let walk = StridedWalk(over: target, broadcasting: shape)
    walk.forEachRun { start, own, _ in body(start, own, walk.steps.a != 0, walk.runLength) }
  }

  /// The tensor, broadcast to a shape.
  package func expanded(to target: TensorShape) -> Tensor {
    guard shape != target else { return self }
    return Tensor(uninitialized: target) { result in
      withUnsafeElements { source in
        StridedWalk(over: target, broadcasting: shape).forEachElement { position, own, _ in
          result[position] = source[own]
        }
      }
    }
  }

  /// The sums over the axes along which an operand of the given shape was broadcast to this tensor's shape.
  package func summed(to target: TensorShape) -> Tensor {
    var result = Tensor(shape: target)
    result.withUnsafeMutableElements { sums in
      withUnsafeElements { x in
        StridedWalk(over: shape, broadcasting: target).forEachElement { position, own, _ in sums[own] += x[position] }
      }
    }
    return result
  }
}
