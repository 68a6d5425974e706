import RelevanceSupport
import RelevanceTensors

/// The computation of a node as data: its parameters, and the properties of its output that are known before the
/// network runs.
///
/// Parameters (weights, axes) are part of the operator. Only values that depend on the image flow along the graph's
/// edges. If operands have spatial axes, these follow batch and channels. Axes are counted from 0, negative ones from
/// the end. Every operator is a type in its own file; common behavior is in `Families`.
package protocol Operator: Sendable {
  var kind: OperatorKind { get }
  /// Numbers that the model contains: weights, biases, constants. By default none.
  var parameters: [Tensor] { get }

  // MARK: Shape and value

  /// The shape of the output.
  ///
  /// - Throws: `Misfit` if the operator cannot take the operands.
  func outputShape(of operands: [Inferred]) throws -> TensorShape
  /// The number of axes of the output, if it follows from the operands' numbers of axes. By default the number of the
  /// first operand.
  func outputRank(of operands: [Int?]) -> Int?
  /// The kind of the output's elements. By default real numbers for operators with weights, statistics or means, and
  /// otherwise the kind of the first operand.
  func elementKind(of operands: [ElementKind]) -> ElementKind
  /// Whether values are rounded to integers or wrap like integers. They then change in steps, and derivatives are 0.
  func isStepwise(of operands: [ElementKind]) -> Bool
  /// The output if it follows from constants and the operands' shapes; otherwise nil.
  func literal(ofShapes operands: [Inferred]) throws -> Literal?
  /// The output if all operands are known; nil if the operator is not evaluated before the run.
  func literal(of operands: [Inferred]) throws -> Literal?
  /// Whether operands after the first contain extents and positions.
  var takesLists: Bool { get }
  /// In this case, the operands that contain values nevertheless; by default the first.
  var valueOperands: Set<Int> { get }
  /// Operands that determine which of the other operands' values the output has, or their positions, and do not
  /// contribute values.
  var decidingOperands: Set<Int> { get }
  /// Whether the output has the operand's elements unchanged and in the same order, possibly with another shape.
  var keepsElements: Bool { get }

  // MARK: Facts

  /// The origin of the output's elements.
  ///
  /// - Throws: `Misfit`.
  func origin(of operands: [Inferred]) throws -> Origin
  /// The elements of each operand that some elements of the output depend on, regardless of values and weights. By
  /// default they follow from `origin`. For operands that contain extents or positions, the result is arbitrary.
  ///
  /// - Throws: `Misfit`.
  func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet]
  var channels: ChannelPosition? { get }
  /// Whether the output is known to be ≥ 0, given which operands are ≥ 0.
  func isNonNegative(_ operands: [Bool]) -> Bool
  /// The interval of the output's elements; nil if it does not follow from the operands.
  func range(at site: RangeSite) -> ValueRange?
  /// Whether the output is linear in all operands together, without weights and without a constant.
  var isLinear: Bool { get }
  /// The effect on one operand if the other operand, if there is one, is constant. Nil unless the operator scales and
  /// shifts the operand.
  func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect?
  /// An operator on the same operand whose output has some signs flipped; nil if the parameters cannot express it.
  func turned(by signs: Signs, output: TensorShape) -> (any Operator)?
  /// The signs of the first operand that flip the same signs of the output; nil if there are none.
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

  /// The shape of the only operand.
  ///
  /// - Throws: `Misfit` if there is not exactly one operand.
  func operand(_ operands: [Inferred]) throws -> TensorShape {
    guard let first = operands.first, operands.count == 1 || takesLists else {
      throw Misfit("expected 1 operand, found \(operands.isEmpty ? "none" : String(operands.count))")
    }
    return first.shape
  }

  /// The known properties of the output. A value with more than `largest` elements is left out.
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
    // Larger results are neither shape arithmetic nor weights. A model of a few bytes must not fill the memory.
    let reasonable = max(1 << 22, 2 * operands.reduce(0) { $0 + $1.shape.count })
    guard isKnown, unknown.shape.count <= min(reasonable, largest) else { return unknown }
    return try literal(of: operands).map { Inferred($0) } ?? unknown
  }

  /// The reason why the operator cannot take operands that depend on pixels, and not only on shapes; nil if it can.
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

/// The effect of an operator that scales and shifts an operand by constants.
package struct AffineEffect {
  /// Whether all factors are ≥ 0.
  let isPositive: Bool
  /// Whether it adds constants that may be other than 0.
  let shifts: Bool
}

/// An error for operands that an operator cannot take, or for an invalid window.
package struct Misfit: RelevanceKitError {
  package let description: String
  package var category: ErrorCategory { .badData }
  package init(_ description: String) { self.description = description }
}

/// An axis counted from the front.
///
/// - Throws: `Misfit` if a tensor of `rank` axes has no such axis.
package func counted(_ axis: Int, rank: Int) throws -> Int {
  guard (-rank..<rank).contains(axis) else { throw Misfit("axis \(axis) is outside a tensor of \(rank) axes") }
  return axis < 0 ? axis + rank : axis
}
