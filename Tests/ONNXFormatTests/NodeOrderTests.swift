import RelevanceExecution
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import RelevanceTensors
import Testing

/// Nodes in any order, and in a cycle.
@Suite struct NodeOrderTests {
  /// Shuffled random graphs compute the same as a recursion over their nodes, for one number.
  @Test(arguments: 0..<40) func anyOrderComputesTheSame(seed: Int) throws {
    var random = SplitMix64(state: UInt64(seed))
    var nodes: [WireNode] = []
    for index in 0..<(2 + random.nextIndex(below: 30)) {
      func operand() -> String {
        index == 0 || random.nextIndex(below: 4) == 0 ? "x" : "v\(random.nextIndex(below: index))"
      }
      let op = ["Neg", "Relu", "Add", "Sub", "Max"][random.nextIndex(below: 5)]
      nodes.append(
        WireNode(
          op: op, inputs: (0..<(["Neg", "Relu"].contains(op) ? 1 : 2)).map { _ in operand() }, outputs: ["v\(index)"]))
    }
    nodes.append(WireNode(op: "Add", inputs: ["x", "v\(nodes.count - 1)"], outputs: ["y"]))
    let sorted = try ONNXFile(WireModel(nodes: nodes, inputs: [("x", [1, 1])]).bytes).graph
    // Sorted nodes keep their order.
    let needed = Set(sorted.nodes.map(\.name))
    #expect(sorted.nodes.map(\.name) == ["x"] + nodes.map { $0.outputs[0] }.filter(needed.contains))
    let makers = Dictionary(uniqueKeysWithValues: nodes.map { ($0.outputs[0], $0) })
    for _ in 0..<3 {
      let model = WireModel(nodes: nodes.shuffled(using: &random), inputs: [("x", [1, 1])])
      let network = try NeuralNetwork(onnx: model.bytes)
      for x: Float in [-1.5, 2] {
        let found = try Executor(network, threads: 1).logits(Tensor(shape: [1, 1], elements: [x]))
        #expect(found.elements == [Self.value(of: "y", makers, x)], "seed \(seed)")
      }
    }
  }

  private static func value(of name: String, _ makers: [String: WireNode], _ x: Float) -> Float {
    guard let node = makers[name] else { return x }
    let operands = node.inputs.map { value(of: $0, makers, x) }
    switch node.op {
    case "Neg": return -operands[0]
    case "Relu": return max(operands[0], 0)
    case "Add": return operands[0] + operands[1]
    case "Sub": return operands[0] - operands[1]
    default: return max(operands[0], operands[1])
    }
  }

  /// One backward edge creates a cycle. All named nodes are on it.
  @Test(arguments: 1..<12) func cyclesAreReported(length: Int) throws {
    var random = SplitMix64(state: UInt64(length))
    var nodes = (0..<20).map { WireNode(op: "Relu", inputs: [$0 == 0 ? "x" : "v\($0 - 1)"], outputs: ["v\($0)"]) }
    nodes[5] = WireNode(op: "Add", inputs: ["v4", "v\(4 + length)"], outputs: ["v5"])
    let model = WireModel(nodes: nodes.shuffled(using: &random), outputs: ["v19"])
    let error = #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
    let sentence = try #require(error?.description)
    let start = "model: expected a graph without cycles; found a cycle of nodes: "
    try #require(sentence.hasPrefix(start))
    let list = sentence.dropFirst(start.count).split(separator: " and ")
    let named = list[0].split(separator: ", ").map { String($0.split(separator: " ")[0]) }
    #expect(named.allSatisfy { Set((5..<5 + length).map { "v\($0)" }).contains($0) }, "\(sentence)")
    #expect(named.count == min(length, 5))
    #expect(list.dropFirst().first.map(String.init) == (length > 5 ? "\(length - 5) more" : nil))
  }

  @Test func unusedCyclesAreIgnored() throws {
    var model = WireModel.oneNode("Relu")
    model.nodes.append(WireNode(op: "Add", inputs: ["y", "b"], outputs: ["b"]))
    #expect(try ONNXFile(model.bytes).graph.nodes.map(\.name) == ["x", "it"])
  }
}
