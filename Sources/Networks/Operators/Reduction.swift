import RelevanceTensors

/// Sum, mean, product or extreme over whole axes; a mean over height and width is global average pooling.
package struct Reduction: LimitKeeping, Hashable {
  package enum Function: Hashable, Sendable {
    /// Σ x; 0 for no elements.
    case sum
    /// Σ x / n; undefined for no elements.
    case mean
    /// Π x; 1 for no elements.
    case product
    /// The largest element; −∞ for no elements.
    case maximum
    /// The smallest element; ∞ for no elements.
    case minimum

    /// The kind, except for reductions over all axes after batch and channels.
    package var kind: OperatorKind {
      switch self {
      case .sum: .reduceSum
      case .mean: .reduceMean
      case .product: .reduceProd
      case .maximum: .reduceMax
      case .minimum: .reduceMin
      }
    }

    /// The value for no elements; for a mean, before the division.
    package var neutralElement: Double {
      switch self {
      case .sum, .mean: 0
      case .product: 1
      case .maximum: -.infinity
      case .minimum: .infinity
      }
    }

    /// The reductions of the elements along some axes of a shape, in double precision; for a mean, before the division.
    /// Nil for no elements.
    package func values(of elements: UnsafeBufferPointer<Float>, _ x: TensorShape, over axes: Set<Int>) -> [Double?] {
      let kept = x.reduced(over: axes, keepsAxes: true)
      var results = [Double?](repeating: nil, count: kept.count)
      StridedWalk(over: x, broadcasting: kept).forEachElement { position, to, _ in
        let value = Double(elements[position])
        results[to] = results[to].map { combine($0, value) } ?? value
      }
      return results
    }

    /// The function of two values; for a mean, before the division.
    package func combine(_ a: Double, _ b: Double) -> Double {
      switch self {
      case .sum, .mean: a + b
      case .product: a * b
      case .maximum: Swift.max(a, b)
      case .minimum: Swift.min(a, b)
      }
    }
  }
  package let function: Function
  /// The axes; a negative axis counts from the end. Nil means all axes.
  package let axes: List?
  package let keepsAxes: Bool

  package init(_ function: Function, axes: List?, keepsAxes: Bool) {
    (self.function, self.axes, self.keepsAxes) = (function, axes, keepsAxes)
  }

  /// Axes that are counted from the front are interpreted as those of an image; the importer counts them in this way.
  package var kind: OperatorKind {
    switch (function, axes) {
    case (.mean, .fixed(let axes)) where [[2, 3], [-2, -1]].contains(Set(axes)): .globalAveragePool
    case (.maximum, .fixed([2, 3])) where keepsAxes: .globalMaxPool
    default: function.kind
    }
  }

  /// The axes as in the model, if it fixes them.
  package var namedAxes: [Int] { if case .fixed(let axes) = axes { axes } else { [] } }

  package func axes(of operands: [Inferred]) throws -> Set<Int> {
    let x = try firstShape(operands)
    guard let axes else { return Set(0..<x.rank) }
    return try Set(axes.values(operands, "axes").map { try counted($0, rank: x.rank) })
  }

  package var takesLists: Bool { true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let (x, axes) = (try operand(operands), try axes(of: operands))
    guard function != .mean || axes.allSatisfy({ x[$0] > 0 }) else {
      throw Misfit("the mean along \(namedAxes) of shape \(x) has no elements")
    }
    return x.reduced(over: axes, keepsAxes: keepsAxes)
  }

  package func outputRank(of operands: [Int?]) -> Int? {
    let first = operands.first ?? nil
    if keepsAxes { return first }
    guard case .fixed(let axes) = axes else { return axes == nil ? 0 : nil }
    return first.map { $0 - axes.count }
  }

  package func isStepwise(of operands: [ElementKind]) -> Bool {
    [.sum, .mean, .product].contains(function) && elementKind(of: operands).integerType != nil
  }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    let kind = operands.first ?? .real
    return function == .mean && kind == .truth ? .real : kind
  }
  package var isLinear: Bool { [.sum, .mean].contains(function) }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .reduced(try axes(of: operands), keepsAxes: keepsAxes)
  }

  package func range(at site: RangeSite) -> ValueRange? {
    guard let axes = try? axes(of: site.operands) else { return nil }
    return site.range(0)?.reduced(over: axes, of: site.operands[0].shape, as: function, keepsAxes: keepsAxes)
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard function != .mean, let value = operands.first?.literal else { return nil }
    let (output, axes) = (try outputShape(of: operands), try axes(of: operands))
    switch value {
    case .integers(let tensor):
      let kept = tensor.shape.reduced(over: axes, keepsAxes: true)
      var groups = [[Int]](repeating: [], count: kept.count)
      StridedWalk(over: tensor.shape, broadcasting: kept).forEachElement { at, to, _ in
        groups[to].append(tensor.elements[at])
      }
      let elements = integers(groups, tensor.kind)
      return .integers(IntegerTensor(shape: output, elements: elements, kind: tensor.kind))
    case .floats(let tensor):
      let values = tensor.withUnsafeElements { function.values(of: $0, tensor.shape, over: axes) }
      return .floats(Tensor(shape: output, elements: values.map { Float($0 ?? function.neutralElement) }))
    }
  }

  /// The reduction of integers. Sums and products are computed in double precision and clamped to the type's limits, as
  /// in ONNX Runtime.
  private func integers(_ groups: [[Int]], _ kind: ElementKind) -> [Int] {
    let type = kind.integerType ?? .int64
    return groups.map { group in
      switch function {
      case .maximum: group.max(by: type.isLess) ?? (kind == .truth ? 0 : type.lowest)
      case .minimum: group.min(by: type.isLess) ?? (kind == .truth ? 1 : type.highest)
      case .sum, .mean, .product:
        type.held(group.reduce(function.neutralElement) { function.combine($0, type.double($1)) })
      }
    }
  }
}
