import COnnx
import Networks

/// The nodes of a file's graph that its first output depends on, in the order of the file.
struct LiveNodes {
  let nodes: [UnsafePointer<NodeProto>]

  /// Follows the names of values back from `result`.
  init(of graph: UnsafePointer<GraphProto>, result: String) {
    let all = messages(graph.pointee.n_node, graph.pointee.node)
    var makers: [String: [Int]] = [:]
    for (index, node) in all.enumerated() {
      for output in texts(node.pointee.n_output, node.pointee.output) where !output.isEmpty {
        makers[output, default: []].append(index)
      }
    }
    var isLive = [Bool](repeating: false, count: all.count)
    var wanted = [result]
    while let name = wanted.popLast() {
      // A value with two makers is an error; the importer sees both and says so.
      for maker in makers.removeValue(forKey: name) ?? [] where !isLive[maker] {
        isLive[maker] = true
        wanted += Self.names(takenBy: all[maker])
      }
    }
    nodes = all.indices.filter { isLive[$0] }.map { all[$0] }
  }

  /// The values that a node takes: its inputs, and those that graphs in its attributes take from around them.
  private static func names(takenBy node: UnsafePointer<NodeProto>) -> [String] {
    var names = texts(node.pointee.n_input, node.pointee.input)
    for attribute in messages(node.pointee.n_attribute, node.pointee.attribute) {
      guard let graph = attribute.pointee.g else { continue }
      names += messages(graph.pointee.n_output, graph.pointee.output).map { text($0.pointee.name) }
      for inner in messages(graph.pointee.n_node, graph.pointee.node) { names += Self.names(takenBy: inner) }
    }
    return names
  }
}

/// Names for the nodes of a graph: the file's own, with a suffix where it repeats one.
struct UniqueNames {
  private var taken: Set<String> = []
  private var next: [String: Int] = [:]

  /// The name, or the first of `name_2`, `name_3` … that is free.
  mutating func unique(_ name: String) -> String {
    if taken.insert(name).inserted { return name }
    var number = next[name] ?? 2
    while !taken.insert("\(name)_\(number)").inserted { number += 1 }
    next[name] = number + 1
    return "\(name)_\(number)"
  }
}

extension SymbolicShape {
  /// The shape that a graph's input declares; nil if it declares none, or is no tensor.
  ///
  /// An extent that is neither a positive number nor named is open, without a name.
  init?(_ input: UnsafePointer<ValueInfoProto>) {
    guard let type = input.pointee.type, type.pointee.value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE,
      let shape = type.pointee.tensor_type?.pointee.shape
    else { return nil }
    self.init(
      messages(shape.pointee.n_dim, shape.pointee.dim).map { dimension in
        switch dimension.pointee.value_case {
        case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE where dimension.pointee.dim_value > 0:
          .fixed(Int(dimension.pointee.dim_value))
        case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM: .symbolic(text(dimension.pointee.dim_param))
        default: .symbolic("")
        }
      })
  }
}
