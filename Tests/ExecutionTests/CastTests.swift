import RelevanceKit
import RelevanceTestSupport
import Testing

/// Casts and arithmetic of integers.
@Suite struct CastTests {
  /// Computed in a run or as constants, against ONNX Runtime, to the bit.
  @Test(arguments: [1, 2]) func chainsMatchONNXRuntime(threads: Int) throws {
    let pack = try PackedCases("casts")
    #expect(pack.cases.count == 38)
    for test in pack.cases { #expect(try pack.outcome(of: test, threads: threads) == .passes, "\(test)") }
  }

  /// The output of a network with one input for given values.
  private func values(_ x: [Float], _ build: (inout GraphBuilder) -> Void) throws -> [Float] {
    var builder = GraphBuilder(item: [x.count])
    build(&builder)
    let network = try builder.network()
    return try Executor(network).trace(Tensor(shape: [1, x.count], elements: x))
      .value(of: network.graph.output).elements
  }

  /// (x + 64) as an integer, minus 64, against ONNX Runtime's values.
  @Test func castsRoundTowardZero() throws {
    let found = try values([0.3, 1.7, -0.4, -1.6]) {
      let offset = $0.constant("offset", Tensor(shape: [1], elements: [64]))
      let sum = $0.add("sum", .add, $0.input, offset)
      let real = $0.add("real", .cast(.real), $0.add("integer", .cast(.integer(.int32)), sum))
      $0.add("difference", .subtract, real, offset)
    }
    #expect(found == [0, 1, -1, -2])
  }

  /// NaN and infinities, as in ONNX Runtime 1.32 on x86-64: ln(−1), ln 0, 1/0.
  @Test(
    arguments: [
      (ElementKind.integer(.int8), [0, 0, 0]), (.integer(.uint16), [0, 0, 0]),
      (.integer(.int32), [-0x1p31, -0x1p31, -0x1p31]), (.integer(.uint32), [0, 0, 0]),
      (.integer(.int64), [-0x1p63, -0x1p63, -0x1p63]), (.integer(.uint64), [0x1p63, 0x1p63, 0]),
      (.truth, [1, 1, 1]),
    ] as [(ElementKind, [Float])])
  func castsOfWhatIsNotFinite(kind: ElementKind, expected: [Float]) throws {
    let found = try values([-1, 0, 0]) {
      let logarithm = $0.add("logarithm", .log, $0.input)
      let inverse = $0.add("inverse", .reciprocal, $0.input)
      let first = $0.add("first", .slice(Slice(starts: [0], ends: [2], axes: [1])), logarithm)
      let last = $0.add("last", .slice(Slice(starts: [2], ends: [3], axes: [1])), inverse)
      $0.add("cast", .cast(kind), $0.add("all", .concat(axis: 1), first, last))
    }
    #expect(found == expected)
  }

  /// Integers beyond 2²⁴ are rounded to the nearest single-precision number; the largest value of a type stays within
  /// the type.
  @Test func largeIntegersAreRounded() throws {
    let found = try values([16_777_216, 2_147_483_520]) {
      let one = $0.add("one", .integers(IntegerTensor(shape: [1], elements: [1], kind: .integer(.int32))))
      let sum = $0.add("sum", .add, $0.add("integer", .cast(.integer(.int32)), $0.input), one)
      $0.add("difference", .subtract, sum, one)
    }
    #expect(found == [16_777_215, 2_147_483_520])
    let largest = try values([1]) {
      let most = $0.add("most", .integers(IntegerTensor(shape: [1], elements: [2_147_483_647], kind: .integer(.int32))))
      let zero = $0.add("zero", .subtract, $0.input, $0.input)
      $0.add("sum", .add, $0.add("integer", .cast(.integer(.int32)), zero), most)
    }
    #expect(largest == [0x1p31])
  }

  /// The result is that of NumPy; ONNX Runtime crashes.
  @Test func quotientsByZeroAreZero() throws {
    let found = try values([7, -7, 0]) {
      let integer = $0.add("integer", .cast(.integer(.int32)), $0.input)
      let zero = $0.add("zero", .integers(IntegerTensor(shape: [1], elements: [0], kind: .integer(.int32))))
      $0.add("quotient", .divide, integer, zero)
    }
    #expect(found == [0, 0, 0])
  }

  /// A network that uses bytes unchanged, and one that computes with them: 255 + 2 is 1.
  @Test func integerInputsAreUnchanged() throws {
    let shape = SymbolicShape([.fixed(1), .fixed(3)])
    let two = IntegerTensor(shape: [1], elements: [2], kind: .integer(.uint8))
    let nodes = [
      Node(name: "x", operation: .input(shape, of: .integer(.uint8)), inputs: []),
      Node(name: "two", operation: .integers(two), inputs: []),
      Node(name: "real", operation: .cast(.real), inputs: [Node.ID(0)]),
      Node(name: "sum", operation: .add, inputs: [Node.ID(0), Node.ID(1)]),
      Node(name: "wide", operation: .cast(.integer(.int32)), inputs: [Node.ID(3)]),
      Node(name: "all", operation: .concat(axis: 1), inputs: [Node.ID(2), Node.ID(4)]),
    ]
    let graph = try Graph(name: "bytes", nodes: nodes, output: Node.ID(5))
    #expect(
      graph.partlyInferred(forInput: [1, 3]).map(\.?.kind) == [
        .integer(.uint8), .integer(.uint8), .real, .integer(.uint8), .integer(.int32), .real,
      ])
    let network = try NeuralNetwork(graph)
    let trace = try Executor(network).trace(Tensor(shape: [1, 3], elements: [0, 254, 255]))
    #expect(trace.value(of: network.graph.output).elements == [0, 254, 255, 2, 0, 1])
  }

  /// A cast to real numbers shares the memory of its operand.
  @Test func castsToRealNumbersCostNothing() throws {
    var builder = GraphBuilder(item: [4])
    builder.add("relu", .relu)
    builder.add("real", .cast(.real))
    builder.add("again", .cast(.real))
    let network = try builder.network()
    let memory = try Executor(network).plan([1, 4]).memory
    #expect(memory == 16)
    #expect(network.graph.nodes.dropFirst(2).allSatisfy { $0.operation.keepsElements })
  }
}
