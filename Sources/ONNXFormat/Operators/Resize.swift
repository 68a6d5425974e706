import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// Resize and, before opset 10, Upsample: by constant scales, or to sizes that may follow from shapes.
  func resize() throws -> Imported {
    var taken = [try operand(0, "X")]
    let isUpsample = opset < 10 || operands.count == 2 && opset == 10
    var scales: [Float]?
    var sizes: List?
    if opset < 7, let width = try attributes.float("width_scale"), let height = try attributes.float("height_scale") {
      scales = [1, 1, height, width]
    } else if opset < 9, let factors = try attributes.floats("scales") {
      scales = factors
    } else if let operand = optionalOperand(opset >= 11 ? 2 : 1) {
      let tensor = try known(operand, else: "its scales are computed from the image; expected constants")
      if tensor.shape.count > 0 { scales = try tensor.floats().elements }
    }
    if scales == nil, opset >= 11, let operand = optionalOperand(3) { sizes = try list(operand, in: &taken) }
    guard scales != nil || sizes != nil else { throw Defect("scales and sizes are missing; expected one of them") }
    let policy = try attributes.string("keep_aspect_ratio_policy") ?? "stretch"
    guard let aspectRatio = Resize.AspectRatio(rawValue: policy) else {
      throw Defect("keep_aspect_ratio_policy is \(shown(policy)); expected stretch, not_larger or not_smaller")
    }
    let mode: Resize.Mode
    switch try attributes.string("mode") ?? "nearest" {
    case "nearest": mode = .nearest
    case "linear", "bilinear": mode = .linear
    case "cubic": mode = .cubic
    case let other: throw Unsupported("mode is \(shown(other)); expected nearest, linear or cubic")
    }
    let frame = try attributes.string("coordinate_transformation_mode") ?? (isUpsample ? "asymmetric" : "half_pixel")
    let older = opset < 11
    guard let coordinates = older ? .asymmetric : Resize.Coordinates(rawValue: frame) else {
      throw Unsupported(
        "coordinate_transformation_mode is \(shown(frame)); expected \(Self.frames.joined(separator: ", "))")
    }
    let rounding = try attributes.string("nearest_mode") ?? "round_prefer_floor"
    guard let rounding = older ? .simple : Resize.Rounding(rawValue: rounding), older || rounding != .simple else {
      throw Defect("nearest_mode is \(shown(rounding)); expected round_prefer_floor, round_prefer_ceil, floor or ceil")
    }
    let cubic = Resize.Cubic(coefficient: try attributes.float("cubic_coeff_a") ?? -0.75)
    let antialiases = try mode != .nearest && attributes.flag("antialias")
    let excludesOutside = try (mode == .cubic || antialiases) && attributes.flag("exclude_outside")
    let resize = Resize(
      scales: scales, sizes: sizes, axes: try attributes.ints("axes"), mode: mode, coordinates: coordinates,
      rounding: rounding, aspectRatio: aspectRatio, cubic: cubic, excludesOutside: excludesOutside,
      antialiases: antialiases, crop: try coordinates == .cropAndResize ? crop() : nil)
    return .node(resize, taken)
  }

  /// The part that is resized: its starts along all axes, then its ends.
  private func crop() throws -> Resize.Crop {
    guard let roi = try optionalConstant(1, "roi")?.floats().elements, roi.count > 0, roi.count.isMultiple(of: 2) else {
      throw Defect("roi is missing; expected the start and end of the resized part along each axis")
    }
    return Resize.Crop(
      starts: Array(roi[..<(roi.count / 2)]), ends: Array(roi[(roi.count / 2)...]),
      fill: try attributes.float("extrapolation_value") ?? 0)
  }

  private static let frames = [
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
  ]
}

extension Resize: WritableOperator {
  /// Resize. Before opset 11, the nearest mode takes the upper neighbor along axes that shrink and the lower neighbor
  /// along others. If there are both, this writes two nodes.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    if axes != nil || aspectRatio != .stretch || antialiases { file.require(opset: 18) }
    if coordinates == .halfPixelSymmetric { file.require(opset: 19) }
    let input = file.inputs(of: id)[0]
    guard rounding == .simple, mode == .nearest, let scales else {
      return file.finish(id, node(of: input, rounding == .simple ? .floor : rounding, scales, as: id, in: &file))
    }
    guard scales.contains(where: { $0 < 1 }) else {
      return file.finish(id, node(of: input, .floor, scales, as: id, in: &file))
    }
    guard scales.contains(where: { $0 > 1 }) else {
      return file.finish(id, node(of: input, .ceil, scales, as: id, in: &file))
    }
    let grown = file.helper(
      node(of: input, .floor, scales.map { max($0, 1) }, as: id, in: &file), named: "\(file.graph[id].name).grown")
    file.finish(id, node(of: grown, .ceil, scales.map { min($0, 1) }, as: id, in: &file))
  }

  private func node(
    of input: String, _ rounding: Rounding, _ scales: [Float]?, as id: Node.ID, in file: inout GraphWriter
  ) -> WrittenNode {
    let factors = scales.map { file.parameter(Tensor(shape: [$0.count], elements: $0), "scales", of: id) } ?? ""
    let sizes = file.list(sizes, "sizes", of: id)
    var attributes: [WrittenNode.Attribute] = [
      ("mode", .string(mode.rawValue)),
      ("coordinate_transformation_mode", .string(coordinates.rawValue)),
      ("nearest_mode", .string(rounding.rawValue)),
    ]
    if mode == .cubic { attributes.append(("cubic_coeff_a", .float(cubic.coefficient))) }
    if excludesOutside { attributes.append(("exclude_outside", .flag(true))) }
    if antialiases { attributes.append(("antialias", .flag(true))) }
    var part = ""
    if let crop {
      attributes.append(("extrapolation_value", .float(crop.fill)))
      let numbers = crop.starts + crop.ends
      part = file.parameter(Tensor(shape: [numbers.count], elements: numbers), "roi", of: id)
    }
    if let axes { attributes.append(("axes", .ints(axes))) }
    if aspectRatio != .stretch { attributes.append(("keep_aspect_ratio_policy", .string(aspectRatio.rawValue))) }
    return WrittenNode("Resize", [input, part, factors, sizes], attributes)
  }
}
