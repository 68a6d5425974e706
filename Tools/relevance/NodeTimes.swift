import Foundation
import RelevanceKit

/// The times of each node in a prediction, for denominators and in a backward pass, and the peak rate of the machine.
struct NodeTimes {
  private let explainer: Explainer
  private let input: Tensor
  private let method: any AttributionMethod
  private let targets: [Target]
  private let peak: MatrixProductPeak
  /// The first round is a warm-up.
  private var rounds: [Round] = []

  init(_ explainer: Explainer, _ input: Tensor, method: any AttributionMethod, targets: [Target]) {
    self.explainer = explainer
    self.input = input
    self.method = method
    self.targets = targets
    peak = MatrixProductPeak(of: explainer.executor)
  }

  /// Rates of sgemm that were measured without nodes.
  private var peaks: [Double] = []

  /// One pass over the network.
  struct Pass {
    /// Milliseconds by node; nil for nodes without work.
    let nodes: [Double?]
    /// Milliseconds of the whole call.
    let whole: Double
    /// Products with transposed weights by node.
    let adjointProducts: [Int]

    init(_ graph: Graph, _ body: (NodeClock) throws -> Void) throws {
      let clock = NodeClock()
      whole = try timed { try body(clock) }.milliseconds
      var nodes = [Double?](repeating: nil, count: graph.nodes.count)
      for lap in clock.laps { nodes[lap.node.index] = (nodes[lap.node.index] ?? 0) + lap.time / .milliseconds(1) }
      self.nodes = nodes
      adjointProducts = graph.ids.map { clock.adjointProducts(at: $0) }
    }
  }

  /// One measurement of all passes, and of the rate of sgemm.
  struct Round {
    /// A forward pass that only predicts, and one that also stores positive products.
    let forward: Pass
    let recording: Pass
    /// A backward pass that computes denominators, and one that reuses them.
    let fresh: Pass
    let backward: Pass
    /// Floating point operations per second.
    let peak: Double

    /// The time for denominators.
    func denominators(_ time: (Pass) -> Double) -> Double {
      time(recording) - time(forward) + time(fresh) - time(backward)
    }
  }

  /// Measures everything once.
  mutating func addRound(noting memory: inout BenchMemory) throws {
    let graph = explainer.network.graph
    var trace: Trace?
    func walk() throws -> Pass {
      try Pass(graph) { clock in _ = try trace?.timed(by: clock).explain(targets, by: method, ledger: false) }
    }
    let recording = try Pass(graph) { trace = try explainer.trace(input, clock: $0) }
    let fresh = try walk()
    let backward = try walk()
    memory.trace = trace?.bytes
    memory.derivedWeights = explainer.executor.derivedWeightBytes
    trace = nil
    let forward = try Pass(graph) { _ = try explainer.executor.trace(input, clock: $0) }
    rounds.append(
      Round(forward: forward, recording: recording, fresh: fresh, backward: backward, peak: peak.measure()))
  }

  /// Measures sgemm alone.
  mutating func addPeaks(_ count: Int) {
    for _ in 0..<count { peaks.append(peak.measure()) }
  }
}

// MARK: The table

extension NodeTimes: CustomStringConvertible {
  private var counted: ArraySlice<Round> { rounds.count > 1 ? rounds.dropFirst() : rounds[...] }

  /// The median over the rounds.
  private func median(_ value: (Round) -> Double) -> Double { Self.median(counted.map(value)) }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The measurements of a node.
  private struct Entry {
    let forward: Double?
    let denominators: Double
    let backward: Double?
    /// Multiply-adds as computed.
    let multiplyAdds: Int
    let directMultiplyAdds: Int
    let adjointMultiplyAdds: Int
    let bytes: Int
  }

