import RelevanceKit
import RelevanceTestSupport
import Testing

/// Receptive fields of whole networks, compared with published numbers or short calculations.
@Suite struct ReceptiveFieldTests {
  /// Sizes, strides and starts of published architectures: r ← r + (k − 1)·j, j ← j·s, start ← start − p·j.
  @Test(arguments: [
    ("vgg16-dynamo", 13, 196, 16), ("vgg16-torchscript", 13, 196, 16), ("alexnet-dynamo", 5, 163, 16),
    ("resnet18-kept", 20, 435, 32),
  ])
  func publishedSizes(name: String, layer: Int, size: Int, stride: Int) throws {
    let network = try SeededNetwork.load(name)
    let convolutions = network.graph.nodes.filter { $0.kind == .conv }
    let fields = try network.receptiveFields(of: convolutions[layer - 1].name)
    let layout = try #require(fields.layout())
    #expect(layout.size == [size, size] && layout.stride == [stride, stride])
  }

  /// The last pool of an architecture.
  @Test(arguments: [("vgg16-dynamo", 212, 32), ("alexnet-dynamo", 195, 32)])
  func lastPools(name: String, size: Int, stride: Int) throws {
    let network = try SeededNetwork.load(name)
    let pool = try #require(network.graph.nodes.last { $0.kind == .maxPool })
    let layout = try #require(try network.receptiveFields(of: pool.name).layout())
    #expect(layout.size == [size, size] && layout.stride == [stride, stride])
    // VGG16: one row of padding at 2, 2, 3, 3 and 3 convolutions with strides 1, 2, 4, 8 and 16. AlexNet: 2 rows with
    // stride 1, 2 rows with stride 8, and three times one row with stride 16.
    #expect(layout.start == (name == "vgg16-dynamo" ? [-90, -90] : [-66, -66]))
  }

  /// If all fields of a layer are cut, the remaining parts are where the calculation places them.
  @Test func cutFieldsAreInPlace() throws {
    let network = try SeededNetwork.load("vgg16-dynamo")
    let convolution = try #require(network.graph.nodes.last { $0.kind == .conv })
    let fields = try network.receptiveFields(of: convolution.name)
    let layout = try #require(fields.layout())
    #expect(fields.extents == [14, 14])
    for row in 0..<14 {
      for column in 0..<14 {
        let field = try fields.field(at: [row, column])
        let expected = zip([row, column], layout.start).map { position, start in
          max(start + position * 16, 0)..<min(start + position * 16 + 196, 224)
        }
        #expect(field.bounds == expected && field.rows == expected[0] && field.columns == expected[1])
        #expect(field.fillsBounds && field.isCut == (expected.contains { $0.count < 196 }))
      }
    }
  }

