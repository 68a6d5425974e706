import RelevanceONNXFormat
import RelevanceSupport
import RelevanceTensors
import Testing

/// The error lists all unsupported nodes, and no node that only depends on them.
@Suite struct UnsupportedNodeTests {
  /// Random graphs of 4 to 24 nodes, in the order of computation and shuffled. The expected nodes are recorded during
  /// generation.
  @Test(arguments: 0..<60) func exactlyTheUnsupportedNodesAreListed(seed: Int) throws {
    for round in 0..<5 {
      var random = SplitMix64(state: UInt64(seed * 5 + round))
      var maker = GraphMaker(random: random)
      let model = maker.model(nodes: 4 + random.nextIndex(below: 21))
      for shuffled in [false, true] {
        var model = model
        if shuffled { model.nodes.shuffle(using: &random) }
        #expect(Set(Self.unsupported(in: model)) == Set(maker.expected), "seed \(seed), round \(round)")
      }
    }
  }

  /// The nodes in the importer's error; none if it accepts the model.
  private static func unsupported(in model: WireModel) -> [ONNXError.UnsupportedNode] {
    do {
      _ = try ONNXFile(model.bytes).graph
      return []
    } catch ONNXError.unsupported(_, let nodes) {
      #expect(Set(nodes).count == nodes.count)
      return nodes
    } catch {
      Issue.record(error)
      return []
    }
  }

  @Test func branchesOfUnsupportedConditions() {
    var branch = WireMessage()
    branch.message(1, WireNode(op: "Relu", inputs: ["r"], outputs: ["b"]).message)
    branch.message(1, WireNode(op: "DeformConv", inputs: ["x"], outputs: ["r"], name: "inner").message)
    branch.message(12, WireModel.value("b", nil))
    func names(_ condition: WireNode) -> [String] {
      let choice = WireNode(
        op: "If", inputs: ["c"], outputs: ["a"], name: "if",
        attributes: [("then_branch", .graph(branch)), ("else_branch", .graph(branch))])
      let last = WireNode(op: "Add", inputs: ["a", "x"], outputs: ["y"])
      let shape = WireNode(op: "Shape", inputs: ["x"], outputs: ["s"])
      let truth = WireTensor(name: "true", dims: [1], type: 9, raw: [1])
      return Self.unsupported(in: WireModel(nodes: [last, choice, condition, shape], initializers: [truth])).map(\.name)
    }
    // A selected branch is read, with its nodes in any order. The nodes of an unknown branch are not reported.
    #expect(names(WireNode(op: "Identity", inputs: ["true"], outputs: ["c"])) == ["inner"])
    #expect(names(WireNode(op: "Bernoulli", inputs: ["s"], outputs: ["c"], name: "shift")) == ["shift"])
    #expect(names(WireNode(op: "Multinomial", inputs: ["x"], outputs: ["c"], name: "drawn")) == ["drawn", "if"])
  }
}

/// Generates a random graph and records its unsupported nodes.
private struct GraphMaker {
  var random: SplitMix64
  private(set) var expected: [ONNXError.UnsupportedNode] = []
  private var nodes: [WireNode] = []
  /// Values with the shape of an image, 1×2×4×4: whether they are available, and whether their number of axes is known.
  private var images: [(name: String, isThere: Bool, hasRank: Bool)] = [("x", true, true)]
  /// Values with the shape of an image's shape.
  private var shapes: [(name: String, isThere: Bool)] = []

  init(random: SplitMix64) { self.random = random }

  private static let positions =
    "its indices depend on the image; expected indices that follow from shapes"
  private static let weight = "input W is computed from the image; expected a constant"
  private static let axes = "its input has an unknown number of axes; expected a known number"

