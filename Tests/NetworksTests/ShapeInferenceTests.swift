import RelevanceKit
import RelevanceTestSupport
import Testing

/// The shape of every node's output, as ONNX defines it.
@Suite struct ShapeInferenceTests {
  private static func shape(_ operation: any RelevanceKit.Operator, of inputs: [Int]...) throws -> [Int] {
    var builder = GraphBuilder(item: [1])
    let operands = inputs.enumerated().map { builder.constant("operand\($0)", Tensor(shape: TensorShape($1))) }
    let node = Node(name: "node", operation: operation, inputs: operands)
    let graph = try Graph(
      name: "test", nodes: try builder.graph().nodes + [node], output: Node.ID(operands.count + 1))
    return try graph.shapes(forInput: [1, 1])[operands.count + 1].dimensions
  }

  private static func sentence(_ operation: any RelevanceKit.Operator, of inputs: [Int]...) -> String {
    do {
      let shape =
        switch inputs.count {
        case 1: try shape(operation, of: inputs[0])
        case 2: try shape(operation, of: inputs[0], inputs[1])
        default: try shape(operation, of: inputs[0], inputs[1], inputs[2])
        }
      return "no error: \(shape)"
    } catch let error as GraphError {
      #expect(error.category == .badData)
      return error.description
    } catch { return "another error: \(error)" }
  }

  /// Windows along one axis of 10 elements: kernel, stride, dilation, pads, ceil, and the number of outputs.
  @Test(arguments: [
    (3, 1, 1, 0, 0, false, 8), (3, 2, 1, 0, 0, false, 4), (3, 2, 1, 0, 0, true, 5), (3, 2, 1, 1, 1, false, 5),
    (3, 2, 1, 1, 1, true, 6), (3, 3, 1, 0, 0, false, 3), (3, 3, 1, 0, 0, true, 4), (2, 2, 1, 0, 0, true, 5),
    (3, 1, 2, 0, 0, false, 6), (3, 2, 3, 0, 0, false, 2), (3, 2, 3, 0, 0, true, 3), (10, 1, 1, 0, 0, false, 1),
    (10, 7, 1, 0, 0, true, 1), (1, 4, 1, 0, 0, false, 3), (5, 1, 1, 2, 1, false, 9), (3, 1, 1, -1, -2, false, 5),
    // A last window would start in the padding after the input, so there is none.
    (2, 3, 1, 1, 1, true, 4), (1, 5, 1, 0, 4, true, 3), (2, 3, 1, 0, 3, true, 4),
  ])
  func windows(kernel: Int, stride: Int, dilation: Int, before: Int, after: Int, ceil: Bool, outputs: Int) throws {
    let window = try Window(
      kernel: [2, kernel], strides: [1, stride], dilations: [1, dilation],
      padding: .explicit(before: [0, before], after: [0, after]), ceilMode: ceil)
    #expect(try Self.shape(.maxPool(window), of: [2, 3, 5, 10]) == [2, 3, 4, outputs])
    let average = AveragePool(window: window, countsPadding: true)
    #expect(try Self.shape(.averagePool(average), of: [2, 3, 5, 10]) == [2, 3, 4, outputs])
    #expect(NaivePooling(window, extents: [5, 10]).outputExtents == [4, outputs])
    guard !ceil else { return }
    let weight = Tensor(shape: [7, 3, 2, kernel])
    let convolution = Convolution(weight: weight, bias: nil, window: window, groups: 1)
    #expect(try Self.shape(.convolution(convolution), of: [2, 3, 5, 10]) == [2, 7, 4, outputs])
  }

  /// The number of outputs is ⌈input / stride⌉. Also checks the placement of the padding.
  @Test(arguments: [
    (3, 1, 1, 10, [1, 1]), (3, 2, 1, 5, [0, 1]), (2, 1, 1, 10, [0, 1]), (2, 2, 1, 5, [0, 0]), (4, 3, 1, 4, [1, 2]),
    (3, 1, 2, 10, [2, 2]), (1, 3, 1, 4, [0, 0]),
  ])
  func automaticPadding(kernel: Int, stride: Int, dilation: Int, outputs: Int, before: [Int]) throws {
    for (padding, leading) in [(Padding.sameUpper, before[0]), (.sameLower, before[1])] {
      let window = try Window(kernel: [kernel], strides: [stride], dilations: [dilation], padding: padding)
      let placement = try window.placement(over: [10])
      #expect(placement.outputs == [outputs] && placement.before == [leading], "\(padding)")
    }
  }

