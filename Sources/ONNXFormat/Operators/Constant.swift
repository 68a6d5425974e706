import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// Constant: one attribute contains the value. Attributes other than `value` exist since opset 12.
  func constantValue() throws -> Imported {
    if let tensor = try attributes.tensor("value") {
      return .constant(try ConstantTensor(tensor, name: name, of: model))
    }
    if let tensor = try attributes.sparseTensor("sparse_value") {
      return .constant(try ConstantTensor(tensor, name: name, of: model))
    }
    func floats(_ values: [Float], _ shape: TensorShape) -> Imported {
      .constant(ConstantTensor(.floats(Tensor(shape: shape, elements: values)), name: name, file: model.file))
    }
    func integers(_ values: [Int], _ shape: TensorShape) -> Imported {
      .constant(ConstantTensor(.integers(IntegerTensor(shape: shape, elements: values)), name: name, file: model.file))
    }
    if let value = try attributes.float("value_float") { return floats([value], []) }
    if let values = try attributes.floats("value_floats") { return floats(values, [values.count]) }
    if let value = try attributes.int("value_int") { return integers([value], []) }
    if let values = try attributes.ints("value_ints") { return integers(values, [values.count]) }
    for form in ["value_string", "value_strings"] where attributes.has(form) {
      throw Unsupported("its value is a \(form); expected numbers")
    }
    throw Defect("attribute value is missing")
  }
}

extension Constant: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    switch value {
    case .floats(let tensor): file.constant(tensor, named: file.values[id.index], of: id)
    case .integers(let tensor): file.constant(tensor, named: file.values[id.index])
    }
  }
}
