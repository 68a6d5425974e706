import Foundation
import Networks
import Tensors

/// How a network is run for one input shape: a kernel for every node and a place in memory for every value.
///
/// All values of a run live in one block of memory whose layout is fixed here. A rectifier takes the place of its operand
/// where nobody else wants that, and is merged into a convolution or fully connected layer before it; a node that only
/// changes the shape has no memory of its own.
package final class ExecutionPlan: Sendable {
  /// Where a node's output is during a run.
  enum Place: Sendable {
    case input
    case constant(Tensor)
    case memory(offset: Int)
    case sameAs(Node.ID)
  }

  package let network: Network
  package let shapes: [Shape]
  let kernels: [(any Kernel)?]
  let places: [Place]
  /// For each node with a companion product `W⁺·x`, where that goes and where it has to be exact.
  let companions: [Node.ID: (offset: Int, scope: Companion.Scope)]
  /// Floats that a run needs.
  let memory: Int
  /// Rectifiers that take the place of their operand.
  private let inPlace: Set<Node.ID>
  /// Operands whose own values are gone after a run, since a rectifier took their place.
  let overwritten: Set<Node.ID>

  init(
    _ network: Network, inputShape: Shape, companions wanted: [Node.ID: Companion.Scope], weights: WeightLibrary,
    algorithm: ConvolutionAlgorithm
  ) throws {
    let graph = network.graph
    let inferred = try graph.inferred(forInput: inputShape)
    let shapes = inferred.map(\.shape)
    try Self.checkMemory(for: graph, inferred)
    self.network = network
    self.shapes = shapes
    kernels = try graph.ids.map {
      try makeKernel(for: $0, in: graph, inferred: inferred, weights: weights, algorithm: algorithm)
    }

    let consumers = graph.consumers
    var inPlace = Set<Node.ID>()
    var overwritten = Set<Node.ID>()
    var places: [Place] = []
    var layout = Layout()
    for id in graph.ids {
      let node = graph[id]
      if let literal = inferred[id.index].literal {
        places.append(.constant(literal.floats))
        continue
      }
      switch node.operation {
      case .input: places.append(.input)
      case .relu:
        let operand = node.inputs[0]
        if case .memory = places[operand.index], consumers[operand.index].count == 1, operand != network.logits {
          inPlace.insert(id)
          overwritten.insert(operand)
          places.append(.sameAs(operand))
        } else {
          places.append(.memory(offset: layout.reserve(shapes[id.index].count)))
        }
      case _ where node.operation.keepsElements: places.append(.sameAs(node.inputs[0]))
      default: places.append(.memory(offset: layout.reserve(shapes[id.index].count)))
      }
    }
    self.inPlace = inPlace
    self.overwritten = overwritten
    self.places = places
    var companions: [Node.ID: (offset: Int, scope: Companion.Scope)] = [:]
    for id in graph.ids {
      if let scope = wanted[id] { companions[id] = (layout.reserve(shapes[id.index].count), scope) }
    }
    self.companions = companions
    memory = layout.size
  }

  /// Where the companion product of a node is exact; nil if it has none.
  package func companionScope(of id: Node.ID) -> Companion.Scope? { companions[id]?.scope }

  /// A model of a few bytes may ask for any amount of memory.
  private static func checkMemory(for graph: Graph, _ inferred: [Inferred]) throws {
    let available = Int(ProcessInfo.processInfo.physicalMemory)
    var rest = available / MemoryLayout<Float>.size
    for (node, value) in zip(graph.nodes, inferred) where value.literal == nil {
      guard value.shape.count <= rest else {
        throw ExecutionError.tooLarge(node: node.name, shape: value.shape, bytes: available)
      }
      rest -= value.shape.count
    }
  }

  private struct Layout {
    var size = 0
    mutating func reserve(_ count: Int) -> Int {
      defer { size += (count + 15) / 16 * 16 }
      return size
    }
  }

  /// Computes every node for `input`. What a node takes is told to `clock`, that of a rectifier merged into another node as
  /// part of that node's.
  func run(_ input: Tensor, on workers: Workers, clock: NodeClock? = nil) -> ForwardTrace {
    let memory = workers.pool.storage(count: self.memory)
    let trace = ForwardTrace(plan: self, input: input, memory: memory, workers: workers)
    let graph = network.graph
    let consumers = graph.consumers
    BLAS.withOneThreadPerCall {
      clock?.start()
      for id in graph.ids {
        guard let kernel = kernels[id.index] else { continue }
        let merged = inPlace.contains(id) && kernels[graph[id].inputs[0].index] is any WeightedKernel
        if merged || graph[id].operation.keepsElements { continue }
        let y = trace.address(of: id)
        if let weighted = kernel as? any WeightedKernel {
          trace.withOperand(0, of: id) { x in
            weighted.forward(
              x, y, rectifies: consumers[id.index].contains { inPlace.contains($0) },
              companion: companions[id].map { Companion(memory.base + $0.offset, scope: $0.scope) }, on: workers)
          }
        } else {
          trace.withOperands(of: id) { kernel.forward($0, y, on: workers) }
        }
        clock?.lap(id)
      }
    }
    return trace
  }
}
