import Networks
import Tensors

extension NodeReader {
  /// Gemm, `Y = α·A·op(B) + β·C` with constant B and C: a linear layer, into whose parameters α and β go.
  func gemm() throws -> Imported {
    let a = try operand(0, "A")
    let b = try weights(1, "B")
    try expect(a, rank: 2, "A")
    guard try !attributes.flag("transA") else { throw Unsupported("transA 1; expected 0") }
    guard b.shape.rank == 2, b.shape.count > 0 else {
      throw Defect("B, \(shown(b.name)), has shape \(b.shape); expected a matrix")
    }
    var weight = try attributes.flag("transB") ? b.floats() : b.transposedFloats()
    let alpha = try attributes.float("alpha") ?? 1
    if alpha != 1 { weight = try weight.map { alpha * $0 }.checkedFinite("alpha·B") }
    var bias: Tensor?
    let beta = try attributes.float("beta") ?? 1
    if beta != 0, let c = try optionalWeights(2, "C") {
      bias = try onePerOutput(c, outputs: weight.shape[0])
      if beta != 1 { bias = try bias?.map { beta * $0 }.checkedFinite("beta·C") }
    }
    return .node(Linear(weight: weight, bias: bias), [a])
  }

  /// C of Gemm as one number per output; it may be a scalar or a row.
  private func onePerOutput(_ c: ConstantTensor, outputs: Int) throws -> Tensor {
    let (rows, columns) = (c.shape.rank == 2 ? c.shape[0] : 1, c.shape.dimensions.last ?? 1)
    guard c.shape.rank <= 2, rows > 0, columns == 1 || columns == outputs else {
      throw Defect("C, \(shown(c.name)), has shape \(c.shape); expected \(outputs) numbers, one per output")
    }
    guard rows == 1 else { throw Unsupported("C, \(shown(c.name)), differs from one row of A to the next") }
    let values = try c.floats()
    return values.count == outputs
      ? values.reshaped(to: [outputs]) : Tensor(shape: [outputs], repeating: values.elements[0])
  }

  /// MatMul by a constant matrix on the right: a linear layer without a bias.
  func matrixProduct() throws -> Imported {
    let a = try operand(0, "A")
    let isConstantLeft = if case .constant = a { true } else { false }
    let b = try known(
      try operand(1, "B"),
      else: isConstantLeft
        ? "a product with a constant on the left; expected it on the right"
        : "a product of two tensors that both depend on the image; expected a constant B")
    try b.checkFinite()
    guard b.shape.rank == 2, b.shape.count > 0 else {
      throw Unsupported("B, \(shown(b.name)), has shape \(b.shape); expected a matrix")
    }
    return .node(Linear(weight: try b.transposedFloats(), bias: nil), [a])
  }
}

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