  var description: String {
    guard let plan = try? explainer.executor.plan(input.shape), let last = rounds.last else { return "" }
    let graph = explainer.network.graph
    var rows = [
      ["NODE", "OPERATOR", "OUTPUT", "ALGORITHM", "FORWARD ms", "GFLOP/s", "Z ms", "BACKWARD ms", "GFLOP/s", "MB"]
    ]
    var entries: [Entry] = []
    for id in graph.ids where last.forward.nodes[id.index] != nil || last.backward.nodes[id.index] != nil {
      let (work, adjoint) = (plan.work(of: id), plan.adjointWork(of: id))
      func time(_ pass: KeyPath<Round, Pass>) -> Double? {
        last[keyPath: pass].nodes[id.index] == nil ? nil : median { $0[keyPath: pass].nodes[id.index] ?? 0 }
      }
      let entry = Entry(
        forward: time(\.forward),
        denominators: median { $0.denominators { $0.nodes[id.index] ?? 0 } }, backward: time(\.backward),
        multiplyAdds: work?.multiplyAdds ?? 0, directMultiplyAdds: work?.directMultiplyAdds ?? 0,
        adjointMultiplyAdds: (adjoint?.multiplyAdds ?? 0) * last.backward.adjointProducts[id.index],
        bytes: last.forward.nodes[id.index] == nil ? 0 : plan.leastBytesMoved(by: id))
      entries.append(entry)
      var algorithms = [work, adjoint].compactMap { $0?.algorithm.rawValue }
      if algorithms.first == algorithms.last { algorithms = Array(algorithms.prefix(1)) }
      rows.append(
        row(
          [
            graph[id].name, graph[id].kind.name, plan.shapes[id.index].description,
            algorithms.isEmpty ? "–" : algorithms.joined(separator: "/"),
          ], entry))
    }
    let all = Entry(
      forward: entries.reduce(0) { $0 + ($1.forward ?? 0) },
      denominators: entries.reduce(0) { $0 + $1.denominators },
      backward: entries.reduce(0) { $0 + ($1.backward ?? 0) },
      multiplyAdds: entries.reduce(0) { $0 + $1.multiplyAdds },
      directMultiplyAdds: entries.reduce(0) { $0 + $1.directMultiplyAdds },
      adjointMultiplyAdds: entries.reduce(0) { $0 + $1.adjointMultiplyAdds },
      bytes: entries.reduce(0) { $0 + $1.bytes })
    rows.append(row(["all nodes", "", "", ""], all))
    let whole = (
      forward: median(\.forward.whole), denominators: median { $0.denominators(\.whole) },
      backward: median(\.backward.whole)
    )
    rows.append([
      "whole call", "", "", "", Self.fixed(whole.forward), "", Self.fixed(whole.denominators),
      Self.fixed(whole.backward), "", "",
    ])
    rows.append([
      "outside nodes", "", "", "", Self.share(whole.forward, all.forward), "",
      Self.share(whole.denominators, all.denominators), Self.share(whole.backward, all.backward), "", "",
    ])
    return Columns.text(rows, rightAligned: 4...) + "\n" + summary(all)
  }

  private func row(_ names: [String], _ entry: Entry) -> [String] {
    names + [
      Self.fixed(entry.forward), Self.rate(entry.multiplyAdds, entry.forward), Self.fixed(entry.denominators),
      Self.fixed(entry.backward), Self.rate(entry.adjointMultiplyAdds, entry.backward),
      Self.fixed(Double(entry.bytes) / 1e6),
    ]
  }

  private func summary(_ all: Entry) -> String {
    String(
      format: "products of a prediction: %.3f GFLOP as computed, %.3f GFLOP by definition",
      2e-9 * Double(all.multiplyAdds),
      2e-9 * Double(all.directMultiplyAdds))
  }

  private var rates: [Double] { peaks + counted.map(\.peak) }

  /// Floating point operations per second.
  var bestPeak: Double { rates.max() ?? 0 }

  var peakDescription: String {
    String(
      format: "sgemm of %d×%d matrices, one on each of %d threads (%@): best %.1f GFLOP/s, median %.1f GFLOP/s",
      MatrixProductPeak.side, MatrixProductPeak.side, explainer.threads, BLAS.coreName, bestPeak / 1e9,
      Self.median(rates) / 1e9)
  }

  /// Two decimals, without a negative zero.
  private static func fixed(_ number: Double?) -> String {
    guard let number else { return "–" }
    let text = String(format: "%.2f", number)
    return text == "-0.00" ? "0.00" : text
  }

  /// Billions of operations per second.
  private static func rate(_ multiplyAdds: Int, _ milliseconds: Double?) -> String {
    guard multiplyAdds > 0, let milliseconds, milliseconds > 0 else { return "–" }
    return String(format: "%.1f", 2e-6 * Double(multiplyAdds) / milliseconds)
  }

  /// The share of the total that its parts do not cover.
  private static func share(_ whole: Double, _ parts: Double?) -> String {
    guard let parts, whole >= 0.005 else { return "–" }
    let text = String(format: "%.1f %%", 100 * (whole - parts) / whole)
    return text == "-0.0 %" ? "0.0 %" : text
  }
}
