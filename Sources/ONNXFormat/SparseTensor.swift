import CRelevanceONNX
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension ConstantTensor {
  /// A tensor of which the file has those elements that are not 0, and where they are: as one index or as one for each axis.
  ///
  /// - Throws: `RelevanceKitError` if the parts do not fit one another.
  convenience init(_ sparse: UnsafePointer<SparseTensorProto>, name: String, of model: Model) throws {
    func misfit(_ reason: String) -> ONNXError { .tensor(file: model.file, name: name, reason: reason) }
    guard let parts = sparse.pointee.values, let places = sparse.pointee.indices else {
      throw misfit("it is sparse, and has no values or no indices")
    }
    let shape: TensorShape
    do {
      shape = try TensorShape(checking: numbers(sparse.pointee.n_dims, sparse.pointee.dims).map { Int($0) })
    } catch let error as SimpleError {
      throw misfit("dims \(error)")
    }
    let values = try ConstantTensor(parts, name: name, of: model)
    let indices = try ConstantTensor(places, name: "\(name).indices", of: model)
    let (count, given, strides) = (values.shape.count, try indices.integers(), shape.strides)
    guard shape.count <= 1 << 28, given.count == count || given.count == count * shape.rank else {
      throw misfit("\(given.count) indices for \(count) values of a sparse tensor of shape \(shape)")
    }
    let isLinear = given.count == count
    let positions = try (0..<count).map { value in
      let position =
        isLinear
        ? given[value]
        : (0..<shape.rank).reduce(0) { sum, axis in
          let index = given[value * shape.rank + axis]
          return sum < 0 || !(0..<shape[axis]).contains(index) ? -1 : sum + index * strides[axis]
        }
      guard (0..<shape.count).contains(position) else {
        throw misfit("an index lies outside of the sparse tensor's shape \(shape)")
      }
      return position
    }
    switch try values.literal() {
    case .floats(let tensor):
      var elements = [Float](repeating: 0, count: shape.count)
      for (position, value) in zip(positions, tensor.elements) { elements[position] = value }
      self.init(.floats(Tensor(shape: shape, elements: elements)), name: name, file: model.file)
    case .integers(let tensor):
      var elements = [Int](repeating: 0, count: shape.count)
      for (position, value) in zip(positions, tensor.elements) { elements[position] = value }
      self.init(
        .integers(IntegerTensor(shape: shape, elements: elements, kind: tensor.kind)), name: name, file: model.file)
    }
  }
}
