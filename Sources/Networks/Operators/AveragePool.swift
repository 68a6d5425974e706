import RelevanceTensors

/// Mean over a window, batch × channels × space.
package struct AveragePool: LimitKeeping {
  package let window: Window
  /// Whether the divisor includes padding.
  package let countsPadding: Bool
  package init(window: Window, countsPadding: Bool) { (self.window, self.countsPadding) = (window, countsPadding) }

  package var kind: OperatorKind { .averagePool }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try window.pooledShape(of: operand(operands))
  }
  package var channels: ChannelPosition? { .second }
  package var isLinear: Bool { true }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed(window.axes) }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    [try window.sources(of: elements, in: firstShape(operands))]
  }
  package func range(at site: RangeSite) -> ValueRange? {
    let x = site.range(0)?.hull(along: Array(window.axes))
    return countsPadding && window.mayPad ? x?.including(0) : x
  }
}
