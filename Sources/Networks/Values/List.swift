/// A list of integers that a node needs. It is fixed by the model, or the value of one of the node's operands, which
/// must then be known before the network runs.
package enum List: Hashable, Sendable {
  case fixed([Int])
  /// The value of the node's operand at this position, starting at 0.
  case operand(Int)

  func values(_ operands: [Inferred], _ name: String) throws -> [Int] {
    switch self {
    case .fixed(let values): return values
    case .operand(let index):
      guard operands.indices.contains(index), let values = operands[index].literal?.integers else {
        throw Misfit("\(name) depends on the image; expected integers that follow from shapes")
      }
      return values
    }
  }
}

extension List: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: Int...) { self = .fixed(elements) }
}
