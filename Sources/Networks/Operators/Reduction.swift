import Tensors

/// Sum, product or extreme over whole axes.
package struct Reduction: Operator, Hashable {
  /// What is computed.
  package enum Function: String, Hashable, Sendable {
    /// Σ x; 0 of no elements.
    case sum
    /// Π x; 1 of no elements.
    case product
    /// The largest element; −∞ of no elements.
    case maximum
    /// The smallest element; ∞ of no elements.
    case minimum

    /// The value for no elements.
    package var neutralElement: Double {
      switch self {
      case .sum: 0
      case .product: 1
      case .maximum: -.infinity
      case .minimum: .infinity
      }
    }
  }
  package let function: Function
  /// The axes; negative ones count from the end, nil means all.
  package let axes: List?
  /// Whether the axes stay, with extent 1.
  package let keepsAxes: Bool

  package init(_ function: Function, axes: List?, keepsAxes: Bool) {
    (self.function, self.axes, self.keepsAxes) = (function, axes, keepsAxes)
  }

  package var kind: OperatorKind {
    switch function {
    case .sum: .reduceSum
    case .product: .reduceProd
    case .maximum: axes == .fixed([2, 3]) && keepsAxes ? .globalMaxPool : .reduceMax
    case .minimum: .reduceMin
    }
  }

  /// The axes, counted from the front.
  package func axes(of operands: [Inferred]) throws -> Set<Int> {
    let x = try firstShape(operands)
    guard let axes else { return Set(0..<x.rank) }
    return try Set(axes.values(operands, "axes").map { try counted($0, rank: x.rank) })
  }

  /// The function of two values.
  package func combine(_ a: Double, _ b: Double) -> Double {
    switch function {
    case .sum: a + b
    case .product: a * b
    case .maximum: Swift.max(a, b)
    case .minimum: Swift.min(a, b)
    }
  }

  package var takesLists: Bool { true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try operand(operands).reduced(over: axes(of: operands), keepsAxes: keepsAxes)
  }

  package func outputRank(of operands: [Int?]) -> Int? {
    let first = operands.first ?? nil
    if keepsAxes { return first }
    guard case .fixed(let axes) = axes else { return axes == nil ? 0 : nil }
    return first.map { $0 - axes.count }
  }

  package func isStepwise(of operands: [ElementKind]) -> Bool {
    [.sum, .product].contains(function) && elementKind(of: operands).integerType != nil
  }
  package var isLinear: Bool { function == .sum }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .reduced(try axes(of: operands), keepsAxes: keepsAxes)
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }

  package func range(at site: RangeSite) -> ValueRange? {
    guard let axes = try? axes(of: site.operands) else { return nil }
    let result = site.range(0)?.reduced(over: axes, of: site.operands[0].shape, as: function)
    return keepsAxes ? result : result?.dropping(axes)
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let value = operands.first?.literal else { return nil }
    let x = value.shape
    let kept = x.reduced(over: try axes(of: operands), keepsAxes: true)
    func groups<Element>(_ elements: [Element]) -> [[Element]] {
      var groups = [[Element]](repeating: [], count: kept.count)
      StridedWalk(over: x, broadcasting: kept).forEachElement { position, to, _ in groups[to].append(elements[position])
      }
      return groups
    }
    let output = try outputShape(of: operands)
    if case .integers(let tensor) = value {
      let elements = integers(groups(tensor.elements), tensor.kind)
      return .integers(IntegerTensor(shape: output, elements: elements, kind: tensor.kind))
    }
    let elements = groups(value.floats.elements).map { group in
      let values = group.map { Double($0) }
      return values.first.map { Float(values.dropFirst().reduce($0, combine)) } ?? Float(function.neutralElement)
    }
    return .floats(Tensor(shape: output, elements: elements))
  }

  /// The function of integers. Sums and products are computed in double precision and end at the type's limits, as in ONNX Runtime.
  private func integers(_ groups: [[Int]], _ kind: ElementKind) -> [Int] {
    let type = kind.integerType ?? .int64
    return groups.map { group in
      switch function {
      case .maximum: group.max(by: type.isLess) ?? (kind == .truth ? 0 : type.lowest)
      case .minimum: group.min(by: type.isLess) ?? (kind == .truth ? 1 : type.highest)
      case .sum, .product: type.held(group.reduce(function.neutralElement) { combine($0, type.double($1)) })
      }
    }
  }
}

extension OperatorKind {
  /// Maximum over height and width, which stay with extent 1.
  public static let globalMaxPool = OperatorKind("GlobalMaxPool", .maximum)
  /// Maximum over other axes.
  public static let reduceMax = OperatorKind("ReduceMax", .maximum)
  /// Minimum over whole axes.
  public static let reduceMin = OperatorKind("ReduceMin", .reduction)
  /// Product over whole axes.
  public static let reduceProd = OperatorKind("ReduceProd", .reduction)
  /// Sum over whole axes.
  public static let reduceSum = OperatorKind("ReduceSum", .reduction)
}
