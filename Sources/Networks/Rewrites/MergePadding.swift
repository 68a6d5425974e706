/// Merges a Pad with zeros before a convolution into the padding of the convolution.
///
/// Only spatial axes may be padded, by known amounts that are not negative.
struct MergePadding: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids {
      guard let convolution = graph[id].operation as? Convolution, let operand = graph[id].inputs.first,
        let pad = graph[operand].operation as? Pad, pad.mode == .constant, pad.value == 0, pad.axes == nil,
        case .fixed(let amounts) = pad.amounts, amounts.allSatisfy({ (0...Int(Int32.max) / 2).contains($0) }),
        case .explicit(let before, let after) = convolution.window.padding, amounts.count == 2 * (before.count + 2)
      else { continue }
      let (first, last) = (amounts[..<(amounts.count / 2)], amounts[(amounts.count / 2)...])
      guard first.prefix(2) == [0, 0], last.prefix(2) == [0, 0] else { continue }
      let window = try Window(
        kernel: convolution.window.kernel, strides: convolution.window.strides,
        dilations: convolution.window.dilations,
        padding: .explicit(
          before: zip(before, first.dropFirst(2)).map(+), after: zip(after, last.dropFirst(2)).map(+)))
      let wider = Convolution(
        weight: convolution.weight, bias: convolution.bias, window: window, groups: convolution.groups)
      edits[id] = .change(to: wider, inputs: [graph[operand].inputs[0]])
    }
    return try graph.edited(edits)
  }
}
