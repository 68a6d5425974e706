import Foundation
import RelevanceNetworks
import RelevanceTensors

/// A constant with a label for each axis.
struct LabeledConstant {
  let labels: [Character]
  let extents: [Character: Int]
  private let value: Tensor

  /// The product of constants, summed over labels that are not kept. Axes of one element that align with an operand's
  /// axes are dropped.
  init(product factors: [(labels: [Character], value: Tensor)], keeping: Set<Character>, beside operand: [Character])
    throws
  {
    var extents: [Character: Int] = [:]
    for (labels, value) in factors {
      for (label, extent) in zip(labels, value.shape.dimensions) where extents[label] ?? 1 == 1 || extent == 1 {
        extents[label] = max(extents[label] ?? 1, extent)
      }
      for (label, extent) in zip(labels, value.shape.dimensions) where extent != 1 && extent != extents[label] {
        throw Defect("label \(label) has extent \(extents[label] ?? 0) and extent \(extent); expected the same")
      }
    }
    let all = factors.flatMap(\.labels).reduce(into: [Character]()) { if !$0.contains($1) { $0.append($1) } }
    let kept = all.filter { keeping.contains($0) && !(extents[$0] == 1 && operand.contains($0)) }
    let order = kept + all.filter { !kept.contains($0) }
    let shape = try TensorShape(checking: order.map { extents[$0] ?? 1 })
    guard shape.count > 0, shape.count <= 1 << 26 else {
      throw Unsupported("the product of its constants has \(shape) elements; expected a smaller one")
    }
    let own = try TensorShape(checking: kept.map { extents[$0] ?? 1 })
    let sums = shape.count / own.count
    var elements = [Float](repeating: 1, count: shape.count)
    for (labels, value) in factors {
      var strides = [Int](repeating: 0, count: order.count)
      for (axis, label) in labels.enumerated() where value.shape[axis] > 1 {
        strides[order.firstIndex(of: label)!] += value.shape.strides[axis]
      }
      value.withUnsafeElements { x in
        StridedWalk(over: shape, strides: strides).forEachElement { at, from, _ in elements[at] *= x[from] }
      }
    }
    if sums > 1 {
      elements = (0..<own.count).map { start in
        Float(elements[start * sums..<(start + 1) * sums].reduce(0.0) { $0 + Double($1) })
      }
    }
    (self.labels, self.extents, self.value) = (kept, extents, Tensor(shape: own, elements: elements))
  }

  func ordered(_ wanted: [Character]) -> Tensor { value.transposed(wanted.map { labels.firstIndex(of: $0)! }) }
  func count(_ labels: [Character]) -> Int { labels.reduce(1) { $0 * (extents[$1] ?? 1) } }
}

/// An equation of Einsum, with a label for each axis. Digits are the labels of axes that an ellipsis stands for.
struct Equation {
  let inputs: [[Character]]
  let output: [Character]

  init(_ text: String, ranks: [Int?]) throws {
    let sides = text.filter { $0 != " " }.components(separatedBy: "->")
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let plain = (terms + sides.dropFirst()).map { $0.replacing("...", with: "", maxReplacements: 1) }
    guard sides.count <= 2, terms.count == ranks.count, plain.joined().allSatisfy({ $0.isLetter && $0.isASCII }) else {
      throw Defect("equation is \(shown(text)); expected one term of letters for each of \(ranks.count) operands")
    }
    let further = try zip(zip(terms, plain), ranks).map { term, rank in
      guard term.0.contains("...") else {
        guard rank ?? term.1.count == term.1.count else {
          throw Defect("equation \(shown(text)) does not match the operands' numbers of axes")
        }
        return 0
      }
      guard let rank else {
        throw Unsupported(
          "equation \(shown(text)) has an ellipsis, and the number of axes is unknown")
      }
      guard rank >= term.1.count, rank - term.1.count <= 10 else {
        throw Defect("equation \(shown(text)) does not match the operands' numbers of axes")
      }
      return rank - term.1.count
    }
    let most = further.max() ?? 0
    func labels(_ term: String, _ count: Int) -> [Character] {
      Array(term.replacing("...", with: String("0123456789".prefix(most).suffix(count))))
    }
    inputs = zip(terms, further).map(labels)
    // Without an arrow, the output has the labels that occur once, in alphabetical order, after those of the ellipsis.
    let counts = inputs.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    output =
      sides.count == 2
      ? labels(sides[1], most) : counts.filter { $0.value == 1 || $0.key.isNumber }.map(\.key).sorted()
    guard Set(output).count == output.count, output.allSatisfy({ counts[$0] != nil }) else {
      throw Defect("equation is \(shown(text)); expected output labels that the operands have, each once")
    }
  }
}
