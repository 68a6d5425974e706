import COnnx
import Networks
import Tensors

extension GraphWriter {
  /// Writes a node of the graph as a node of the file and, where its operator needs them, a few more around it.
  mutating func write(_ id: Node.ID) {
    let node = graph[id]
    let inputs = node.inputs.map { values[$0.index] }
    func same(_ attributes: WrittenNode.Attribute...) -> WrittenNode {
      WrittenNode(node.operation.kind.rawValue, inputs, attributes)
    }
    switch node.operation {
    case .input: break
    case .constant(let tensor): constant(tensor, named: values[id.index], of: id)
    case .integers(let tensor): constant(tensor, named: values[id.index])
    case .convolution(let convolution):
      var operands = [inputs[0], parameter(convolution.weight, "weight", of: id)]
      if let bias = convolution.bias { operands.append(parameter(bias, "bias", of: id)) }
      finish(
        id, WrittenNode("Conv", operands, convolution.window.attributes + [.init("group", .int(convolution.groups))]))
    case .transposedConvolution(let convolution):
      var operands = [inputs[0], parameter(convolution.weight, "weight", of: id)]
      if let bias = convolution.bias { operands.append(parameter(bias, "bias", of: id)) }
      let attributes: [WrittenNode.Attribute] = [
        .init("group", .int(convolution.groups)), .init("output_padding", .ints(convolution.outputPadding)),
      ]
      finish(id, WrittenNode("ConvTranspose", operands, convolution.window.attributes + attributes))
    case .linear(let linear): write(linear, of: inputs[0], as: id)
    case .relu where kinds[id.index] == .real: finish(id, same())
    case .relu: finish(id, WrittenNode("Clip", [inputs[0], number(0, "min", of: id)]))
    case .maxPool(let window): write(maxPool: window, of: inputs[0], as: id)
    case .averagePool(let pool): write(pool, of: inputs[0], as: id)
    case .mean(let mean):
      let rank = extents.shapes[node.inputs[0].index].extents.count
      let axes = mean.axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
      if mean.keepsAxes, rank >= 3, axes == Array(2..<rank), kinds[id.index] == .real {
        finish(id, WrittenNode("GlobalAveragePool", inputs))
      } else {
        require(opset: 18)
        let keeps = WrittenNode.Attribute("keepdims", .int(mean.keepsAxes ? 1 : 0))
        finish(id, WrittenNode("ReduceMean", [inputs[0], integers(axes, "axes", of: id)], [keeps]))
      }
    case .reduce(let reduction): write(reduction, of: inputs, as: id)
    case .localResponseNormalization(let lrn):
      finish(
        id,
        same(
          .init("size", .int(lrn.size)), .init("alpha", .float(lrn.alpha)), .init("beta", .float(lrn.beta)),
          .init("bias", .float(lrn.bias))))
    case .batchNormalization(let normalization):
      // The statistics have gone into scale and shift: those that are written change nothing, to the bit.
      let channels: Shape = [normalization.scale.count]
      let operands = [
        inputs[0], parameter(normalization.scale, "scale", of: id), parameter(normalization.shift, "shift", of: id),
        parameter(Tensor(shape: channels, repeating: 0), "mean", of: id),
        parameter(Tensor(shape: channels, repeating: 1), "variance", of: id),
      ]
      finish(id, WrittenNode("BatchNormalization", operands, [.init("epsilon", .float(0))]))
    case .layerNormalization(let normalization):
      var operands = [inputs[0], parameter(normalization.scale, "scale", of: id)]
      if let shift = normalization.shift { operands.append(parameter(shift, "shift", of: id)) }
      let attributes: [WrittenNode.Attribute] = [
        .init("axis", .int(normalization.axis)), .init("epsilon", .float(normalization.epsilon)),
      ]
      finish(id, WrittenNode("LayerNormalization", operands, attributes))
    case .concat(let axis): finish(id, same(.init("axis", .int(axis))))
    case .add, .multiply, .binary, .dropout, .identity, .expand: finish(id, same())
    case .flatten(let axis): finish(id, same(.init("axis", .int(axis))))
    case .reshape(let extents, let allowZero):
      let shape = list(extents, "shape", of: id)
      finish(id, WrittenNode("Reshape", [inputs[0], shape], allowZero ? [.init("allowzero", .int(1))] : []))
    case .transpose(let order):
      finish(id, WrittenNode("Transpose", inputs, order.map { [.init("perm", .ints($0))] } ?? []))
    case .squeeze(let axes):
      finish(id, WrittenNode("Squeeze", [inputs[0], axes.map { integers($0, "axes", of: id) } ?? ""]))
    case .unsqueeze(let axes): finish(id, WrittenNode("Unsqueeze", [inputs[0], integers(axes, "axes", of: id)]))
    case .softmax(let softmax), .logSoftmax(let softmax): write(softmax, of: inputs[0], as: id)
    case .unary(let function): write(function, of: inputs[0], as: id)
    case .parametricRelu(let slope):
      finish(id, WrittenNode("PRelu", [inputs[0], parameter(slope, "slope", of: id)]))
    case .pad(let pad): write(pad, of: inputs[0], as: id)
    case .slice(let slice):
      let operands = [
        inputs[0], list(slice.starts, "starts", of: id), list(slice.ends, "ends", of: id),
        slice.axes.map { list($0, "axes", of: id) } ?? "", slice.steps.map { list($0, "steps", of: id) } ?? "",
      ]
      finish(id, WrittenNode("Slice", operands))
    case .part(let axis, let index, let count): write(partOf: inputs[0], axis, index, count, as: id)
    case .gather(let axis): finish(id, same(.init("axis", .int(axis))))
    case .resize(let resize): write(resize, of: inputs[0], as: id)
    case .shape(let start, let end):
      var attributes: [WrittenNode.Attribute] = start == 0 ? [] : [.init("start", .int(start))]
      if let end { attributes.append(.init("end", .int(end))) }
      finish(id, WrittenNode("Shape", inputs, attributes))
    case .cast(let kind): finish(id, same(.init("to", .int(Int(kind.elementType.rawValue)))))
    case .arithmetic(let function): write(function, of: inputs, as: id)
    }
  }

  /// What integers are called that are fixed, or that an operand holds.
  mutating func list(_ list: List, _ name: String, of id: Node.ID) -> String {
    switch list {
    case .fixed(let numbers): integers(numbers, name, of: id)
    case .operand(let index): values[graph[id].inputs[index].index]
    }
  }
}

extension Window {
  /// The attributes that all sliding windows share.
  var attributes: [WrittenNode.Attribute] {
    let padding: WrittenNode.Attribute =
      switch padding {
      case .explicit(let before, let after): .init("pads", .ints(before + after))
      case .sameUpper: .init("auto_pad", .string("SAME_UPPER"))
      case .sameLower: .init("auto_pad", .string("SAME_LOWER"))
      }
    return [
      .init("kernel_shape", .ints(kernel)), .init("strides", .ints(strides)), .init("dilations", .ints(dilations)),
      padding,
    ]
  }
}
