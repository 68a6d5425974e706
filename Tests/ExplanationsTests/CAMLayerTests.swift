import RelevanceKit
import RelevanceTestSupport
import Testing

/// The default layer of Grad-CAM, on networks of every kind. The expected nodes are determined by hand.
@Suite struct CAMLayerTests {
  /// A builder of blocks whose node names are used in the tests.
  private struct Blocks {
    var builder = GraphBuilder(item: [3, 8, 8])
    var last = Node.ID(0)
    var seed: UInt64 = 10

    mutating func add(_ name: String, _ operation: any RelevanceKit.Operator, _ operands: Node.ID...) {
      last =
        operands.count == 2
        ? builder.add(name, operation, operands[0], operands[1]) : builder.add(name, operation, operands.first ?? last)
    }
    mutating func conv(_ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int = 3, groups: Int = 1) throws {
      seed += 1
      let pads = [kernel / 2, kernel / 2]
      add(
        name,
        try .seededConvolution(
          inputs: inputs, outputs: outputs, kernel: [kernel, kernel], padding: .explicit(before: pads, after: pads),
          groups: groups, seed: seed))
    }
    mutating func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
      seed += 1
      add(name, .seededLinear(inputs: inputs, outputs: outputs, seed: seed))
    }
    /// `x · sigmoid(x)` as two nodes.
    mutating func silu(_ name: String) {
      let x = last
      add(name + ".gate", .sigmoid)
      add(name, .multiply, x, last)
    }
    mutating func head(_ inputs: Int) {
      add("gap", .mean(axes: [2, 3], keepsAxes: false))
      linear("fc", inputs, 5)
    }
    func layer() throws -> String {
      let table = RuleTable.gradient()
      return try Explainer(builder.network(), rules: table).trace(Seeded.tensor([2, 3, 8, 8], seed: 1))
        .defaultCAMLayer()
    }
  }

  private func expect(_ layer: String, _ build: (inout Blocks) throws -> Void) throws {
    var blocks = Blocks()
    try build(&blocks)
    #expect(try blocks.layer() == layer)
  }

  @Test func residualBlocks() throws {
    // The node after the sum and its rectifier, not a node of the branch, which is declared last.
    for isRectified in [true, false] {
      try expect(isRectified ? "relu3" : "sum") { net in
        try net.conv("conv1", 3, 4)
        net.add("relu1", .relu)
        let skip = net.last
        try net.conv("conv2", 4, 4)
        net.add("relu2", .relu)
        try net.conv("conv3", 4, 4)
        net.add("sum", .add, net.last, skip)
        if isRectified { net.add("relu3", .relu) }
        net.head(4)
      }
    }
    // A projection beside the branch, declared after it.
    try expect("relu3") { net in
      try net.conv("conv1", 3, 4)
      let stem = net.last
      try net.conv("conv2", 4, 6)
      let branch = net.last
      net.last = stem
      try net.conv("projection", 4, 6, 1)
      net.add("sum", .add, branch, net.last)
      net.add("relu3", .relu)
      net.head(6)
    }
  }

  @Test func activationsThatFanOut() throws {
    try expect("silu2") { net in
      try net.conv("conv1", 3, 4)
      net.silu("silu1")
      try net.conv("conv2", 4, 4)
      net.silu("silu2")
      net.head(4)
    }
    // HardSwish in parts: x · clip(x + 3, 0, 6) / 6.
    try expect("scaled") { net in
      try net.conv("conv1", 3, 4)
      let x = net.last
      net.add("shifted", .add, x, net.builder.constant("3", Tensor(shape: [1], repeating: 3)))
      net.add("clip", .clip(lowest: 0, highest: 6))
      net.add("product", .multiply, x, net.last)
      net.add("scaled", .divide, net.last, net.builder.constant("6", Tensor(shape: [1], repeating: 6)))
      net.head(4)
    }
  }

  /// Squeeze and excitation: the gate has weights after the last map, and no positions.
  @Test func gates() throws {
    try expect("excited") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      let x = net.last
      net.add("squeeze", .mean(axes: [2, 3], keepsAxes: true))
      try net.conv("down", 4, 2, 1)
      net.add("reluDown", .relu)
      try net.conv("up", 2, 4, 1)
      net.add("gate", .sigmoid)
      net.add("excited", .multiply, x, net.last)
      net.head(4)
    }
  }

  /// ConvNeXt: the branch has channels last, and the sum has channels as the second axis.
  @Test func channelsLastInsideOfBlocks() throws {
    for hasLastNorm in [false, true] {
      try expect(hasLastNorm ? "back2" : "sum") { net in
        try net.conv("patches", 3, 4, 1)
        let skip = net.last
        try net.conv("depthwise", 4, 4, 3, groups: 4)
        net.add("last", .transpose(order: [0, 2, 3, 1]))
        let norm = LayerNormalization(axis: -1, scale: Tensor(shape: [4], repeating: 1), shift: nil, epsilon: 1e-6)
        net.add("norm", .layerNormalization(norm))
        net.linear("wide", 4, 8)
        net.add("gelu", .gelu(approximate: false))
        net.linear("narrow", 8, 4)
        net.add("back", .transpose(order: [0, 3, 1, 2]))
        net.add("sum", .add, net.last, skip)
        if hasLastNorm {
          net.add("last2", .transpose(order: [0, 2, 3, 1]))
          net.add("norm2", .layerNormalization(norm))
          net.add("back2", .transpose(order: [0, 3, 1, 2]))
        }
        net.head(4)
      }
    }
    // Means over the positions of a map with channels last.
    try expect("softplus") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      net.add("last", .transpose(order: [0, 2, 3, 1]))
      net.add("softplus", .softplus)
      net.add("gap", .mean(axes: [1, 2], keepsAxes: false))
      net.linear("fc", 4, 5)
    }
  }

  /// A layer with channels last can be named.
  @Test func channelsLastAreTheSameMap() throws {
    var net = Blocks()
    try net.conv("conv1", 3, 4)
    net.add("relu1", .relu)
    net.add("last", .transpose(order: [0, 2, 3, 1]))
    net.add("gelu", .gelu(approximate: false))
    net.add("gap", .mean(axes: [1, 2], keepsAxes: false))
    net.linear("fc", 4, 5)
    let trace = try Explainer(net.builder.network(), rules: .gradient()).trace(Seeded.tensor([2, 3, 8, 8], seed: 1))
    let first = try GradCAM(layer: "relu1").layerMaps(of: [.class(2)], in: trace)[0]
    let last = try GradCAM(layer: "last").layerMaps(of: [.class(2)], in: trace)[0]
    #expect(first.largestMagnitude() > 0 && last.relativeDistance(from: first) <= Tolerance.sameMap)
  }

  /// Inception and ShuffleNet: concatenated branches, and channels that are shuffled through a fifth axis.
  @Test func joins() throws {
    try expect("join") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      let stem = net.last
      try net.conv("a", 4, 3, 1)
      net.add("reluA", .relu)
      let a = net.last
      net.last = stem
      try net.conv("b", 4, 3)
      net.add("reluB", .relu)
      net.add("join", .concat(axis: 1), a, net.last)
      net.head(6)
    }
    try expect("relu2") { net in
      try net.conv("conv1", 3, 4)
      net.add("split", .reshape(extents: [0, 2, 2, 8, 8], allowZero: false))
      net.add("swapped", .transpose(order: [0, 2, 1, 3, 4]))
      net.add("shuffled", .reshape(extents: [0, 4, 8, 8], allowZero: false))
      try net.conv("conv2", 4, 4)
      net.add("relu2", .relu)
      net.head(4)
    }
    // A final shuffle is selected at the convolution that reads it.
    try expect("shuffled") { net in
      try net.conv("conv1", 3, 4)
      net.add("split", .reshape(extents: [0, 2, 2, 8, 8], allowZero: false))
      net.add("swapped", .transpose(order: [0, 2, 1, 3, 4]))
      net.add("shuffled", .reshape(extents: [0, 4, 8, 8], allowZero: false))
      try net.conv("classes", 4, 5, 1)
      net.add("gap", .mean(axes: [2, 3], keepsAxes: false))
    }
  }

  /// Heads of all kinds: a final pooling only reduces the positions, and the input of a final convolution is selected.
  @Test func heads() throws {
    try expect("relu1") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      net.add("pool", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])))
      net.add("flat", .flatten(axis: 1))
      net.linear("fc1", 64, 6)
      net.add("relu2", .relu)
      net.linear("fc2", 6, 5)
    }
    // SqueezeNet.
    for isRectified in [true, false] {
      try expect("relu1") { net in
        try net.conv("conv1", 3, 4)
        net.add("relu1", .relu)
        try net.conv("classes", 4, 5, 1)
        if isRectified { net.add("reluClasses", .relu) }
        net.add("gap", .mean(axes: [2, 3], keepsAxes: true))
        net.add("flat", .flatten(axis: 1))
      }
    }
    // A fully connected layer that is expressed as a convolution over one position or over all positions.
    try expect("relu1") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      net.add("gap", .mean(axes: [2, 3], keepsAxes: true))
      try net.conv("fc", 4, 5, 1)
      net.add("flat", .flatten(axis: 1))
    }
    // A network with a single convolution.
    try expect("relu1") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      net.add("gap", .mean(axes: [2, 3], keepsAxes: false))
    }
    // Two maximal branches that join after the means.
    try expect("relu1") { net in
      try net.conv("conv1", 3, 4)
      net.add("relu1", .relu)
      let map = net.last
      net.add("mean", .mean(axes: [2, 3], keepsAxes: false))
      let mean = net.last
      net.add("largest", .reduce(Reduction(.maximum, axes: [2, 3], keepsAxes: false)), map)
      net.add("both", .concat(axis: 1), mean, net.last)
      net.linear("fc", 8, 5)
    }
  }

  /// The networks of torchvision.
  @Test(arguments: [("resnet18-kept", "/layer4/layer4.1/relu_1/Relu"), ("googlenet-dynamo", "node_cat_8")])
  func torchvision(name: String, layer: String) throws {
    let network = try SeededNetwork.load(name)
    let x = Tensor(shape: network.exampleInputShape(side: 96), repeating: 0.1)
    let trace = try Explainer(network, rules: .gradient()).trace(x)
    #expect(try trace.defaultCAMLayer() == layer)
  }

  /// SiLU as two nodes: the map equals that of PyTorch at the activation's output.
  @Test func mapAfterSiLU() throws {
    let network = try RectifierTests.network(averages: true) { builder, x, name in
      builder.add(name, .multiply, x, builder.add(name + ".gate", .sigmoid, x))
    }
    let trace = try RectifierTests.trace(network)
    try RectifierTests.expectLogits(trace, "silu")
    #expect(try trace.defaultCAMLayer() == "act2")
    let expected = try Fixtures.tensor("cases/activations/silu.grad-cam.npy")
    #expect(try GradCAM().layerMaps(of: [.class(1)], in: trace)[0].relativeDistance(from: expected) <= 1e-5)
  }
}
