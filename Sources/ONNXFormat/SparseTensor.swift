import CRelevanceONNX
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension ConstantTensor {
  /// A tensor that the file stores as its nonzero elements and their positions, each position as one index or one index
  /// per axis.
  ///
  /// - Throws: `RelevanceKitError` if the parts do not fit together.
  convenience init(_ sparse: UnsafePointer<SparseTensorProto>, name: String, of model: Model) throws {
    func misfit(_ reason: String) -> ONNXError { .tensor(file: model.file, name: name, reason: reason) }
    guard let parts = sparse.pointee.values, let places = sparse.pointee.indices else {
      throw misfit("the sparse tensor has no values or no indices")
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
      throw misfit("the sparse tensor of shape \(shape) has \(given.count) indices for \(count) values")
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
        throw misfit("an index is outside the shape \(shape) of the sparse tensor")
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
