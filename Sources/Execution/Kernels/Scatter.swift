import RelevanceNetworks
import RelevanceTensors

extension Scatter: DirectlyComputed { typealias Computed = ScatterKernel }

/// The data with updates at some positions: the last update of each position, or the sum of all of them.
struct ScatterKernel: OperatorKernel, LinearKernel {
  private let adds: Bool
  /// The position of each update; −1 if a later update has the same position.
  private let positions: [Int]
  private let count: Int

  init(_ scatter: Scatter, at site: KernelSite) throws {
    adds = scatter.adds
    count = site.output.shape.count
    var positions = try scatter.positions(of: site.operands)
    if !adds {
      var last = [Int: Int](minimumCapacity: positions.count)
      for (update, position) in positions.enumerated() { last[position] = update }
      for (update, position) in positions.enumerated() where last[position] != update { positions[update] = -1 }
    }
    self.positions = positions
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    output.update(from: operands[0], count: count)
    for (update, position) in positions.enumerated() where position >= 0 {
      output[position] = adds ? output[position] + operands[2][update] : operands[2][update]
    }
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    for seed in 0..<seeds {
      let s = upstream + seed * count
      if let data = results[0].map({ $0 + seed * count }) {
        data.update(from: s, count: count)
        if !adds { for position in positions where position >= 0 { data[position] = 0 } }
      }
      if results.count > 2, let updates = results[2].map({ $0 + seed * positions.count }) {
        for (update, position) in positions.enumerated() { updates[update] = position < 0 ? 0 : s[position] }
      }
    }
  }
}
