extension Operator {
  /// Why the operator cannot take operands of which some depend on pixels, and not only on shapes; nil if it can.
  package func refusal(ofLiveOperands isLive: [Bool]) -> String? {
    if case .arithmetic = self, isLive.contains(true) { return Self.needsShapes }
    return takesLists && isLive.dropFirst().contains(true) ? Self.needsPositions : nil
  }

  static let needsShapes = "it depends on the image; it is supported for what follows from shapes alone"
  static let needsPositions =
    "which elements it takes depends on the image; expected indices that follow from shapes"

  /// Whether operands after the first may hold extents and positions.
  var takesLists: Bool {
    switch self {
    case .reshape, .slice, .gather, .pad, .expand, .reduce, .resize: true
    default: false
    }
  }
}
