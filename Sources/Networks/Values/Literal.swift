import RelevanceTensors

/// A dense array of integers or Boolean values: shapes, axes and indices during their computation.
package struct IntegerTensor: Hashable, Sendable {
  package let shape: TensorShape
  /// The elements in row-major order. Elements of type `uint64` are bit patterns.
  package let elements: [Int]
  package let kind: ElementKind

  /// Creates a tensor. Traps if the number of elements is not `shape.count`, or if `kind` is real numbers.
  package init(shape: TensorShape, elements: [Int], kind: ElementKind = .integer(.int64)) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill a tensor of shape \(shape)")
    precondition(kind != .real, "expected a kind of integers")
    (self.shape, self.elements, self.kind) = (shape, elements, kind)
  }

  package init(_ elements: [Int]) { self.init(shape: [elements.count], elements: elements) }
}

/// A value that is known without running the network: a constant, or a value that follows from shapes.
package enum Literal: Sendable {
  case floats(Tensor)
  case integers(IntegerTensor)

  package var shape: TensorShape {
    switch self {
    case .floats(let tensor): tensor.shape
    case .integers(let tensor): tensor.shape
    }
  }

  package var kind: ElementKind {
    switch self {
    case .floats: .real
    case .integers(let tensor): tensor.kind
    }
  }

  package var integers: [Int]? {
    if case .integers(let tensor) = self { tensor.elements } else { nil }
  }

  /// The elements as real numbers.
  ///
  /// - Complexity: O(count) for integers, otherwise O(1).
  package var floats: Tensor {
    switch self {
    case .floats(let tensor): tensor
    case .integers(let tensor):
      Tensor(shape: tensor.shape, elements: tensor.elements.map { (tensor.kind.integerType ?? .int64).float($0) })
    }
  }

  func cast(to kind: ElementKind) -> Literal {
    switch (kind, self) {
    case (.real, _): .floats(floats)
    case (.truth, .floats(let tensor)):
      .integers(IntegerTensor(shape: shape, elements: tensor.elements.map { $0 == 0 ? 0 : 1 }, kind: kind))
    case (.truth, .integers(let tensor)):
      .integers(IntegerTensor(shape: shape, elements: tensor.elements.map { $0 == 0 ? 0 : 1 }, kind: kind))
    case (.integer(let type), .floats(let tensor)):
      .integers(IntegerTensor(shape: shape, elements: tensor.elements.map { type.converted(Double($0)) }, kind: kind))
    case (.integer(let type), .integers(let tensor)):
      .integers(IntegerTensor(shape: shape, elements: tensor.elements.map(type.wrapped), kind: kind))
    }
  }

  func reshaped(to shape: TensorShape) -> Literal {
    switch self {
    case .floats(let tensor): .floats(tensor.reshaped(to: shape))
    case .integers(let tensor): .integers(IntegerTensor(shape: shape, elements: tensor.elements, kind: tensor.kind))
    }
  }

  func selected(by selection: Selection) -> Literal {
    switch self {
    case .floats(let tensor): .floats(selection.applied(to: tensor))
    case .integers(let tensor):
      .integers(
        IntegerTensor(
          shape: selection.output,
          elements: selection.sources().map { $0 < 0 ? fill(selection.fill, tensor.kind) : tensor.elements[$0] },
          kind: tensor.kind))
    }
  }
}

private func fill(_ value: Float, _ kind: ElementKind) -> Int { (kind.integerType ?? .int64).held(value) }

extension Tensor {
  package func allElements(_ holds: (Float) -> Bool) -> Bool { withUnsafeElements { $0.allSatisfy(holds) } }
}

extension TensorShape {
  /// The shape after axes are reduced to one element each, which are kept or dropped.
  package func reduced(over axes: Set<Int>, keepsAxes: Bool) -> TensorShape {
    TensorShape(dimensions.indices.compactMap { axes.contains($0) ? (keepsAxes ? 1 : nil) : self[$0] })
  }
}

extension Literal {
  /// Cumulative sums along an axis. Integers wrap.
  package func cumulativeSum(along axis: Int, excludesOwn: Bool, reverses: Bool) -> Literal {
    func sums<Number>(_ x: [Number], _ zero: Number, _ add: (Number, Number) -> Number) -> [Number] {
      let (extent, inner) = (shape[axis], shape.strides[axis])
      var result = x
      for start in x.indices where start / inner % extent == 0 {
        var sum = zero
        for index in 0..<extent {
          let position = start + (reverses ? extent - 1 - index : index) * inner
          let next = add(sum, x[position])
          result[position] = excludesOwn ? sum : next
          sum = next
        }
      }
      return result
    }
    switch self {
    case .floats(let tensor): return .floats(Tensor(shape: shape, elements: sums(tensor.elements, 0, +)))
    case .integers(let tensor):
      let type = tensor.kind.integerType ?? .int64
      let elements = sums(tensor.elements, 0) { type.wrapped($0 &+ $1) }
      return .integers(IntegerTensor(shape: shape, elements: elements, kind: tensor.kind))
    }
  }
}
