import Explanations

extension SaliencyMap {
  /// Patches around the largest pixels that none covers yet, one after the other; fewer than `count` if nothing is left to point at. *Gu18*
  /// §5.2. `side` is that of the patches in pixels, odd.
  ///
  /// - Complexity: O(`count` × pixels).
  package func patches(_ count: Int, side: Int) -> [Patch] {
    precondition(side > 0 && side % 2 == 1, "a side of \(side) has no middle")
    var rest = self
    var patches: [Patch] = []
    while patches.count < count, let pixel = rest.maximum {
      let patch = Patch(center: (pixel / width, pixel % width), side: side, height: height, width: width)
      patches.append(patch)
      var values = rest.values
      for row in patch.rows { for column in patch.columns { values[row * width + column] = 0 } }
      rest = SaliencyMap(height: height, width: width, values: values)
    }
    return patches
  }
}