  @Test func weightsAndMeans() throws {
    let groups = try Convolution.seededConvolution(inputs: 4, outputs: 6, kernel: [3, 1], groups: 2, seed: 1)
    #expect(try Self.shape(groups, of: [5, 4, 8, 7]) == [5, 6, 6, 7])
    let sequence = try Convolution.seededConvolution(inputs: 4, outputs: 6, kernel: [3], seed: 1)
    #expect(try Self.shape(sequence, of: [5, 4, 8]) == [5, 6, 6])
    let linear = Linear.seededLinear(inputs: 4, outputs: 6, seed: 1)
    #expect(try Self.shape(linear, of: [5, 4]) == [5, 6])
    #expect(try Self.shape(linear, of: [5, 3, 4]) == [5, 3, 6])
    #expect(try Self.shape(.mean(axes: [2, 3], keepsAxes: true), of: [5, 4, 8, 7]) == [5, 4, 1, 1])
    #expect(try Self.shape(.mean(axes: [-1, 1], keepsAxes: false), of: [5, 4, 8, 7]) == [5, 8])
  }

  @Test(
    arguments: [
      (.relu, [2, 3, 4], [2, 3, 4]), (.dropout, [2], [2]), (.identity, [], []),
      (.softmax(Softmax(axis: -1, joinsTrailingAxes: false)), [2, 3], [2, 3]),
      (.flatten(axis: 1), [2, 3, 4], [2, 12]),
      (.flatten(axis: 0), [2, 3, 4], [1, 24]), (.flatten(axis: 3), [2, 3, 4], [24, 1]),
      (.flatten(axis: -1), [2, 3, 4], [6, 4]),
      (.reshape(extents: [0, -1], allowZero: false), [2, 3, 4], [2, 12]),
      (.reshape(extents: [-1, 6], allowZero: false), [2, 3, 4], [4, 6]),
      (.reshape(extents: [0, 0, 2, 2], allowZero: false), [2, 3, 4], [2, 3, 2, 2]),
      (.reshape(extents: [0, 5], allowZero: true), [0, 3], [0, 5]),
      (.reshape(extents: [], allowZero: false), [1, 1], []),
      (.transpose(order: [2, 0, 1]), [2, 3, 4], [4, 2, 3]), (.transpose(order: nil), [2, 3, 4], [4, 3, 2]),
      (.squeeze(axes: nil), [1, 3, 1], [3]), (.squeeze(axes: [-1]), [1, 3, 1], [1, 3]),
      (.unsqueeze(axes: [0, -1]), [3, 4], [1, 3, 4, 1]), (.unsqueeze(axes: [1, 2]), [3], [3, 1, 1]),
    ] as [(any RelevanceKit.Operator, [Int], [Int])])
  func rearrangements(operation: any RelevanceKit.Operator, input: [Int], output: [Int]) throws {
    #expect(try Self.shape(operation, of: input) == output)
  }

  @Test func joinsAndSums() throws {
    #expect(try Self.shape(.concat(axis: 1), of: [2, 3, 4], [2, 1, 4], [2, 5, 4]) == [2, 9, 4])
    #expect(try Self.shape(.concat(axis: -1), of: [2, 3], [2, 4]) == [2, 7])
    #expect(try Self.shape(.add, of: [2, 3, 4], [3, 1]) == [2, 3, 4])
    #expect(try Self.shape(.multiply, of: [1], [2, 3]) == [2, 3])
  }

