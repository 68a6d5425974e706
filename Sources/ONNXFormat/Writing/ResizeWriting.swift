import Networks
import Tensors

extension GraphWriter {
  /// Resize. What was written before opset 11 takes the upper neighbor along axes that shrink and the lower one along others: where there are
  /// both, two nodes do that.
  mutating func write(_ resize: Resize, of input: String, as id: Node.ID) {
    if resize.axes != nil || resize.aspectRatio != .stretch { require(opset: 18) }
    if resize.coordinates == .halfPixelSymmetric { require(opset: 19) }
    guard resize.rounding == .simple, resize.mode == .nearest, let scales = resize.scales else {
      let rounding = resize.rounding == .simple ? Resize.Rounding.floor : resize.rounding
      return finish(id, node(resize, of: input, rounding, resize.scales, as: id))
    }
    guard scales.contains(where: { $0 < 1 }) else { return finish(id, node(resize, of: input, .floor, scales, as: id)) }
    guard scales.contains(where: { $0 > 1 }) else { return finish(id, node(resize, of: input, .ceil, scales, as: id)) }
    let grown = helper(
      node(resize, of: input, .floor, scales.map { max($0, 1) }, as: id), named: "\(graph[id].name).grown")
    finish(id, node(resize, of: grown, .ceil, scales.map { min($0, 1) }, as: id))
  }

  private mutating func node(
    _ resize: Resize, of input: String, _ rounding: Resize.Rounding, _ scales: [Float]?, as id: Node.ID
  ) -> WrittenNode {
    let factors = scales.map { parameter(Tensor(shape: [$0.count], elements: $0), "scales", of: id) } ?? ""
    let sizes = resize.sizes.map { list($0, "sizes", of: id) } ?? ""
    var attributes: [WrittenNode.Attribute] = [
      .init("mode", .string(resize.mode.rawValue)),
      .init("coordinate_transformation_mode", .string(resize.coordinates.rawValue)),
      .init("nearest_mode", .string(rounding.rawValue)),
    ]
    if let axes = resize.axes { attributes.append(.init("axes", .ints(axes))) }
    if resize.aspectRatio != .stretch {
      attributes.append(.init("keep_aspect_ratio_policy", .string(resize.aspectRatio.rawValue)))
    }
    return WrittenNode("Resize", [input, "", factors, sizes], attributes)
  }
}
