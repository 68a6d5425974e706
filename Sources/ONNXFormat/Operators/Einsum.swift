import Foundation
import Networks

extension NodeReader {
  /// Einsum of one operand, or of one and a constant: a linear layer over the labels that both have, between transpositions that bring
  /// these last and back.
  func einsum() throws -> Imported {
    let text = try attributes.present(attributes.string("equation"), "equation")
    let equation = try Equation(text, operands: operands.count)
    let all = try allOperands()
    let ranks = zip(all, equation.inputs).allSatisfy { $0.rank ?? $1.count == $1.count }
    guard ranks else { throw Defect("equation \(shown(text)) does not have the operands' numbers of axes") }
    guard all.count <= 2 else { throw Unsupported("a sum of products of \(all.count) operands; expected 1 or 2") }
    let live = all.firstIndex { if case .constant = $0 { false } else { true } } ?? 0
    let x = equation.inputs[live]
    guard all.count == 2 else { return .sequence(Self.arranged(x, as: equation.output), all[0]) }
    let w = equation.inputs[1 - live]
    let weights = try known(
      all[1 - live], else: "a product of two tensors that both depend on the image; expected a constant operand")
    try weights.checkFinite()
    let (shared, free) = (x.filter(w.contains), w.filter { !x.contains($0) })
    guard !shared.isEmpty, !shared.contains(where: equation.output.contains), free.allSatisfy(equation.output.contains)
    else {
      throw Unsupported("equation \(shown(text)); expected the constant to share labels that are summed, and no others")
    }
    // Labels that only the operand has: those of the output stay in front, others are summed first.
    let batch = x.filter { !shared.contains($0) && equation.output.contains($0) }
    let extents = Dictionary(uniqueKeysWithValues: zip(w, weights.shape.dimensions))
    let matrix = try weights.floats().transposed((free + shared).map { w.firstIndex(of: $0)! })
    let outputs = free.reduce(1) { $0 * extents[$1]! }
    guard matrix.count > 0 else { throw Defect("the constant \(shown(weights.name)) has no elements") }
    var steps = Self.arranged(x, as: batch + shared)
    let copied = [Int](repeating: 0, count: batch.count)
    if shared.count > 1 { steps.append(Reshape(extents: .fixed(copied + [-1]), allowZero: false)) }
    steps.append(Linear(weight: matrix.reshaped(to: [outputs, matrix.count / outputs]), bias: nil))
    if free.count != 1 {
      steps.append(Reshape(extents: .fixed(copied + free.map { extents[$0]! }), allowZero: false))
    }
    return .sequence(steps + Self.arranged(batch + free, as: equation.output), all[live])
  }

  /// What sums over the labels that are not wanted, and orders the others.
  private static func arranged(_ labels: [Character], as wanted: [Character]) -> [any Networks.Operator] {
    let summed = labels.indices.filter { !wanted.contains(labels[$0]) }
    let rest = labels.filter(wanted.contains)
    let sum = summed.isEmpty ? [] : [Reduction(.sum, axes: .fixed(summed), keepsAxes: false)]
    return sum + (rest == wanted ? [] : [Transpose(order: wanted.map { rest.firstIndex(of: $0)! })])
  }

  /// An equation of Einsum: a label for each axis.
  private struct Equation {
    let inputs: [[Character]]
    let output: [Character]

    init(_ text: String, operands: Int) throws {
      let sides = text.filter { $0 != " " }.components(separatedBy: "->")
      let inputs = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
      guard sides.count <= 2, inputs.count == operands,
        (inputs.joined() + sides.dropFirst().joined()).allSatisfy(\.isLetter)
      else {
        if text.contains("...") {
          throw Unsupported("equation \(shown(text)) with an ellipsis; expected a label for each axis")
        }
        throw Defect("equation is \(shown(text)); expected one term of letters for each of \(operands) operands")
      }
      let counts = inputs.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
      // Without an arrow labels that occur once are kept, in the order of the alphabet.
      output = sides.count == 2 ? Array(sides[1]) : counts.filter { $0.value == 1 }.map(\.key).sorted()
      guard (inputs + [output]).allSatisfy({ Set($0).count == $0.count }) else {
        throw Unsupported("equation \(shown(text)) takes diagonals; expected different labels in each term")
      }
      guard output.allSatisfy({ counts[$0] != nil }) else {
        throw Defect("equation is \(shown(text)); its output has labels that no operand has")
      }
      self.inputs = inputs
    }
  }
}
