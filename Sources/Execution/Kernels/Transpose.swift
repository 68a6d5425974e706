import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension Transpose: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    TransposeKernel(order: order, input: site.operands[0].shape)
  }
}

/// A permutation of the axes.
struct TransposeKernel: LinearKernel {
  private let order: [Int]
  private let input: TensorShape

  init(order: [Int]?, input: TensorShape) {
    self.order = order ?? (0..<input.rank).reversed()
    self.input = input
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    AxisOrder(of: input, order).apply(operands[0], output, on: workers)
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    precondition(order.first == 0 || seeds == 1, "the batch axis must stay first to carry several seeds")
    let output = order.map { input[$0] }
    let shape = order.first == 0 ? TensorShape([output[0] * seeds] + output[1...]) : TensorShape(output)
    let inverse = order.indices.map { order.firstIndex(of: $0)! }
    AxisOrder(of: shape, inverse).apply(upstream, c, on: workers)
  }
}

extension StridedCopy: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel { StridedCopyKernel(view: view) }
}

/// A copy of elements at equal distances along each axis, for predictions.
struct StridedCopyKernel: Kernel {
  private let order: AxisOrder
  private let offset: Int

  init(view: StridedView) { (order, offset) = (AxisOrder(of: view), view.offset) }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    order.apply(operands[0] + offset, output, on: workers)
  }
}

/// How a permutation of axes moves elements: as contiguous runs, or as matrices that are transposed.
private struct AxisOrder: Sendable {
  private struct Axis {
    var extent: Int
    let from: Int
    var to: Int
  }
  /// The axes that enumerate runs or matrices, in the result's order.
  private var outer: [Axis] = []
  /// Neighbors in both the operand and the result.
  private var inner = Axis(extent: 1, from: 1, to: 1)
  /// Neighbors in the result only: rows of the operand's matrix.
  private var rows = Axis(extent: 1, from: 1, to: 1)
  private var isMatrix = false
  private let count: Int

  init(of shape: TensorShape, _ order: [Int]) { self.init(of: StridedView(of: shape).transposed(to: order)) }

  init(of view: StridedView) {
    count = view.shape.count
    var axes: [Axis] = []
    var to = 1
    for axis in view.joinedAxes.reversed() {
      axes.append(Axis(extent: axis.extent, from: axis.step, to: to))
      to *= axis.extent
    }
    guard let last = axes.first else { return }
    axes.removeFirst()
    if last.from == 1 {
      inner = last
    } else if let place = axes.firstIndex(where: { $0.from == 1 }) {
      (rows, inner, isMatrix) = (last, axes.remove(at: place), true)
    }
    outer = axes.reversed()
  }

  func apply(_ x: Floats, _ y: MutableFloats, on workers: Workers) {
    guard count > 0 else { return }
    let grain = 1 << 15
    // Matrices are divided into bands of columns, which are rows of the result.
    let size = inner.extent * rows.extent
    let bands = isMatrix ? max(min(size / grain, inner.extent / 64), 1) : 1
    let width = ((inner.extent + bands - 1) / bands + 7) / 8 * 8
    let shared = Shared((x: x, y: y))
    workers.runSplit(count / size * bands, grain: max(grain * bands / size, 1)) { pieces in
      for piece in pieces {
        var (rest, from, to) = (piece / bands, 0, 0)
        for axis in outer.reversed() {
          from += rest % axis.extent * axis.from
          to += rest % axis.extent * axis.to
          rest /= axis.extent
        }
        let (x, y) = (shared.pointer.x + from, shared.pointer.y + to)
        guard isMatrix else {
          y.update(from: x, count: inner.extent)
          continue
        }
        let first = piece % bands * width
        let columns = min(width, inner.extent - first)
        if columns > 0 { rk_transpose(x + first, rows.from, rows.extent, columns, y + first * inner.to, inner.to) }
      }
    }
  }
}
