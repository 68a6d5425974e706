import RelevanceNetworks

extension NodeReader {
  /// Clip: bounds are attributes before opset 11 and inputs since then.
  func clip() throws -> Imported {
    func bound(_ label: String, _ index: Int, _ open: Float) throws -> Float {
      guard opset >= 11 else { return try attributes.float(label) ?? open }
      guard let tensor = try optionalConstant(index, label) else { return open }
      guard tensor.shape.count == 1 else { throw Defect("\(label) has shape \(tensor.shape); expected one number") }
      return try tensor.values().elements[0]
    }
    let (lowest, highest) = (try bound("min", 1, -.infinity), try bound("max", 2, .infinity))
    guard !lowest.isNaN, !highest.isNaN else {
      throw Defect("min is \(lowest) and max is \(highest); expected numbers")
    }
    if lowest == 0, highest == .infinity { return try node(Relu(), "input") }
    return try node(Clip(lowest: lowest, highest: highest), "X")
  }
}

extension Clip: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    file.inputs(of: id) + [
      lowest > -.infinity ? file.number(lowest, "min", of: id) : "",
      highest < .infinity ? file.number(highest, "max", of: id) : "",
    ]
  }
}