  @Test func holesOfDilationAreNotInTheField() throws {
    var builder = GraphBuilder(item: [3, 16, 16])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], dilations: [4, 2], seed: 1))
    builder.add("relu", .relu)
    let field = try builder.network().receptiveField(of: "relu", at: [5, 7])
    #expect(field.bounds == [5..<14, 7..<12] && field.count == 9 && !field.fillsBounds && !field.isCut)
    #expect(field.contains([9, 9]) && !field.contains([8, 9]) && !field.contains([9, 8]) && !field.contains([9]))
    let marked = field.mask.indices.filter { field.mask[$0] }.map { [$0 / 16, $0 % 16] }
    #expect(marked == [5, 9, 13].flatMap { row in [7, 9, 11].map { [row, $0] } })
  }

  /// A dilated kernel beside a long and a wide one: the field is their union, and not its bounding box.
  @Test func branchesAreUnited() throws {
    var builder = GraphBuilder(item: [3, 21, 21])
    func branch(_ name: String, _ kernel: [Int], _ dilation: Int, _ pads: [Int]) throws -> Node.ID {
      builder.add(
        name,
        try .seededConvolution(
          inputs: 3, outputs: 2, kernel: kernel, dilations: [dilation, dilation],
          padding: .explicit(before: pads, after: pads), seed: 4), builder.input)
    }
    let branches = [
      try branch("a", [3, 3], 5, [5, 5]), try branch("b", [7, 1], 1, [3, 0]), try branch("c", [1, 5], 1, [0, 2]),
    ]
    let joined = builder.add("join", .concat(axis: 1), branches[0], branches[1], branches[2])
    builder.add("sum", .add, joined, joined)
    let field = try builder.network().receptiveField(of: "sum", at: [10, 9])
    for row in 0..<21 {
      for column in 0..<21 {
        let (y, x) = (row - 10, column - 9)
        let isIn = [-5, 0, 5].contains(y) && [-5, 0, 5].contains(x) || abs(y) <= 3 && x == 0 || y == 0 && abs(x) <= 2
        #expect(field.contains([row, column]) == isIn, "\(row), \(column)")
      }
    }
    #expect(field.count == 9 + 6 + 4 && field.bounds == [5..<16, 4..<15])
  }

  /// The field of a token of a patch embedding is its patch. After attention it is everything.
  @Test(arguments: ["small_vit-dynamo", "small_vit-torchscript", "small_vit-attention"]) func tokens(name: String)
    throws
  {
    let network = try SeededNetwork.load(name, in: "networks")
    let patches = try #require(network.graph.nodes.first { $0.kind == .conv })
    let side = try network.receptiveFields(of: patches.name)
    let layout = try #require(side.layout())
    #expect(layout.size == layout.stride && layout.start == [0, 0])
    let patch = layout.size[0]
    let normalization = try #require(network.graph.nodes.first { $0.kind == .layerNormalization })
    let tokens = try network.receptiveFields(of: normalization.name)
    let columns = side.extents[1]
    #expect(tokens.extents == [side.extents[0] * columns + 1])
    // The class token is first. It is a constant.
    #expect(try tokens.field(at: [0]).count == 0)
    for token in 1..<tokens.extents[0] {
      let field = try tokens.field(at: [token])
      let (row, column) = ((token - 1) / columns * patch, (token - 1) % columns * patch)
      #expect(field.bounds == [row..<row + patch, column..<column + patch] && field.fillsBounds)
    }
    let last = try #require(network.graph.nodes.last { $0.kind == .layerNormalization })
    #expect(try network.receptiveField(of: last.name, at: [3]).share == 1)
    #expect(try network.receptiveFields(of: last.name).layout() == nil)
  }

  @Test func channelsMayComeLast() throws {
    var builder = GraphBuilder(item: [12, 10, 3])
    builder.add("t", .transpose(order: [0, 3, 1, 2]))
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 2], strides: [2, 1], seed: 1))
    builder.add("back", .transpose(order: [0, 2, 3, 1]))
    builder.add("fc", .seededLinear(inputs: 4, outputs: 5, seed: 2))
    let network = try builder.network()
    for node in ["conv", "back", "fc"] {
      let fields = try network.receptiveFields(of: node)
      #expect(fields.extents == [5, 9], "\(node)")
      let field = try fields.field(at: [3, 8])
      #expect(field.extents == [12, 10] && field.bounds == [6..<9, 8..<10] && field.fillsBounds)
      #expect(fields.layout()?.size == [3, 2] && fields.layout()?.stride == [2, 1])
    }
  }

  @Test func interpolationHasNoConstantStride() throws {
    var builder = GraphBuilder(item: [3, 12, 12])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add(
      "up",
      .resize(
        Resize(scales: [1, 1, 2, 2], sizes: nil, mode: .nearest, coordinates: .asymmetric, rounding: .floor)))
    builder.add("pool", .mean(axes: [2, 3], keepsAxes: true))
    let network = try builder.network()
    #expect(try network.receptiveFields(of: "up").layout() == nil)
    #expect(try network.receptiveField(of: "up", at: [7, 4]).bounds == [3..<6, 2..<5])
    #expect(try network.receptiveField(of: "pool", at: [0, 0]).share == 1)
    #expect(try network.receptiveFields(of: "pool").layout() == nil)
  }

  /// For a network that accepts images of any size.
  @Test func otherShapesHaveOtherFields() throws {
    var builder = GraphBuilder(item: [3, 12, 12])
    for (index, stride) in [2, 1, 2].enumerated() {
      builder.add(
        "conv\(index)",
        try .seededConvolution(
          inputs: index == 0 ? 3 : 4, outputs: 4, kernel: [3, 3], strides: [stride, stride],
          padding: .explicit(before: [1, 1], after: [1, 1]), seed: 1))
    }
    var nodes = try builder.graph().nodes
    let open = SymbolicShape([.symbolic("n"), .fixed(3), .symbolic("h"), .symbolic("w")])
    nodes[0] = Node(name: "x", operation: .input(open), inputs: [])
    let network = try NeuralNetwork(Graph(name: "open", nodes: nodes, output: Node.ID(3)))
    let expected = [11, 4, -5]
    for shape: TensorShape? in [nil, [1, 3, 640, 320], [2, 3, 12, 14]] {
      let fields = try network.receptiveFields(of: "conv2", forInput: shape)
      let extents = shape.map { Array($0.dimensions[2...]) } ?? [224, 224]
      #expect(fields.extents == extents.map { ($0 + 3) / 4 })
      let layout = try #require(fields.layout())
      #expect([layout.size, layout.stride, layout.start] == expected.map { [$0, $0] })
      let field = try fields.field(at: [1, 2])
      #expect(field.extents == extents && field.bounds == [0..<10, 3..<14])
    }
  }

  @Test func missingNodesAndPositionsAreReported() throws {
    var builder = GraphBuilder(item: [3, 8, 8])
    builder.add("conv1", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("flatten", .flatten(axis: 1))
    builder.add("fc", .seededLinear(inputs: 144, outputs: 5, seed: 2))
    let network = try builder.network()
    func sentence(_ node: String, _ position: [Int]) -> String? {
      do { _ = try network.receptiveField(of: node, at: position) } catch { return "\(error)" }
      return nil
    }
    #expect(sentence("conv", [0, 0]) == "conv: the network has no such node; did you mean conv1?")
    let expected = "the node has no such position; expected row,column from 0,0 to 5,5"
    for position in [[6, 0], [0, -1], [1], [1, 1, 1], []] {
      #expect(sentence("conv1", position) == "conv1@\(position.map(String.init).joined(separator: ",")): \(expected)")
    }
    #expect(sentence("fc", [0, 0]) == "fc@0,0: the node's output 1×5 has no positions; expected fc alone")
    #expect(try network.receptiveField(of: "fc", at: []).bounds == [0..<8, 0..<8])
    #expect(throws: (any Error).self) {
      try network.receptiveField(of: "conv1", at: [0, 0], forInput: [1, 3, 9, 8])
    }
  }
}
