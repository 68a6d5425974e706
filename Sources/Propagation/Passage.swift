import RelevanceNetworks
import RelevanceTensors

/// The channels of a node's output that pass relevance.
package struct Gate: Sendable, Hashable {
  package let node: Node.ID
  /// The axis of the channels in the output.
  let axis: Int
  /// Whether each channel passes relevance.
  let isOpen: [Bool]

  /// - Parameter axis: the axis of the output whose extent is the number of channels.
  package init(_ node: Node.ID, axis: Int, isOpen: [Bool]) {
    (self.node, self.axis, self.isOpen) = (node, axis, isOpen)
  }
}

/// The gates, at most one for each node, that the relevance of one seed passes on its way to the input. *Achtibat23*
/// eq. 3.
package struct Passage: Sendable {
  fileprivate let gates: [Node.ID: Gate]
  /// For each gate, whether each node is the gate's node or comes after it; nil where relevance may also take other
  /// paths.
  private let downstream: [Node.ID: [Bool]]?

  /// - Parameters:
  ///   - gates: the gates, at most one for each node.
  ///   - isExclusive: whether only relevance that has passed all gates is propagated; otherwise relevance on other
  ///     paths is, too.
  /// - Complexity: O(gates × edges).
  package init(_ gates: [Gate], isExclusive: Bool, in graph: Graph) {
    self.gates = Dictionary(uniqueKeysWithValues: gates.map { ($0.node, $0) })
    downstream = isExclusive ? self.gates.mapValues { graph.downstream(of: $0.node) } : nil
  }

  /// Whether relevance that starts at a node's output can pass all gates.
  package func admits(startAt id: Node.ID) -> Bool { downstream?.values.allSatisfy { $0[id.index] } ?? true }

  /// Whether relevance from a node to one of its operands would bypass a gate that is not at this node.
  fileprivate func bars(_ operand: Node.ID, from node: Node.ID) -> Bool {
    downstream?.contains { gate, isDownstream in
      node != gate && isDownstream[node.index] && !isDownstream[operand.index]
    } ?? false
  }
}

/// The passages of the seeds of a walk, assigned to the seeds cyclically; none if all relevance passes everywhere.
struct Passages: Sendable {
  var each: [Passage] = []

  /// The passages of one seed.
  subscript(seed: Int) -> Passages { each.isEmpty ? self : Passages(each: [each[seed % each.count]]) }

  /// Whether any seed has a gate at a node.
  func hasGate(at id: Node.ID) -> Bool { each.contains { $0.gates[id] != nil } }

  /// Sets relevance to 0 where a seed's gate is closed.
  ///
  /// - Parameters:
  ///   - relevance: the relevance at the node, `seeds` items for each item of the batch.
  ///   - shape: the shape of the node's output for all items.
  func close(_ relevance: inout Tensor, at id: Node.ID, of shape: TensorShape, items: Int, seeds: Int) {
    guard hasGate(at: id), shape.count > 0 else { return }
    // The seeds of an item are adjacent.
    let size = seeds == 1 ? shape.count : shape.count / items
    relevance.withUnsafeMutableElements { values in
      for block in 0..<values.count / size {
        guard let gate = each[block % seeds % each.count].gates[id] else { continue }
        let inner = shape.strides[gate.axis]
        let period = inner * gate.isOpen.count
        for (channel, isOpen) in gate.isOpen.enumerated() where !isOpen {
          for start in stride(from: block * size + channel * inner, to: (block + 1) * size, by: period) {
            (values.baseAddress! + start).update(repeating: 0, count: inner)
          }
        }
      }
    }
  }

  /// Whether the relevance of some seed must not pass from a node to one of its operands.
  func bars(_ operand: Node.ID, from node: Node.ID) -> Bool { each.contains { $0.bars(operand, from: node) } }

  /// The part of the relevance from a node to one of its operands that is propagated; nil if none is.
  func passing(_ share: Tensor, from node: Node.ID, to operand: Node.ID, items: Int, seeds: Int) -> Tensor? {
    share.kept(where: each.map { !$0.bars(operand, from: node) }, items: items, seeds: seeds)
  }

  /// The part of the relevance that starts at a node and can reach the input; nil if none can.
  func starting(_ seed: Tensor, at node: Node.ID, items: Int, seeds: Int) -> Tensor? {
    seed.kept(where: each.map { $0.admits(startAt: node) }, items: items, seeds: seeds)
  }
}

extension Tensor {
  /// The relevance of some seeds, and zeros for the other seeds; nil if no seed is kept.
  fileprivate func kept(where isKept: [Bool], items: Int, seeds: Int) -> Tensor? {
    if !isKept.contains(false) { return self }
    if !isKept.contains(true) { return nil }
    var result = self
    let size = count / max(items * seeds, 1)
    result.withUnsafeMutableElements { values in
      for block in 0..<items * seeds where !isKept[block % seeds % isKept.count] {
        (values.baseAddress! + block * size).update(repeating: 0, count: size)
      }
    }
    return result
  }
}
