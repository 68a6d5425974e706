import CRelevanceKernels

/// A window that slides over a plane, implemented by its definition, tap by tap.
struct Geometry: CustomStringConvertible {
  var height: Int
  var width: Int
  var kernel: (y: Int, x: Int)
  var stride = (y: 1, x: 1)
  var dilation = (y: 1, x: 1)
  var before = (y: 0, x: 0)
  var after = (y: 0, x: 0)
  /// Whether the last window may extend beyond the padded plane if it starts inside the plane.
  var roundsUp = false

  var description: String {
    "\(height)×\(width), kernel \(kernel), strides \(stride), dilations \(dilation), padding \(before) \(after)"
  }

  /// The number of windows along an axis, counted one by one.
  private func windows(_ axis: KeyPath<(y: Int, x: Int), Int>, _ extent: Int) -> Int {
    var count = 0
    while true {
      let start = count * stride[keyPath: axis] - before[keyPath: axis]
      let end = start + (kernel[keyPath: axis] - 1) * dilation[keyPath: axis]
      guard end < extent + after[keyPath: axis] || roundsUp && start < extent && count > 0 else { return count }
      count += 1
    }
  }

  var outHeight: Int { windows(\.y, height) }
  var outWidth: Int { windows(\.x, width) }

  var window: rk_window {
    rk_window(
      height: height, width: width, out_height: outHeight, out_width: outWidth, kernel_y: kernel.y, kernel_x: kernel.x,
      stride_y: stride.y, stride_x: stride.x, dilation_y: dilation.y, dilation_x: dilation.x, pad_y: before.y,
      pad_x: before.x)
  }

  /// The position in the plane of each tap of each window, row after row; nil outside the plane.
  func taps() -> [[Int?]] {
    let (rows, columns) = (outHeight, outWidth)
    return (0..<rows * columns).map { window in
      (0..<kernel.y * kernel.x).map { tap in
        let y = window / columns * stride.y - before.y + tap / kernel.x * dilation.y
        let x = window % columns * stride.x - before.x + tap % kernel.x * dilation.x
        return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : nil
      }
    }
  }

  /// The number of taps of each window inside the padded plane.
  func tapsInPadding() -> [Int] {
    let (rows, columns) = (outHeight, outWidth)
    return (0..<rows * columns).map { window in
      let y = window / columns * stride.y - before.y
      let x = window % columns * stride.x - before.x
      return (0..<kernel.y).count { y + $0 * dilation.y < height + after.y }
        * (0..<kernel.x).count { x + $0 * dilation.x < width + after.x }
    }
  }

  /// Windows of all kinds on planes of every width, except windows that do not fit.
  static let all: [Geometry] = {
    var all: [Geometry] = []
    for width in 1...70 {
      all += [
        Geometry(height: 3, width: width, kernel: (1, 1)),
        Geometry(height: 5, width: width, kernel: (2, 2), stride: (2, 2)),
        Geometry(height: 4, width: width, kernel: (3, 3), before: (1, 1), after: (1, 1)),
        Geometry(height: 2, width: width, kernel: (1, 5), before: (0, 1), after: (0, 3)),
        Geometry(height: 5, width: width, kernel: (3, 3), stride: (2, 2), before: (1, 1), after: (1, 1)),
        Geometry(
          height: 5, width: width, kernel: (3, 3), stride: (2, 2), before: (0, 1), after: (0, 0), roundsUp: true),
        Geometry(height: 6, width: width, kernel: (3, 2), stride: (1, 3), dilation: (2, 1), before: (0, 1)),
        Geometry(height: 4, width: width, kernel: (2, 3), dilation: (1, 2), before: (-1, -1), after: (0, 2)),
      ]
    }
    // Larger than the maps that are computed as one row, and than the parts that are computed side by side.
    all.append(Geometry(height: 40, width: 60, kernel: (3, 3), before: (1, 1), after: (1, 1)))
    all.append(Geometry(height: 2, width: 600, kernel: (2, 3), before: (1, 1), after: (0, 1)))
    all.append(Geometry(height: 3, width: 1100, kernel: (3, 3), stride: (2, 2), before: (1, 1), after: (1, 1)))
    return all.filter { $0.outHeight > 0 && $0.outWidth > 0 }
  }()
}
