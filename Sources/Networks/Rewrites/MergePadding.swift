/// Turns a Pad with zeros before a convolution into padding of the convolution.
///
/// Only spatial axes may be padded, by amounts that are known and not negative.
struct MergePadding: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids {
      if let (convolution, pad) = try merged(id, in: graph) {
        edits[id] = .change(to: convolution, inputs: [graph[pad].inputs[0]])
      }
    }
    return try graph.edited(edits)
  }

  /// The convolution with the padding before it, and the node that padded.
  private func merged(_ id: Node.ID, in graph: Graph) throws -> (Convolution, Node.ID)? {
    guard let convolution = graph[id].operation as? Convolution,
      let pad = graph[graph[id].inputs[0]].operation as? Pad, pad.mode == .constant, pad.value == 0,
      pad.axes == nil, case .fixed(let amounts) = pad.amounts,
      case .explicit(let before, let after) = convolution.window.padding, amounts.count == 2 * (before.count + 2),
      amounts.allSatisfy({ (0...Int(Int32.max) / 2).contains($0) })
    else { return nil }
    let rank = before.count + 2
    guard [amounts[0], amounts[1], amounts[rank], amounts[rank + 1]].allSatisfy({ $0 == 0 }) else { return nil }
    let window = try Window(
      kernel: convolution.window.kernel, strides: convolution.window.strides, dilations: convolution.window.dilations,
      padding: .explicit(
        before: before.indices.map { before[$0] + amounts[$0 + 2] },
        after: after.indices.map { after[$0] + amounts[rank + $0 + 2] }))
    let wider = Convolution(
      weight: convolution.weight, bias: convolution.bias, window: window, groups: convolution.groups)
    return (wider, graph[id].inputs[0])
  }
}
