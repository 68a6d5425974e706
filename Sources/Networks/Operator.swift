import RelevanceSupport
import RelevanceTensors

/// What a node computes, as data: its parameters, and what can be told of its output before the network runs.
///
/// Parameters (weights, axes) are part of the operator; only what depends on the image flows along the graph's edges. Where operands
/// have spatial axes, these come after batch and channels. Axes are counted from 0, negative ones from the end. Every operator
/// is a type with a file of its own; what many have in common is in `Families`.
package protocol Operator: Sendable {
  var kind: OperatorKind { get }
  /// Numbers that the model brings along: weights, biases, constants. By default none.
  var parameters: [Tensor] { get }

  // MARK: Shape and value

  /// The shape of the output.
  ///
  /// - Throws: `Misfit` if the operator cannot take the operands.
  func outputShape(of operands: [Inferred]) throws -> TensorShape
  /// The number of axes of the output, if that of the operands tells; by default that of the first.
  func outputRank(of operands: [Int?]) -> Int?
  /// What the elements of the output are; by default real numbers where there are weights, statistics or means, and elsewhere what those
  /// of the first operand are.
  func elementKind(of operands: [ElementKind]) -> ElementKind
  /// Whether values are rounded to integers or wrap as integers do: then they change in steps, and derivatives are 0.
  func isStepwise(of operands: [ElementKind]) -> Bool
  /// The output as far as operands' shapes tell it: of constants, and of shapes themselves.
  func literal(ofShapes operands: [Inferred]) throws -> Literal?
  /// The output where all operands are known; nil if the operator is not computed beforehand.
  func literal(of operands: [Inferred]) throws -> Literal?
  /// Whether operands after the first hold extents and positions.
  var takesLists: Bool { get }
  /// Where there are such, those operands that hold values none the less; by default the first.
  var valueOperands: Set<Int> { get }
  /// Operands that decide which of the others' values the output has, or where they come from, and are no values of it themselves.
  var decidingOperands: Set<Int> { get }
  /// Whether the output holds the operand's elements unchanged and in the same order, under another shape at most.
  var keepsElements: Bool { get }

  // MARK: Facts

  /// Where the elements of the output come from.
  ///
  /// - Throws: `Misfit`.
  func origin(of operands: [Inferred]) throws -> Origin
  /// The elements of each operand that some elements of the output depend on, whatever values and weights are; by default as `origin`
  /// tells. Of operands that hold extents or positions it may be anything.
  ///
  /// - Throws: `Misfit`.
  func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet]
  var channels: ChannelPosition? { get }
  /// Whether the output is known to be ≥ 0, given which operands are.
  func isNonNegative(_ operands: [Bool]) -> Bool
  /// The interval of the output's elements; nil if it does not follow.
  func range(at site: RangeSite) -> ValueRange?
  /// Whether the output is linear in all operands together, with no weights and nothing added.
  var isLinear: Bool { get }
  /// What the operator does to one operand where the other, if there is one, is constant; nil unless it scales and shifts it.
  func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect?
  /// The operator that gives the same with signs turned, of the same operand; nil if its parameters cannot do it.
  func turned(by signs: Signs, output: TensorShape) -> (any Operator)?
  /// The signs of the first operand that give the output's signs, where turning one turns the other; nil where it does not.
  func signsBefore(_ signs: Signs, output: TensorShape, of operands: [Inferred]) -> Signs?
}

extension Operator {
  package var parameters: [Tensor] { [] }
  package func outputRank(of operands: [Int?]) -> Int? { operands.first ?? nil }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    [.layer, .normalization, .average, .probability].contains(kind.role) ? .real : operands.first ?? .real
  }
  package func isStepwise(of operands: [ElementKind]) -> Bool { false }
  package func literal(ofShapes operands: [Inferred]) throws -> Literal? { nil }
  package func literal(of operands: [Inferred]) throws -> Literal? { nil }
  package var takesLists: Bool { false }
  package var valueOperands: Set<Int> { [0] }
  package var decidingOperands: Set<Int> { [] }
  package var keepsElements: Bool { false }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    try origin(of: operands).sources(of: elements, among: operands.map(\.shape))
  }
  package var channels: ChannelPosition? { nil }
  package func isNonNegative(_ operands: [Bool]) -> Bool { false }
  package func range(at site: RangeSite) -> ValueRange? { nil }
  package var isLinear: Bool { false }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? { nil }
  package func turned(by signs: Signs, output: TensorShape) -> (any Operator)? { nil }

  package func signsBefore(_ signs: Signs, output: TensorShape, of operands: [Inferred]) -> Signs? {
    guard isLinear, let origin = try? origin(of: operands) else { return nil }
    return origin.signsBefore(signs, output: output, of: operands[0].shape)
  }
}

extension Operator {
  package var isWeighted: Bool { kind.role == .layer }

  /// The only operand.
  ///
  /// - Throws: `Misfit` if there are more, or none.
  func operand(_ operands: [Inferred]) throws -> TensorShape {
    guard let first = operands.first, operands.count == 1 || takesLists else {
      throw Misfit("expected 1 operand, found \(operands.isEmpty ? "none" : String(operands.count))")
    }
    return first.shape
  }

  /// What is known of the output; no value of more than `largest` elements.
  ///
  /// - Throws: `Misfit` if the operator cannot take the operands.
  package func inferred(from operands: [Inferred], largest: Int = .max) throws -> Inferred {
    if let literal = try literal(ofShapes: operands) { return Inferred(literal) }
    let isKnown = operands.allSatisfy { $0.literal != nil }
    if self is any LiteralFunction {
      guard isKnown, let literal = try literal(of: operands) else { throw Misfit(Self.needsShapes) }
      return Inferred(literal)
    }
    let unknown = Inferred(try outputShape(of: operands), elementKind(of: operands.map(\.kind)))
    // What grows so much is no shape arithmetic, and no weight either; a model of a few bytes must not fill memory.
    let reasonable = max(1 << 22, 2 * operands.reduce(0) { $0 + $1.shape.count })
    guard isKnown, unknown.shape.count <= min(reasonable, largest) else { return unknown }
    return try literal(of: operands).map { Inferred($0) } ?? unknown
  }

  /// Why the operator cannot take operands of which some depend on pixels, and not only on shapes; nil if it can.
  package func refusal(ofLiveOperands isLive: [Bool]) -> String? {
    if self is any LiteralFunction, isLive.contains(true) { return Self.needsShapes }
    let listsAreLive = isLive.indices.contains { isLive[$0] && !valueOperands.contains($0) }
    return takesLists && listsAreLive ? Self.needsPositions : nil
  }

  static var needsShapes: String { "its operands depend on the image; expected operands that follow from shapes" }
  static var needsPositions: String {
    "its indices depend on the image; expected indices that follow from shapes"
  }
}

/// What an operator that scales and shifts an operand by constants does to it.
package struct AffineEffect {
  /// Whether no factor is negative.
  let isPositive: Bool
  /// Whether something is added that may not be 0.
  let shifts: Bool
}

/// Why an operator cannot take its operands, or a window cannot be one.
package struct Misfit: RelevanceKitError {
  package let description: String
  package var category: ErrorCategory { .badData }
  package init(_ description: String) { self.description = description }
}

/// An axis counted from the front.
///
/// - Throws: `Misfit` if a tensor of so many axes has none such.
package func counted(_ axis: Int, rank: Int) throws -> Int {
  guard (-rank..<rank).contains(axis) else { throw Misfit("axis \(axis) is outside a tensor of \(rank) axes") }
  return axis < 0 ? axis + rank : axis
}
