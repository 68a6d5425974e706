/// The outputs of a file that are kept beside the explained one.
package struct FurtherOutputs: Sendable {
  /// The outputs whose units are to be explained.
  package var names: [String] = []
  /// Whether names that are not outputs, but perhaps of nodes, are ignored.
  package var passesOverOthers = false
  /// Whether the boxes that belong to the explained scores are kept, if there are any.
  package var boxes = false

  package init(names: [String] = [], passesOverOthers: Bool = false, boxes: Bool = false) {
    (self.names, self.passesOverOthers, self.boxes) = (names, passesOverOthers, boxes)
  }

  /// The outputs of a file to keep beside the explained ones.
  ///
  /// - Throws: `RelevanceKitError` for a name that is not an output.
  func kept(in graph: FileGraph, beside explained: [String], file: String) throws -> [String] {
    var kept: [String] = []
    for name in names where !explained.contains(name) && !kept.contains(name) {
      guard graph.outputs.contains(name) else {
        if passesOverOthers { continue }
        throw ONNXError.noSuchOutput(
          file: file, name: name, suggestion: nil, outputs: graph.outputs)
      }
      kept.append(name)
    }
    return kept
  }

  /// The outputs with the boxes for some joined scores, in their order, and the axis of positions. Nil if there are
  /// none or `boxes` is false.
  func boxes(in graph: FileGraph, beside scores: [String]) -> (names: [String], axis: Int)? {
    var axes: Set<Int> = []
    var found: [String] = []
    for score in scores {
      guard let (name, axis) = Self.boxes(in: graph, beside: score, without: scores + found) else { return nil }
      found.append(name)
      axes.insert(axis)
    }
    guard axes.count == 1, let axis = axes.first, boxes || found.allSatisfy(names.contains) else { return nil }
    return (found, axis)
  }

  /// The first output with four numbers for each position of some scores, and its axis of positions.
  private static func boxes(
    in graph: FileGraph, beside scores: String, without taken: [String]
  ) -> (name: String, axis: Int)? {
    guard let own = graph.outputExtents[scores], own.count == 3 else { return nil }
    for name in graph.outputs where !taken.contains(name) {
      guard let extents = graph.outputExtents[name], extents.count == 3 else { continue }
      for axis in 1...2 where extents[axis] == own[axis] && extents[axis] != .symbolic("") {
        guard extents[3 - axis] == .fixed(4), own[3 - axis] != .fixed(4), extents[axis] != .fixed(1) else { continue }
        return (name, axis)
      }
    }
    return nil
  }
}
