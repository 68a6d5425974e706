import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// ConstantOfShape: one value, by default the real number 0.
  func constantOfShape() throws -> Imported {
    var function = ConstantOfShape(value: 0, kind: .real)
    if let tensor = try attributes.tensor("value") {
      let value = try ConstantTensor(tensor, name: name, of: model)
      guard value.shape.count == 1 else { throw Defect("value has shape \(value.shape); expected one element") }
      let number: Double =
        value.type.isInteger
        ? (value.type.kind.integerType ?? .int64).double(try value.integers()[0])
        : Double(try value.floats().elements[0])
      function = ConstantOfShape(value: number, kind: value.type.kind)
    }
    return try node(function, "input")
  }
}

extension ConstantOfShape: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let element: UnsafeMutablePointer<TensorProto>
    if elements == .real {
      var tensors = file.tensors
      element = tensors.tensor(Tensor(shape: [1], elements: [Float(value)]), named: "value")
    } else {
      let number = (elements.integerType ?? .int64).held(value)
      element = file.tensors.tensor(IntegerTensor(shape: [1], elements: [number], kind: elements), named: "value")
    }
    file.finish(id, WrittenNode("ConstantOfShape", file.inputs(of: id), [("value", .tensor(element))]))
  }
}
