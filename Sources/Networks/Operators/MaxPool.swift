import RelevanceTensors

/// Maximum over a window, for batch × channels × space. Padding is never the maximum.
package struct MaxPool: LimitKeeping {
  package let window: Window
  package init(_ window: Window) { self.window = window }

  package var kind: OperatorKind { .maxPool }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try window.pooledShape(of: operand(operands))
  }
  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed(window.axes) }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    [try window.sources(of: elements, in: firstShape(operands))]
  }
  package func range(at site: RangeSite) -> ValueRange? { site.range(0)?.hull(along: Array(window.axes)) }
}
