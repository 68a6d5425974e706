import CRelevanceONNX
import RelevanceNetworks
import RelevanceTensors

/// ONNX Runtime's operators on channels in blocks, `com.microsoft.nchwc`, which it saves at optimization level “all”.
/// Here tensors stay batch × channels × space, with full blocks of channels. Additional channels are 0 and are removed
/// at the end.
extension NodeReader {
  /// Conv with weights in blocks, followed by an optional sum and an activation.
  func blockedConvolution() throws -> Imported {
    let weight = try weights(1, "W")
    guard weight.shape.rank == 4, weight.shape.count > 0 else {
      throw Defect("weight \(shown(weight.name)) has shape \(weight.shape); expected 4 axes")
    }
    let block = try blockSize()
    guard weight.shape[0] % block == 0 else {
      throw Defect("weight \(shown(weight.name)) has \(weight.shape[0]) outputs; expected full blocks of \(block)")
    }
    let plain = constant(Self.unblocked(try weight.floats(), block: block), "weight")
    return try taking(operand(0, "X"), plain, optionalOperand(2), optionalOperand(3)).fusedConvolution()
  }

  /// Weights in the order outputs × inputs × kernel. In the file, blocks of outputs are innermost. Blocks of inputs, if
  /// there are full ones, are outside of them.
  private static func unblocked(_ blocked: Tensor, block: Int) -> Tensor {
    let (outputs, inputs) = (blocked.shape[0], blocked.shape[1])
    let kernel = blocked.shape[2] * blocked.shape[3]
    let inner = inputs % block == 0 ? block : 1
    // Blocks of outputs, blocks of inputs, kernel, inputs of a block, outputs of a block.
    return blocked.reshaped(to: [outputs / block, inputs / inner, kernel, inner, block]).transposed([0, 4, 1, 3, 2])
      .reshaped(to: blocked.shape)
  }

  /// ReorderInput: pads channels to full blocks.
  func reorderInput() throws -> Imported {
    let x = try operand(0, "X")
    let isLast = try attributes.flag("channels_last")
    let block = try blockSize()
    return .assembly { graph in
      let x = try isLast ? graph.add(Transpose(order: [0, 3, 1, 2]), [x], named: "\(name).channels_first") : x
      guard let channels = graph.exampleShape(of: x)?.dimensions.dropFirst().first else {
        if case .unavailable = x { return [x] }
        throw Unsupported("its operand has an unknown number of channels; expected a fixed one")
      }
      let missing = (block - channels % block) % block
      if missing == 0 { return [x] }
      let pad = Pad(amounts: .fixed([0, 0, 0, 0, 0, missing, 0, 0]), axes: nil, mode: .constant, value: 0)
      return [try graph.add(pad, [x], named: name)]
    }
  }

  /// ReorderOutput: keeps the first channels.
  func reorderOutput() throws -> Imported {
    let x = try operand(0, "X")
    let channels = try attributes.required("channels")
    guard channels > 0, channels <= Int(Int32.max) else {
      throw Defect("channels is \(channels); expected a positive number")
    }
    let isLast = try attributes.flag("channels_last")
    return .assembly { graph in
      var result = x
      if graph.exampleShape(of: x)?.dimensions.dropFirst().first != channels {
        let slice = Slice(starts: .fixed([0]), ends: .fixed([channels]), axes: .fixed([1]))
        result = try graph.add(slice, [x], named: name)
      }
      guard isLast else { return [result] }
      return [try graph.add(Transpose(order: [0, 2, 3, 1]), [result], named: "\(name).channels_last")]
    }
  }

  /// Upsample by integer factors.
  func blockedUpsample() throws -> Imported {
    guard let scales = try attributes.ints("scales") else { throw Defect("attribute scales is missing") }
    let mode = Resize.Mode(rawValue: try attributes.string("mode") ?? "nearest")
    let frame = Resize.Coordinates(rawValue: try attributes.string("coordinate_transformation_mode") ?? "asymmetric")
    guard let mode, let frame else {
      throw Unsupported("its mode or coordinate_transformation_mode is unknown; expected nearest or linear")
    }
    // Indices fall exactly on neighbors.
    let resize = Resize(
      scales: scales.map { Float($0) }, sizes: nil, axes: nil, mode: mode,
      coordinates: mode == .nearest ? .asymmetric : frame, rounding: .floor, aspectRatio: .stretch)
    return try node(resize, "X")
  }

  /// The number of channels in a block: 8 or 16. It depends on the processor that ran ONNX Runtime and is not in the
  /// file.
  ///
  /// - Throws: `Unsupported` if the file's weights fit both sizes.
  private func blockSize() throws -> Int {
    let unknown = Unsupported(
      "its weights fit blocks of 8 and of 16 channels; save the model at optimization level extended")
    guard let graph = model.graph else { throw unknown }
    var shapes: [String: [Int]] = [:]
    for tensor in messages(graph.pointee.n_initializer, graph.pointee.initializer) {
      shapes[text(tensor.pointee.name)] = numbers(tensor.pointee.n_dims, tensor.pointee.dims).map { Int($0) }
    }
    // The number of channels of each value, in full blocks.
    var channels: [String: Int] = [:]
    for node in messages(graph.pointee.n_node, graph.pointee.node)
    where text(node.pointee.domain) == MicrosoftOperators.blocked {
      let inputs = texts(node.pointee.n_input, node.pointee.input)
      let outputs = texts(node.pointee.n_output, node.pointee.output)
      guard let first = inputs.first, let output = outputs.first else { continue }
      switch text(node.pointee.op_type) {
      case "Conv":
        guard inputs.count > 1, let shape = shapes[inputs[1]], shape.count == 4 else { continue }
        // Outputs fill whole blocks. Inputs fill whole blocks or are fewer than one block.
        if shape[0] % 16 != 0 || shape[1] > 16 && shape[1] % 16 != 0 { return 8 }
        if shape[1] > 8 && shape[1] % 8 != 0 { return 16 }
        channels[output] = shape[0]
      case "ReorderOutput":
        let kept = messages(node.pointee.n_attribute, node.pointee.attribute).first {
          text($0.pointee.name) == "channels"
        }
        guard let kept = kept?.pointee.i, kept > 0, let filled = channels[first] else { continue }
        // Blocks of 8 have at most 7 unused channels.
        if filled - Int(kept) > 7 { return 16 }
      default: channels[output] = channels[first]
      }
    }
    throw unknown
  }
}

extension GraphImporter {
  /// The shape of an operand for an input of a typical size; nil if it is unknown.
  func exampleShape(of operand: Operand) -> TensorShape? {
    switch operand {
    case .constant(let tensor): return tensor.shape
    case .unavailable: return nil
    case .node(let id, _):
      guard let graph = try? Graph(name: "", nodes: nodes, output: id).declaringChannels(),
        let input = graph.nodes.lazy.compactMap({ $0.operation as? Input }).first
      else { return nil }
      return graph.partlyInferred(forInput: input.shape.example(batch: 1, side: 224))[id.index]?.shape
    }
  }
}
