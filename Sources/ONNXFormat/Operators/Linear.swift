import RelevanceNetworks
import RelevanceTensors

extension Linear: WritableOperator {
  /// Gemm where the operand is a matrix; else MatMul and, for the bias, Add.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    if file.rank(ofOperandOf: id) == 2 {
      file.finish(id, WrittenNode("Gemm", file.layerOperands(self, of: id), [("transB", .int(1))]))
      return
    }
    let product = WrittenNode(
      "MatMul", [file.realOperand(of: id), file.parameter(weight, "weight", of: id, transposed: true)])
    guard let bias else { return file.finish(id, product) }
    // The layer's name goes to the product, since importers that join the two keep that one.
    let name = file.graph[id].name
    let output = file.valueNames.unique("\(name).product")
    file.add(product, named: name, to: [output])
    let operands = [output, file.parameter(bias, "bias", of: id)]
    file.add(WrittenNode("Add", operands), named: file.nodeNames.unique("\(name).add"), to: [file.values[id.index]])
    file.described.append(id)
  }
}
