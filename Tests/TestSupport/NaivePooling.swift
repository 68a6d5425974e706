import RelevanceKit

/// Pooling by its definition, window by window in double precision, as a reference for kernels and rules. It shares no
/// code with them.
package struct NaivePooling: Sendable {
  /// For each window of a plane, its positions inside the input, in order.
  private let windows: [[Int]]
  /// For each window, the number of its positions in the padded input.
  private let paddedCounts: [Int]
  private let inputs: Int
  /// The extents of an output plane.
  package let outputExtents: [Int]

  /// Places the windows on a plane of the given extents (one or two). Padding must be explicit.
  package init(_ window: Window, extents: [Int]) {
    guard case .explicit(let before, let after) = window.padding else {
      preconditionFailure("automatic padding has tests of its own")
    }
    /// Along one axis, for each window, the positions of its elements, which may be outside.
    func steps(_ axis: Int) -> [[Int]] {
      var result: [[Int]] = []
      while true {
        let start = result.count * window.strides[axis] - before[axis]
        let positions = (0..<window.kernel[axis]).map { start + $0 * window.dilations[axis] }
        let end = extents[axis] + after[axis]
        if positions.last! >= end {
          // In ceil mode a last window may be partly covered, but it must begin before the padding after the input.
          // There is none if the previous window reached the end.
          let isCovered = result.last.map { $0.last! >= end - 1 } ?? false
          if window.ceilMode, start < extents[axis], !isCovered { result.append(positions) }
          return result
        }
        result.append(positions)
      }
    }
    let isPlane = extents.count == 2
    let rows = isPlane ? steps(0) : [[0]]
    let columns = steps(isPlane ? 1 : 0)
    let (height, width) = isPlane ? (extents[0], extents[1]) : (1, extents[0])
    let rowEnd = isPlane ? height + after[0] : 1
    let columnEnd = width + after[isPlane ? 1 : 0]
    var windows: [[Int]] = []
    var paddedCounts: [Int] = []
    for row in rows {
      for column in columns {
        windows.append(
          row.filter { (0..<height).contains($0) }.flatMap { y in
            column.filter { (0..<width).contains($0) }.map { y * width + $0 }
          })
        paddedCounts.append(row.count { $0 < rowEnd } * column.count { $0 < columnEnd })
      }
    }
    self.windows = windows
    self.paddedCounts = paddedCounts
    inputs = height * width
    outputExtents = isPlane ? [rows.count, columns.count] : [columns.count]
  }

  /// The largest element of each window of each plane.
  package func maximum(_ x: [Double]) -> [Double] { reduce(x) { values, _ in values.max()! } }

  /// The mean of each window of each plane.
  package func average(_ x: [Double], countsPadding: Bool) -> [Double] {
    reduce(x) { values, window in values.reduce(0, +) / Double(divisor(window, countsPadding)) }
  }

  /// The relevance of each window goes to its largest element: to the first one, or in equal parts to all.
  package func winners(_ x: [Double], _ r: [Double], split: Bool) -> [Double] {
    distribute(x, r) { values, _ in
      let largest = values.max()!
      let winners = values.indices.filter { values[$0] == largest }
      return values.indices.map { index in
        split ? (values[index] == largest ? 1 / Double(winners.count) : 0) : (index == winners[0] ? 1 : 0)
      }
    }
  }

  /// The adjoint of the mean.
  package func averageAdjoint(_ r: [Double], countsPadding: Bool) -> [Double] {
    let planes = r.count / windows.count
    return distribute([Double](repeating: 0, count: planes * inputs), r) { values, window in
      values.map { _ in 1 / Double(divisor(window, countsPadding)) }
    }
  }

  /// The relevance of each window, in proportion to its elements; 0 if they sum to 0.
  package func proportional(_ x: [Double], _ r: [Double]) -> [Double] {
    distribute(x, r) { values, _ in
      let sum = values.reduce(0, +)
      return values.map { sum == 0 ? 0 : $0 / sum }
    }
  }

  private func divisor(_ window: Int, _ countsPadding: Bool) -> Int {
    countsPadding ? paddedCounts[window] : windows[window].count
  }

  private func reduce(_ x: [Double], _ body: ([Double], Int) -> Double) -> [Double] {
    (0..<x.count / inputs).flatMap { plane in
      windows.indices.map { index in body(windows[index].map { x[plane * inputs + $0] }, index) }
    }
  }

  private func distribute(_ x: [Double], _ r: [Double], _ shares: ([Double], Int) -> [Double]) -> [Double] {
    var c = [Double](repeating: 0, count: x.count)
    for plane in 0..<x.count / inputs {
      for (index, window) in windows.enumerated() {
        let values = window.map { x[plane * inputs + $0] }
        for (position, share) in zip(window, shares(values, index)) {
          c[plane * inputs + position] += share * r[plane * windows.count + index]
        }
      }
    }
    return c
  }
}

extension Tensor {
  /// Each item of the batch `count` times in a row, to match the relevance of several seeds.
  package func repeatingItems(_ count: Int) -> [Double] {
    let item = self.count / shape[0]
    let values = doubles
    return (0..<shape[0]).flatMap { index in
      (0..<count).flatMap { _ in values[index * item..<(index + 1) * item] }
    }
  }
}
