import RelevanceNetworks

/// Outputs of a detector that have the same meaning for grids of several sizes. They are explained together, joined one
/// after the other.
struct JoinedOutputs {
  /// The outputs, in the file's order.
  let names: [String]
  /// The axis of their positions.
  let axis: Int

  /// The outputs that belong together with the output `first`; nil if it is the only one.
  ///
  /// They are declared as batch × positions × channels, or with these two in the other order. They differ in the number
  /// of positions, and the first of them has more positions than channels. The same operators compute them, and none
  /// depends on another.
  init?(with first: String, of graph: FileGraph) {
    func numbers(_ name: String) -> [Int]? {
      guard let extents = graph.outputExtents[name], extents.count == 3 else { return nil }
      let numbers = extents.dropFirst().compactMap { if case .fixed(let extent) = $0 { extent } else { nil } }
      return numbers.count == 2 ? numbers : nil
    }
    guard let own = numbers(first), own[0] != own[1] else { return nil }
    let positions = own[0] > own[1] ? 0 : 1
    let ending = Self.operators(before: first, in: graph)
    let names = graph.outputs.filter { name in
      if name == first { return true }
      guard let other = numbers(name), other[positions] != own[positions], other[1 - positions] == own[1 - positions]
      else { return false }
      return Self.operators(before: name, in: graph) == ending
    }
    let counts = names.compactMap { numbers($0)?[positions] }
    guard names.count > 1, Set(counts).count == counts.count, Set(names).count == names.count else { return nil }
    for name in names {
      let before = graph.ancestors(of: [name])
      let isMade = names.contains { other in
        other != name && (graph.makers[other] ?? []).contains { before[$0] }
          && graph.makers[other]?.first != graph.makers[name]?.first
      }
      if isMade { return nil }
    }
    (self.names, axis) = (names, positions + 1)
  }

  /// The operators that compute a value, last first, up to a layer with weights.
  private static func operators(before value: String, in graph: FileGraph) -> [String] {
    var (value, found): (String, [String]) = (value, [])
    while found.count < 16, let node = graph.makers[value]?.first.map({ graph.nodes[$0] }) {
      found.append(node.op)
      guard !OutputPreference.weighted.contains(node.op), let operand = node.inputs.first else { break }
      value = operand
    }
    return found
  }
}
