import RelevanceNetworks
import RelevanceTensors

extension GridSample: WritableOperator {
  /// GridSample. Before opset 20, the names of linear and cubic interpolation are bilinear and bicubic.
  init(reading node: NodeReader) throws {
    let mode: GridSample.Mode
    let name = try node.attributes.string("mode") ?? "linear"
    switch name {
    case "linear", "bilinear": mode = .linear
    case "nearest": mode = .nearest
    case "cubic", "bicubic": mode = .cubic
    default: throw Defect("mode is \(shown(name)); expected linear, nearest or cubic")
    }
    let outside = try node.attributes.string("padding_mode") ?? "zeros"
    guard let padding = GridSample.Padding(rawValue: outside) else {
      throw Defect("padding_mode is \(shown(outside)); expected zeros, border or reflection")
    }
    self.init(mode: mode, padding: padding, alignsCorners: try node.attributes.flag("align_corners"))
  }
  var opset: Int { 20 }
  var attributes: [WrittenNode.Attribute] {
    [
      ("mode", .string(mode.rawValue)), ("padding_mode", .string(padding.rawValue)),
      ("align_corners", .flag(alignsCorners)),
    ]
  }
}

extension NodeReader {
  /// AffineGrid: a product of the matrices with the constant positions of a given size.
  func affineGrid() throws -> Imported {
    let theta = try operand(0, "theta")
    let size = try known(operand(1, "size"), else: "size is computed from the image; expected a constant").integers()
    guard size.count == 4 || size.count == 5, size.allSatisfy({ $0 > 0 }) else {
      throw Defect("size is \(size); expected 4 or 5 positive numbers")
    }
    let alignsCorners = try attributes.flag("align_corners")
    let extents = Array(size[2...])
    let shape = try TensorShape(checking: extents + [extents.count + 1])
    func position(_ index: Int, of extent: Int) -> Float {
      alignsCorners
        ? (extent > 1 ? 2 * Float(index) / Float(extent - 1) - 1 : 0) : (2 * Float(index) + 1) / Float(extent) - 1
    }
    let strides = TensorShape(extents).strides
    let points = extents.reduce(1, *)
    let rows = (0..<points).flatMap { point -> [Float] in
      extents.indices.reversed().map { position(point / strides[$0] % extents[$0], of: extents[$0]) } + [1]
    }
    let weight = Tensor(shape: [points, shape[-1]], elements: rows)
    return .sequence(
      [
        Linear(weight: weight, bias: nil), Transpose(order: [0, 2, 1]),
        Reshape(extents: .fixed([0] + extents + [extents.count]), allowZero: false),
      ], theta)
  }
}