  mutating func model(nodes count: Int) -> WireModel {
    _ = add("Shape", ["x"])
    shapes.append(("n0", true))
    while nodes.count < count { addRandom() }
    // All generated nodes count.
    for shape in shapes { add("Reshape", ["x", shape.name]) }
    let all = images.map(\.name) + nodes.suffix(shapes.count).map { $0.outputs[0] }
    nodes.append(WireNode(op: "Sum", inputs: all, outputs: ["y"]))
    return WireModel(
      opset: 17, nodes: nodes,
      initializers: [
        .floats("matrix", [4, 4], [Float](repeating: 1, count: 16)), .floats("kernel", [2, 2, 1, 1], [1, 2, 3, 4]),
        .integers("two", [2]), .integers("ones", [1, 1, 1, 1]),
      ])
  }

  @discardableResult
  private mutating func add(_ op: String, _ inputs: [String], refused: String? = nil, unknown: Bool = false) -> String {
    let name = "n\(nodes.count)"
    let parts = op.split(separator: "/").map(String.init)
    nodes.append(
      WireNode(
        op: parts.last!, inputs: inputs, outputs: [name, "\(name)b"], name: "node \(name)",
        domain: parts.count > 1 ? parts[0] : "",
        attributes: parts.last == "MaxPool" ? [("kernel_shape", .ints([1, 1]))] : []))
    if unknown || refused != nil {
      expected.append(
        .init(parts.joined(separator: "."), name: "node \(name)", reason: refused))
    }
    return name
  }

  private mutating func addRandom() {
    let (a, b) = (images[random.nextIndex(below: images.count)], images[random.nextIndex(below: images.count)])
    let shape = shapes[random.nextIndex(below: shapes.count)]
    let isThere = a.isThere && b.isThere
    switch random.nextIndex(below: 17) {
    case 0: images.append((add("Relu", [a.name]), a.isThere, a.hasRank))
    case 1: images.append((add("Add", [a.name, b.name]), isThere, a.hasRank && b.hasRank))
    case 2: images.append((add("MatMul", [a.name, "matrix"]), a.isThere, a.hasRank))
    case 3: images.append((add("DeformConv", [a.name], unknown: true), false, false))
    case 4: images.append((add("com.microsoft/CropAndResize", [a.name, "kernel"], unknown: true), false, false))
    case 5: images.append((add("MatMul", [a.name, b.name]), isThere, a.hasRank && b.hasRank))
    case 6: images.append((add("Where", [a.name, b.name, b.name]), isThere, a.hasRank && b.hasRank))
    // The shape is not that of an image.
    case 7: add("Gather", ["matrix", a.name])
    case 8:
      // Outputs after the first: those of a supported operator are not available, and those of an unknown operator may
      // be.
      let known = random.nextIndex(below: 2) == 0
      let maker = add(known ? "MaxPool" : "Unique", [a.name], unknown: !known)
      let refused = "only the first output of node \(maker) (MaxPool) is supported"
      images.append((add("Relu", ["\(maker)b"], refused: known ? refused : nil), false, false))
    case 9: shapes.append((add("Shape", [a.name]), a.isThere))
    case 10: shapes.append((add("Bernoulli", [shape.name, "two"], unknown: true), false))
    case 11: shapes.append((add("Mul", [shape.name, "ones"]), shape.isThere))
    case 12:  // The number of axes follows from shapes.
      images.append((add("Reshape", [a.name, shape.name]), a.isThere && shape.isThere, a.isThere && shape.isThere))
    case 13:
      // A kernel that would follow from shapes except for an unsupported node, and one that depends on pixels.
      let live = random.nextIndex(below: 2) == 0
      let kernel = live ? b.name : add("RandomNormalLike", [shape.name], unknown: true)
      images.append((add("Conv", [a.name, kernel], refused: live ? Self.weight : nil), false, false))
    case 14:
      // The number of axes is required. It may be unknown because of another node.
      let refused = a.hasRank || !a.isThere ? nil : Self.axes
      let pooled = add("GlobalAveragePool", [a.name], refused: refused)
      let isThere = a.isThere && refused == nil && shape.isThere
      images.append((add("Expand", [pooled, shape.name]), isThere, isThere))
    case 15: images.append((add("Expand", ["x", a.name], refused: Self.positions), false, false))
    default: images.append((add("Less", [a.name, b.name]), isThere, a.hasRank && b.hasRank))
    }
  }
}
