import CRelevanceONNX
import RelevanceNetworks

/// Unique names for the nodes of a graph: the file's own names, with a suffix for repetitions.
struct UniqueNames {
  private var taken: Set<String> = []
  private var next: [String: Int] = [:]

  /// The name, or the first unused one of `name_2`, `name_3` ….
  mutating func unique(_ name: String) -> String {
    if taken.insert(name).inserted { return name }
    var number = next[name] ?? 2
    while !taken.insert("\(name)_\(number)").inserted { number += 1 }
    next[name] = number + 1
    return "\(name)_\(number)"
  }
}

extension Input {
  /// The input that a file's graph declares; nil if it declares no shape or is not a tensor.
  ///
  /// An extent that is neither a positive number nor named is open and has no name.
  init?(_ input: UnsafePointer<ValueInfoProto>) {
    guard let type = input.pointee.type, type.pointee.value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE,
      let tensor = type.pointee.tensor_type, let shape = tensor.pointee.shape
    else { return nil }
    let extents = messages(shape.pointee.n_dim, shape.pointee.dim).map { dimension -> SymbolicExtent in
      switch dimension.pointee.value_case {
      case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE where dimension.pointee.dim_value > 0:
        .fixed(Int(dimension.pointee.dim_value))
      case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM: .symbolic(text(dimension.pointee.dim_param))
      default: .symbolic("")
      }
    }
    self.init(SymbolicShape(extents), of: ElementType(number: Int32(tensor.pointee.elem_type)).kind)
  }
}
