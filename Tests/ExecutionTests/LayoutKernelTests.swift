import RelevanceKit
import RelevanceTestSupport
import Testing

/// Operators that only move values: the adjoint reverses the forward pass.
@Suite struct LayoutKernelTests {
  @Test(
    arguments: [
      (Transpose(order: [0, 2, 3, 1]), 3), (.transpose(order: [0, 1, 3, 2]), 2),
      (.transpose(order: [2, 0, 3, 1]), 1), (.transpose(order: nil), 1), (.flatten(axis: 1), 3),
      (.reshape(extents: [0, -1, 2], allowZero: false), 3),
    ] as [(any RelevanceKit.Operator, Int)])
  func theAdjointMovesBack(operation: any RelevanceKit.Operator, seeds: Int) throws {
    // A single item where the batch axis moves, because several items cannot be distinguished then.
    let moves = seeds == 1
    let item: TensorShape = [moves ? 1 : 2, 3, 4, 5]
    var builder = GraphBuilder(item: [3, 4, 5])
    let id = builder.add("move", operation)
    let trace = try Executor(try builder.network(), threads: 2).trace(Tensor(shape: item))
    let kernel = try #require(trace.kernel(of: id) as? any LinearKernel)
    let numbers = Tensor(shape: item.withBatch(item[0] * seeds), elements: (0..<item.count * seeds).map(Float.init))
    // The forward pass with all seeds as a batch.
    let batch = try Executor(try builder.network(), threads: 1).trace(numbers).value(of: id)
    let back = Guarded.tensor(numbers.shape) { c in
      batch.withUnsafeElements { kernel.adjoint($0.baseAddress!, seeds: seeds, [c], on: trace.workers) }
    }
    #expect(back == numbers)
  }

  /// Three operands of different extents, along each axis that allows several seeds; the second operand receives no
  /// relevance.
  @Test(arguments: [1, 2, -1], [1, 3])
  func concatenationIsSplit(axis: Int, seeds: Int) throws {
    let position = axis < 0 ? axis + 4 : axis
    let extents = (0..<3).map { operand in (0..<4).map { $0 == position ? operand + 2 : [2, 3, 4, 5][$0] } }
    // Constants alone would be concatenated before the run, so each is added to the input, which is zero.
    var builder = GraphBuilder(item: [1])
    let operands = extents.enumerated().map { index, extents in
      let zero = builder.add("zero\(index)", .reshape(extents: [2, 1, 1, 1], allowZero: false), Node.ID(0))
      let constant = builder.constant("c\(index)", Seeded.tensor(TensorShape(extents), seed: UInt64(index)))
      return builder.add("operand\(index)", .add, zero, constant)
    }
    let id = builder.add("join", .concat(axis: axis), operands[0], operands[1], operands[2])
    let trace = try Executor(try builder.network(), threads: 2).trace(Tensor(shape: [2, 1]))
    let joined = trace.value(of: id)
    for (number, (operand, id)) in zip(extents, operands).enumerated() {
      // Each operand is in its part of the result.
      let value = trace.value(of: id)
      let start = extents.prefix(number).reduce(0) { $0 + $1[position] }
      for i in 0..<value.count {
        var index = value.shape.strides.indices.map { i / value.shape.strides[$0] % operand[$0] }
        index[position] += start
        let at = zip(index, joined.shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(joined.elements[at] == value.elements[i])
      }
    }
    let kernel = try #require(trace.kernel(of: id) as? any LinearKernel)
    // Every seed's relevance is the scaled result, so its parts are the scaled operands.
    let perItem = joined.count / 2
    let r = (0..<2 * seeds).flatMap { item in
      joined.elements[item / seeds * perItem..<(item / seeds + 1) * perItem].map { $0 * Float(item + 1) }
    }
    let shapes = extents.map { TensorShape($0).withBatch(2 * seeds) }
    var last: Tensor?
    let first = Guarded.tensor(shapes[0]) { a in
      last = Guarded.tensor(shapes[2]) { c in
        r.withUnsafeBufferPointer { kernel.adjoint($0.baseAddress!, seeds: seeds, [a, nil, c], on: trace.workers) }
      }
    }
    for (found, constant) in [(first, operands[0]), (last!, operands[2])] {
      let value = trace.value(of: constant)
      let count = value.count / 2
      let expected = (0..<2 * seeds).flatMap { item in
        value.elements[item / seeds * count..<(item / seeds + 1) * count].map { $0 * Float(item + 1) }
      }
      #expect(found.elements == expected)
    }
  }
}
