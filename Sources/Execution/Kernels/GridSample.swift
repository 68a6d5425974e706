import RelevanceNetworks
import RelevanceTensors

extension GridSample: DirectlyComputed { typealias Computed = GridSampleKernel }

/// Values of images at given positions: weighted sums of neighbors along each axis.
struct GridSampleKernel: OperatorKernel, GuidedKernel {
  private let sample: GridSample
  private let items: Int
  private let channels: Int
  /// Height and width, or more spatial extents.
  private let extents: [Int]
  private let strides: [Int]
  private let plane: Int
  private let points: Int
  private let isWhole: Bool

  init(_ sample: GridSample, at site: KernelSite) {
    let x = site.operands[0].shape
    self.sample = sample
    (items, channels) = (x[0], x[1])
    extents = Array(x.dimensions[2...])
    strides = Array(x.strides[2...])
    plane = extents.reduce(1, *)
    points = site.output.shape.dimensions[2...].reduce(1, *)
    isWhole = site.output.kind != .real
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], grid: operands[1], y: output))
    workers.runSplit(items * points, grain: 256) { part in
      for point in part {
        let item = point / points
        let x = shared.pointer.x + item * channels * plane
        let y = shared.pointer.y + item * channels * points + point % points
        for channel in 0..<channels { y[channel * points] = 0 }
        forEachNeighbor(shared.pointer.grid + point * extents.count, slopes: false) { offset, weight, _ in
          for channel in 0..<channels { y[channel * points] += weight * x[channel * plane + offset] }
        }
        if isWhole { for channel in 0..<channels { y[channel * points].round(.towardZero) } }
      }
    }
  }

  func adjoint(
    _ upstream: Floats, at operands: [Floats], items batch: Int, seeds: Int, _ results: [MutableFloats?],
    on workers: Workers
  ) {
    results[0]?.update(repeating: 0, count: items * channels * plane * seeds)
    let axes = extents.count
    let own = items / max(batch, 1)
    let shared = Shared((s: upstream, x: operands[0], grid: operands[1], cx: results[0], cg: results[1]))
    workers.run(items * seeds) { task in
      let (s, x, grid, cx, cg) = shared.pointer
      // Seeds of an item are adjacent; the task covers several items of the batch.
      let item = task / (own * seeds) * own + task % own
      let images = x + item * channels * plane
      let upstream = s + task * channels * points
      for point in 0..<points {
        let target = cg.map { $0 + (task * points + point) * axes }
        target?.update(repeating: 0, count: axes)
        forEachNeighbor(grid + (item * points + point) * axes, slopes: target != nil) { offset, weight, slopes in
          if let cx = cx.map({ $0 + task * channels * plane }) {
            for channel in 0..<channels {
              cx[channel * plane + offset] += weight * upstream[channel * points + point]
            }
          }
          guard let target else { return }
          var sum: Float = 0
          for channel in 0..<channels {
            sum += upstream[channel * points + point] * images[channel * plane + offset]
          }
          // The coordinates of a position start with the last axis.
          for axis in 0..<axes { target[axes - 1 - axis] += slopes[axis] * sum }
        }
      }
    }
  }

  /// Calls `body` with each neighbor of a position that is inside the image, its weight, and the derivative of the
  /// weight along each axis.
  private func forEachNeighbor(
    _ position: Floats, slopes: Bool, _ body: (_ offset: Int, _ weight: Float, _ slopes: [Float]) -> Void
  ) {
    let axes = extents.count
    let taps = extents.indices.map { sample.taps(at: position[axes - 1 - $0], extent: extents[$0]) }
    let combinations = taps.reduce(1) { $0 * $1.count }
    for number in 0..<combinations {
      var (rest, offset, weight) = (number, 0, Float(1))
      var isInside = true
      var chosen: [GridSample.Tap] = []
      for axis in extents.indices.reversed() {
        let tap = taps[axis][rest % taps[axis].count]
        rest /= taps[axis].count
        guard let index = tap.index else {
          isInside = false
          break
        }
        offset += index * strides[axis]
        weight *= tap.weight
        if slopes { chosen.append(tap) }
      }
      guard isInside else { continue }
      let changes =
        slopes
        ? chosen.indices.reversed().map { axis in
          chosen.indices.reduce(1) { $0 * ($1 == axis ? chosen[$1].slope : chosen[$1].weight) }
        } : []
      body(offset, weight, changes)
    }
  }
}
