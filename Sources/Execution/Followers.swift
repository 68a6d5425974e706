import CRelevanceKernels
import RelevanceTensors

/// A kernel whose output can be computed run by run, from operands that advance with it element by element or are
/// repeated.
protocol RunwiseKernel: Kernel {
  /// The number of elements of the output.
  var count: Int { get }
  /// The loop that computes a run, and the operands that repeat; nil if there is no such loop.
  var follower: rk_follower? { get }
}

/// A computed part of a node's output: `rows` runs of `count` elements, the first at `start`, each `lead` elements
/// after the previous one.
struct OutputTile {
  let start: Int
  let rows: Int
  let lead: Int
  let count: Int
}

/// Elementwise functions that are computed after a node, tile by tile, while its values are in a cache.
package struct Followers: @unchecked Sendable {
  private let functions: [rk_follower]

  static let none = Followers([])

  init(_ functions: [rk_follower]) { self.functions = functions }

  func compute(_ tile: OutputTile) {
    if functions.isEmpty { return }
    rk_follow(functions, functions.count, tile.start, tile.rows, tile.lead, tile.count)
  }

  /// Computes all elements on all threads.
  func compute(all count: Int, on workers: Workers) {
    if functions.isEmpty { return }
    workers.runSplit(count) { part in
      compute(OutputTile(start: part.lowerBound, rows: 1, lead: part.count, count: part.count))
    }
  }
}

extension rk_function {
  init(_ kind: rk_function_kind, _ p: Float = 0, _ q: Float = 0, _ r: Float = 0) {
    self.init(kind: kind, p: p, q: q, r: r)
  }
}

extension rk_follower {
  init(_ function: rk_function, repeats: (Bool, Bool) = (false, false)) {
    self.init()
    self.function = function
    operands.0.repeats = repeats.0 ? 1 : 0
    operands.1.repeats = repeats.1 ? 1 : 0
  }

  func repeats(operand: Int) -> Bool { (operand == 0 ? operands.0 : operands.1).repeats != 0 }
}

extension rk_walk {
  /// Creates a walk in C; nil if it would need more axes than `RK_WALK_AXES`.
  init?(_ walk: StridedWalk) {
    guard walk.axes.count <= RK_WALK_AXES, (0...1).contains(walk.steps.a), (0...1).contains(walk.steps.b) else {
      return nil
    }
    self.init()
    run = max(walk.runLength, 1)
    steps = (walk.steps.a, walk.steps.b)
    axes = Int32(walk.axes.count)
    withUnsafeMutableBytes(of: &extents) { extents in
      for (index, axis) in walk.axes.enumerated() { extents.bindMemory(to: Int.self)[index] = axis.extent }
    }
    withUnsafeMutableBytes(of: &strides) { strides in
      let strides = strides.bindMemory(to: Int.self)
      for (index, axis) in walk.axes.enumerated() { (strides[2 * index], strides[2 * index + 1]) = (axis.a, axis.b) }
    }
  }
}
