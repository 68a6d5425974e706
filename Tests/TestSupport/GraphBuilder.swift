import RelevanceKit

/// Builds a graph node by node.
package struct GraphBuilder {
  private var nodes: [Node]

  /// Starts with a node `x` for a batch of any number of items of the given extents.
  package init(item extents: [Int]) {
    let shape = SymbolicShape([.symbolic("n")] + extents.map { .fixed($0) })
    nodes = [Node(name: "x", operation: .input(shape), inputs: [])]
  }

  /// Starts with a node `x` of a fixed shape.
  package init(input extents: [Int], of elements: ElementKind = .real) {
    nodes = [Node(name: "x", operation: Input(SymbolicShape(extents.map { .fixed($0) }), of: elements), inputs: [])]
  }

  /// The input.
  package var input: Node.ID { Node.ID(0) }

  /// Adds a node. By default its operand is the output of the previous node.
  @discardableResult
  package mutating func add(_ name: String, _ operation: any RelevanceKit.Operator, _ operands: Node.ID...) -> Node.ID {
    nodes.append(
      Node(name: name, operation: operation, inputs: operands.isEmpty ? [Node.ID(nodes.count - 1)] : operands))
    return Node.ID(nodes.count - 1)
  }

  /// Adds a list of integers.
  package mutating func integers(_ name: String, _ values: [Int]) -> Node.ID {
    integers(name, IntegerTensor(values))
  }

  /// Adds a tensor of integers.
  package mutating func integers(_ name: String, _ values: IntegerTensor) -> Node.ID {
    nodes.append(Node(name: name, operation: .integers(values), inputs: []))
    return Node.ID(nodes.count - 1)
  }

  /// The number of nodes.
  package var count: Int { nodes.count }

  /// Adds a tensor that does not depend on the input.
  package mutating func constant(_ name: String, _ value: Tensor) -> Node.ID {
    nodes.append(Node(name: name, operation: .constant(value), inputs: []))
    return Node.ID(nodes.count - 1)
  }

  /// The graph. Its output is the node with a name, by default the last node.
  package func graph(output: String? = nil) throws -> Graph {
    let last = output.flatMap { name in nodes.firstIndex { $0.name == name } } ?? nodes.count - 1
    return try Graph(name: "test", nodes: nodes, output: Node.ID(last))
  }

  /// The network of the graph.
  package func network(output: String? = nil) throws -> NeuralNetwork { try NeuralNetwork(graph(output: output)) }
}

extension RelevanceKit.Operator where Self == Convolution {
  /// A convolution with seeded weights in −1…1 and, optionally, biases.
  package static func seededConvolution(
    inputs: Int, outputs: Int, kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, padding: Padding? = nil,
    groups: Int = 1, bias: Bool = true, seed: UInt64
  ) throws -> Convolution {
    let weight = Seeded.tensor(TensorShape([outputs, inputs / groups] + kernel), seed: seed)
    let window = try Window(kernel: kernel, strides: strides, dilations: dilations, padding: padding)
    let biases = bias ? Seeded.tensor([outputs], seed: seed + 1000) : nil
    return Convolution(weight: weight, bias: biases, window: window, groups: groups)
  }
}

extension RelevanceKit.Operator where Self == Linear {
  /// A fully connected layer with seeded weights in −1…1 and, optionally, biases.
  package static func seededLinear(inputs: Int, outputs: Int, bias: Bool = true, seed: UInt64) -> Linear {
    Linear(
      weight: Seeded.tensor([outputs, inputs], seed: seed),
      bias: bias ? Seeded.tensor([outputs], seed: seed + 1000) : nil)
  }
}
