import RelevanceNetworks
import RelevanceTensors

/// Which channels of a node's output let relevance pass.
package struct Gate: Sendable, Hashable {
  package let node: Node.ID
  /// The axis of the output along which channels lie.
  let axis: Int
  /// For each channel.
  let isOpen: [Bool]

  /// - Parameter axis: of a shape of which the extent along it is the number of channels.
  package init(_ node: Node.ID, axis: Int, isOpen: [Bool]) {
    (self.node, self.axis, self.isOpen) = (node, axis, isOpen)
  }
}

/// What the relevance of one seed has to pass on its way to the input: a gate at each of some nodes. *Achtibat23* eq. 3.
package struct Passage: Sendable {
  fileprivate let gates: [Node.ID: Gate]
  /// For each gate, whether a node is the gate's or comes after it; nil where relevance may also take other ways.
  private let downstream: [Node.ID: [Bool]]?

  /// - Parameters:
  ///   - gates: at most one for each node.
  ///   - isExclusive: whether only relevance that has passed all gates goes on; otherwise what comes by other ways does, too.
  /// - Complexity: O(gates × edges).
  package init(_ gates: [Gate], isExclusive: Bool, in graph: Graph) {
    self.gates = Dictionary(uniqueKeysWithValues: gates.map { ($0.node, $0) })
    downstream = isExclusive ? self.gates.mapValues { graph.downstream(of: $0.node) } : nil
  }

  /// Whether relevance that starts at a node's output can pass all gates.
  package func admits(startAt id: Node.ID) -> Bool { downstream?.values.allSatisfy { $0[id.index] } ?? true }

  /// Whether what goes from a node to one of its operands has yet to pass a gate that does not lie there.
  fileprivate func bars(_ operand: Node.ID, from node: Node.ID) -> Bool {
    downstream?.contains { gate, isDownstream in
      node != gate && isDownstream[node.index] && !isDownstream[operand.index]
    } ?? false
  }
}

/// The passages of the seeds of a walk, which take them in turn; none if all may pass everywhere.
struct Passages: Sendable {
  var each: [Passage] = []

  /// Those of one seed.
  subscript(seed: Int) -> Passages { each.isEmpty ? self : Passages(each: [each[seed % each.count]]) }

  /// Whether any seed has a gate at a node.
  func hasGate(at id: Node.ID) -> Bool { each.contains { $0.gates[id] != nil } }

  /// Sets relevance to zero where a seed's gate is closed.
  ///
  /// - Parameters:
  ///   - relevance: at the node, `seeds` for each item of the batch.
  ///   - shape: of the node's output, of all items.
  func close(_ relevance: inout Tensor, at id: Node.ID, of shape: TensorShape, items: Int, seeds: Int) {
    guard hasGate(at: id), shape.count > 0 else { return }
    // Seeds lie beside one another for each item.
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

  /// Whether some seed's relevance may not go from a node to one of its operands.
  func bars(_ operand: Node.ID, from node: Node.ID) -> Bool { each.contains { $0.bars(operand, from: node) } }

  /// What of the relevance that a node gives to one of its operands goes on; nil if none does.
  func passing(_ share: Tensor, from node: Node.ID, to operand: Node.ID, items: Int, seeds: Int) -> Tensor? {
    share.kept(where: each.map { !$0.bars(operand, from: node) }, items: items, seeds: seeds)
  }

  /// What of the relevance that starts at a node can reach the input; nil if none can.
  func starting(_ seed: Tensor, at node: Node.ID, items: Int, seeds: Int) -> Tensor? {
    seed.kept(where: each.map { $0.admits(startAt: node) }, items: items, seeds: seeds)
  }
}

extension Tensor {
  /// The relevance of some seeds, and zeros for the others; nil if it is of none.
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
