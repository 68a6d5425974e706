import CRelevanceONNX
import RelevanceNetworks
import RelevanceTensors

/// Builds the messages of a graph: one node of the file for each node, and initializers for values that do not depend
/// on the input.
struct GraphWriter {
  let graph: Graph
  let extents: OpenExtents
  let values: [String]
  let kinds: [ElementKind]
  /// The tensors of the file, and the placement of the weights.
  private(set) var tensors: TensorWriter
  private(set) var opset = 17
  /// The parts of operands that an existing Split already computes.
  var writtenParts: Set<Node.ID> = []
  private let input: Node.ID
  private let outputName: String
  /// Unique names for values and nodes that the graph does not have.
  var valueNames: UniqueNames
  var nodeNames = UniqueNames()
  private var nodes: [UnsafeMutablePointer<NodeProto>] = []
  private var initializers: [UnsafeMutablePointer<TensorProto>] = []
  /// The nodes whose output shapes the file declares.
  var described: [Node.ID] = []
  private var arena: MessageArena { tensors.arena }

  /// Prepares to write a network. The output's name is `outputName`, or the name of the node that computes it.
  init(_ network: NeuralNetwork, outputName: String?, extents: OpenExtents, tensors: TensorWriter) {
    let graph = network.graph
    // The names of the input and the output come first, because other systems use them. Constants keep their names,
    // because importers identify a constant by the name of its value. All other values have the name of their node.
    var names = UniqueNames()
    var values = [String](repeating: "", count: graph.nodes.count)
    values[network.input.index] = names.unique(graph[network.input].name)
    if graph.output == network.input || graph[graph.output].isInitializer {
      self.outputName = names.unique(outputName ?? "output")
    } else {
      self.outputName = names.unique(outputName ?? graph[graph.output].name)
      values[graph.output.index] = self.outputName
    }
    for isInitializer in [true, false] {
      for (index, node) in graph.nodes.enumerated()
      where values[index].isEmpty && node.isInitializer == isInitializer { values[index] = names.unique(node.name) }
    }
    for node in graph.nodes { _ = nodeNames.unique(node.name) }
    (self.graph, self.extents, self.tensors) = (graph, extents, tensors)
    self.input = network.input
    self.values = values
    self.valueNames = names
    self.kinds = extents.example.map(\.kind)
  }

  mutating func message() -> UnsafeMutablePointer<GraphProto> {
    for id in graph.ids { write(id) }
    if values[graph.output.index] != outputName {
      add(WrittenNode("Identity", [values[graph.output.index]]), named: outputName, to: [outputName])
    }
    let message = arena.message(onnx__graph_proto__init)
    message.pointee.name = arena.string(graph.name.isEmpty ? "network" : graph.name)
    (message.pointee.n_node, message.pointee.node) = arena.repeated(nodes)
    (message.pointee.n_initializer, message.pointee.initializer) = arena.repeated(initializers)
    let taken = [description(of: input, named: values[input.index])]
    (message.pointee.n_input, message.pointee.input) = arena.repeated(taken)
    let made = [description(of: graph.output, named: outputName)]
    (message.pointee.n_output, message.pointee.output) = arena.repeated(made)
    let inner = described.filter { $0 != graph.output }.map { description(of: $0, named: values[$0.index]) }
    (message.pointee.n_value_info, message.pointee.value_info) = arena.repeated(inner)
    return message
  }

  /// Adds a node that has the name, and computes the output, of the graph's node `id`.
  ///
  /// - Parameters:
  ///   - output: The index of the output that is this value. The other outputs are not used.
  ///   - count: The number of outputs.
  mutating func finish(_ id: Node.ID, _ node: WrittenNode, output: Int = 0, of count: Int = 1) {
    let outputs = (0..<count).map { $0 == output ? values[id.index] : valueNames.unique("\(graph[id].name).unused") }
    add(node, named: graph[id].name, to: outputs)
    described.append(id)
  }

  /// Adds an auxiliary node that the graph does not have. Returns the name of its output.
  mutating func helper(_ node: WrittenNode, named name: String) -> String {
    let output = valueNames.unique(name)
    add(node, named: nodeNames.unique(name), to: [output])
    return output
  }

  mutating func add(_ node: WrittenNode, named name: String, to outputs: [String]) {
    nodes.append(node.message(named: name, outputs: outputs, in: arena))
  }

  /// Adds a tensor of real numbers that belongs to a node. Returns its name.
  mutating func parameter(_ tensor: Tensor, _ name: String, of id: Node.ID, transposed: Bool = false) -> String {
    let name = valueNames.unique("\(graph[id].name).\(name)")
    constant(tensor, named: name, transposed: transposed)
    return name
  }

  /// Adds a tensor of integers that belongs to a node. Returns its name.
  mutating func parameter(_ tensor: IntegerTensor, _ name: String, of id: Node.ID) -> String {
    let name = valueNames.unique("\(graph[id].name).\(name)")
    constant(tensor, named: name)
    return name
  }

  /// Adds one number of the element type of a node. Returns its name.
  mutating func number(_ value: Float, _ name: String, of id: Node.ID) -> String {
    let kind = kinds[id.index]
    guard kind != .real else { return parameter(Tensor(shape: [], elements: [value]), name, of: id) }
    let element = (kind.integerType ?? .int64).held(value)
    return parameter(IntegerTensor(shape: [], elements: [element], kind: kind), name, of: id)
  }

  /// Adds an initializer of real numbers, which is node `id` itself if `id` is given. In half precision, a Cast follows
  /// it, so that everything else stays the same.
  mutating func constant(_ tensor: Tensor, named name: String, of id: Node.ID? = nil, transposed: Bool = false) {
    guard tensors.isHalved(tensor) else {
      initializers.append(tensors.tensor(tensor, named: name, transposed: transposed))
      return
    }
    let half = valueNames.unique("\(name).half")
    initializers.append(tensors.tensor(tensor, named: half, transposed: transposed))
    add(
      WrittenNode("Cast", [half], [("to", .int(1))]), named: id.map { graph[$0].name } ?? nodeNames.unique(name),
      to: [name])
  }

  mutating func constant(_ tensor: IntegerTensor, named name: String) {
    initializers.append(tensors.tensor(tensor, named: name))
  }

  mutating func require(opset: Int) { self.opset = max(self.opset, opset) }

  private func description(of id: Node.ID, named name: String) -> UnsafeMutablePointer<ValueInfoProto> {
    let shape = arena.message(onnx__tensor_shape_proto__init)
    let dimensions = extents.shapes[id.index].extents.map { extent in
      let dimension = arena.message(onnx__tensor_shape_proto__dimension__init)
      switch extent {
      case .fixed(let extent):
        dimension.pointee.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
        dimension.pointee.dim_value = Int64(extent)
      case .symbolic(let name) where !name.isEmpty:
        dimension.pointee.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
        dimension.pointee.dim_param = arena.string(name)
      case .symbolic: break
      }
      return dimension
    }
    (shape.pointee.n_dim, shape.pointee.dim) = arena.repeated(dimensions)
    let tensor = arena.message(onnx__type_proto__tensor__init)
    tensor.pointee.has_elem_type = 1
    tensor.pointee.elem_type = ElementType(kinds[id.index]).number
    tensor.pointee.shape = shape
    let type = arena.message(onnx__type_proto__init)
    type.pointee.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
    type.pointee.tensor_type = tensor
    let value = arena.message(onnx__value_info_proto__init)
    value.pointee.name = arena.string(name)
    value.pointee.type = type
    return value
  }
}

extension Node {
  fileprivate var isInitializer: Bool { operation is Constant }
}