  /// Operands that an operator cannot take: one line that names the node, the expectation and the finding.
  @Test func misfits() throws {
    let window = try Window(kernel: [3, 3], padding: .explicit(before: [0, 0], after: [0, 0]))
    let convolution = try Convolution.seededConvolution(
      inputs: 4, outputs: 6, kernel: [3, 3], groups: 2, seed: 1)
    let linear = Linear.seededLinear(inputs: 4, outputs: 6, seed: 1)
    let other = Convolution(weight: Tensor(shape: [6, 4, 5, 5]), bias: nil, window: window, groups: 1)
    let biases = Convolution(
      weight: Tensor(shape: [6, 4, 3, 3]), bias: Tensor(shape: [5]), window: window, groups: 1)
    let statistics = BatchNormalization(
      gamma: Tensor(shape: [3]), beta: Tensor(shape: [3]), mean: Tensor(shape: [3]), variance: Tensor(shape: [3]),
      epsilon: 1)
    for (found, expected) in [
      (
        Self.sentence(convolution, of: [1, 3, 8, 8]),
        "(Conv): weight 6×2×3×3 with group 2 expects 4 channels, found shape 1×3×8×8"
      ),
      (
        Self.sentence(convolution, of: [1, 4, 8]),
        "(Conv): expected 4 axes (batch × channels × space), found shape 1×4×8"
      ),
      (
        Self.sentence(convolution, of: [1, 4, 2, 8]),
        "(Conv): the window covers 3 elements of spatial axis 0, but the input has 2"
      ),
      (
        Self.sentence(.convolution(other), of: [1, 4, 8, 8]),
        "(Conv): the weight's shape 6×4×5×5 does not match kernel_shape [3, 3]"
      ),
      (Self.sentence(.convolution(biases), of: [1, 4, 8, 8]), "(Conv): expected 6 biases, found 5"),
      (Self.sentence(linear, of: [2, 5]), "(Gemm): expected 4 inputs along the last axis, found shape 2×5"),
      (
        Self.sentence(.linear(Linear(weight: Tensor(shape: [6, 4]), bias: Tensor(shape: [4]))), of: [2, 4]),
        "(Gemm): expected 6 biases, found 4"
      ),
      (
        Self.sentence(.maxPool(window), of: [1, 4, 8]),
        "(MaxPool): expected 4 axes (batch × channels × space), found shape 1×4×8"
      ),
      (
        Self.sentence(.maxPool(window), of: [1, 4, 8, 1]),
        "(MaxPool): the window covers 3 elements of spatial axis 1, but the input has 1"
      ),
      (
        Self.sentence(.mean(axes: [4], keepsAxes: true), of: [1, 2, 3]),
        "(ReduceMean): axis 4 is outside a tensor of 3 axes"
      ),
      (
        Self.sentence(.mean(axes: [1], keepsAxes: true), of: [1, 0, 3]),
        "(ReduceMean): the mean along [1] of shape 1×0×3 has no elements"
      ),
      (
        Self.sentence(.batchNormalization(statistics), of: [1, 4, 2]),
        "(BatchNormalization): expected 3 channels, found shape 1×4×2"
      ),
      (Self.sentence(.add, of: [2, 3], [2, 4]), "(Add): shapes 2×3 and 2×4 do not broadcast"),
      (Self.sentence(.multiply, of: [2, 3]), "(Mul): expected 2 operands, found 1"),
      (Self.sentence(.relu, of: [2], [2]), "(Relu): expected 1 operand, found 2"),
      (Self.sentence(.concat(axis: 1), of: [2, 3], [3, 3]), "(Concat): shapes 2×3 and 3×3 do not join along axis 1"),
      (Self.sentence(.concat(axis: 2), of: [2, 3], [2, 3]), "(Concat): axis 2 is outside a tensor of 2 axes"),
      (Self.sentence(.flatten(axis: 3), of: [2, 3]), "(Flatten): axis 3 is outside shape 2×3"),
      (
        Self.sentence(.reshape(extents: [4, -1], allowZero: false), of: [2, 3]),
        "(Reshape): 2×3 does not reshape to [4, -1]"
      ),
      (
        Self.sentence(.reshape(extents: [-1, -1], allowZero: false), of: [2, 3]),
        "(Reshape): shape [-1, -1] has more than one extent to infer, or a negative one"
      ),
      (
        Self.sentence(.reshape(extents: [1, 1, 0], allowZero: false), of: [2, 3]),
        "(Reshape): shape [1, 1, 0] copies axis 2, which 2×3 does not have"
      ),
      (
        Self.sentence(.transpose(order: [0, 0]), of: [2, 3]), "(Transpose): perm [0, 0] does not order the axes of 2×3"
      ),
      (Self.sentence(.squeeze(axes: [1]), of: [1, 3]), "(Squeeze): axes [1] of 1×3 are not all 1"),
      (Self.sentence(.unsqueeze(axes: [1, -2]), of: [2]), "(Unsqueeze): axes [1, -2] repeat"),
      (
        Self.sentence(.softmax(Softmax(axis: 2, joinsTrailingAxes: false)), of: [2, 3]),
        "(Softmax): axis 2 is outside a tensor of 2 axes"
      ),
    ] { #expect(found == "node node \(expected)") }
  }

  @Test func inputsMustFitTheDeclaration() throws {
    let declared = SymbolicShape([.symbolic("n"), .fixed(3), .symbolic(""), .fixed(8)])
    let graph = try Graph(
      name: "test", nodes: [Node(name: "image", operation: .input(declared), inputs: [])], output: Node.ID(0))
    #expect(try graph.shapes(forInput: [5, 3, 7, 8]) == [[5, 3, 7, 8]])
    for shape in [[5, 4, 7, 8], [5, 3, 7], [5, 3, 7, 8, 1], [0, 3, 7, 8]] as [TensorShape] {
      let error = #expect(throws: GraphError.self) { try graph.shapes(forInput: shape) }
      #expect(error?.description == "input image: expected shape n×3×?×8, found \(shape)")
    }
  }

  @Test func invalidWindows() {
    for (sentence, make) in [
      (
        "strides is [2]; expected 2 positive numbers, one per spatial axis (two each for pads)",
        { try Window(kernel: [3, 3], strides: [2]) }
      ),
      (
        "kernel_shape is [0]; expected 1 positive numbers, one per spatial axis (two each for pads)",
        { try Window(kernel: [0]) }
      ),
      (
        "dilations is [1, -1]; expected 2 positive numbers, one per spatial axis (two each for pads)",
        { try Window(kernel: [3, 3], dilations: [1, -1]) }
      ),
      (
        "pads is [1, 1]; expected 2 positive numbers, one per spatial axis (two each for pads)",
        { try Window(kernel: [3, 3], padding: .explicit(before: [1], after: [1])) }
      ),
    ] as [(String, () throws -> Window)] {
      let error = #expect(throws: Misfit.self) { try make() }
      #expect(error?.description == sentence)
      #expect(error?.category == .badData)
    }
  }
}
