import RelevanceNetworks
import RelevanceTensors

extension Linear: WritableOperator {
  /// Gemm if the operand is a matrix; otherwise MatMul and, for the bias, Add.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    if file.rank(ofOperandOf: id) == 2 {
      file.finish(id, WrittenNode("Gemm", file.layerOperands(self, of: id), [("transB", .int(1))]))
      return
    }
    let product = WrittenNode(
      "MatMul", [file.realOperand(of: id), file.parameter(weight, "weight", of: id, transposed: true)])
    guard let bias else { return file.finish(id, product) }
    // The product gets the layer's name, because importers that fuse the two nodes keep that name.
    let name = file.graph[id].name
    let output = file.valueNames.unique("\(name).product")
    file.add(product, named: name, to: [output])
    let operands = [output, file.parameter(bias, "bias", of: id)]
    file.add(WrittenNode("Add", operands), named: file.nodeNames.unique("\(name).add"), to: [file.values[id.index]])
    file.described.append(id)
  }
}
