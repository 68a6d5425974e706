import Explanations

/// Patches at the largest pixels of a map, one after the other. *Gu18* §5.2.
package struct PatchSequence: Sendable {
  /// The patches; fewer than asked for if nothing is left to point at.
  package let patches: [Patch]

  /// Puts a patch around the largest pixel that none covers yet, `count` times; `side` is that of the patches in pixels, odd.
  ///
  /// - Complexity: O(`count` × pixels).
  package init(_ map: SaliencyMap, count: Int, side: Int) {
    precondition(side > 0 && side % 2 == 1, "a side of \(side) has no middle")
    var rest = map
    var patches: [Patch] = []
    while patches.count < count, let pixel = rest.maximum {
      let patch = Patch(
        centre: (pixel / map.width, pixel % map.width), side: side, height: map.height, width: map.width)
      patches.append(patch)
      rest = rest.without(patch)
    }
    self.patches = patches
  }
}

extension SaliencyMap {
  /// The map with 0 in a patch.
  fileprivate func without(_ patch: Patch) -> SaliencyMap {
    var values = values
    for row in patch.rows { for column in patch.columns { values[row * width + column] = 0 } }
    return SaliencyMap(height: height, width: width, values: values)
  }
}
