import RelevanceTensors

/// An operator whose output is ≥ 0, or within limits, if the first operand is.
package protocol LimitKeeping: Operator {}

extension LimitKeeping {
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
}

/// An operator whose output is its operand.
package protocol PassingThrough: LimitKeeping {}

extension PassingThrough {
  package var keepsElements: Bool { true }
  package var isLinear: Bool { true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try operand(operands) }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func range(at site: RangeSite) -> ValueRange? { site.range(0) }
  package func literal(of operands: [Inferred]) throws -> Literal? { operands.first?.literal }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: true, shifts: false)
  }
}

/// An operator that gives the operand's elements another shape, in the same order.
package protocol Reshaping: LimitKeeping {}

extension Reshaping {
  package var keepsElements: Bool { true }
  package var isLinear: Bool { true }
  package func origin(of operands: [Inferred]) throws -> Origin { .sameOrder }
  package func literal(of operands: [Inferred]) throws -> Literal? {
    operands.first?.literal?.reshaped(to: try outputShape(of: operands))
  }
  package func range(at site: RangeSite) -> ValueRange? {
    site.range(0)?.reshaped(from: site.operands[0].shape, to: site.output.shape)
  }
}

/// An operator that selects elements of its operand, in any order and any number of times, and possibly inserts a
/// constant.
package protocol Selecting: LimitKeeping {
  /// The selected elements.
  ///
  /// - Throws: `Misfit`, also if the selection depends on the image.
  func selection(of operands: [Inferred]) throws -> Selection
}

extension Selecting {
  package var isLinear: Bool { true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try selection(of: operands).output }
  package func origin(of operands: [Inferred]) throws -> Origin { .selection(try selection(of: operands)) }
  package func literal(of operands: [Inferred]) throws -> Literal? {
    operands.first?.literal?.selected(by: try selection(of: operands))
  }
  package func range(at site: RangeSite) -> ValueRange? {
    guard let selection = try? selection(of: site.operands) else { return nil }
    return site.range(0)?.selected(by: selection)
  }
}

extension Operator {
  /// Whether the operator only moves or joins values.
  package var movesValues: Bool { self is any Reshaping || self is any Selecting || self is Concat }

  /// The value of an operand that contains integers: extents, axes or positions.
  ///
  /// - Throws: `Misfit` if it depends on the image.
  func integers(_ index: Int, of operands: [Inferred]) throws -> [Int] {
    guard operands.count > index, let integers = operands[index].literal?.integers else {
      throw Misfit(Self.needsPositions)
    }
    return integers
  }
}

/// The shape of the input of a selection.
///
/// - Throws: `Misfit` if there is no operand.
func firstShape(_ operands: [Inferred]) throws -> TensorShape {
  guard let first = operands.first else { throw Misfit("expected 1 operand, found none") }
  return first.shape
}
