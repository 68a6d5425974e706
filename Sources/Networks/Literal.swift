import Tensors

/// A dense array of integers: shapes, axes and indices while they are computed.
public struct IntegerTensor: Hashable, Sendable {
  /// The extents.
  public let shape: Shape
  /// The elements in row-major order.
  public let elements: [Int]

  /// Makes a tensor; traps unless there are `shape.count` elements.
  public init(shape: Shape, elements: [Int]) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill a tensor of shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// A list of integers.
  public init(_ elements: [Int]) { self.init(shape: [elements.count], elements: elements) }
}

/// A value that is known without running the network: a constant, or what follows from shapes.
public enum Literal: Sendable {
  /// Real numbers.
  case floats(Tensor)
  /// Integers and truth values.
  case integers(IntegerTensor)

  /// The extents.
  public var shape: Shape {
    switch self {
    case .floats(let tensor): tensor.shape
    case .integers(let tensor): tensor.shape
    }
  }

  /// The integers, or nil for real numbers.
  public var integers: [Int]? {
    if case .integers(let tensor) = self { tensor.elements } else { nil }
  }

  /// The elements as real numbers.
  ///
  /// - Complexity: O(count) for integers, else O(1).
  public var floats: Tensor {
    switch self {
    case .floats(let tensor): tensor
    case .integers(let tensor): Tensor(shape: tensor.shape, elements: tensor.elements.map { Float($0) })
    }
  }

  /// The same elements under another shape.
  func reshaped(to shape: Shape) -> Literal {
    switch self {
    case .floats(let tensor): .floats(tensor.reshaped(to: shape))
    case .integers(let tensor): .integers(IntegerTensor(shape: shape, elements: tensor.elements))
    }
  }

  /// The elements that a selection picks.
  func selected(by selection: Selection) -> Literal {
    switch self {
    case .floats(let tensor): .floats(selection.applied(to: tensor))
    case .integers(let tensor):
      .integers(
        IntegerTensor(
          shape: selection.output,
          elements: selection.sources().map { $0 < 0 ? Int(selection.fill) : tensor.elements[$0] }))
    }
  }
}
