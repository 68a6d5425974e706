import RelevanceKit
import RelevanceTestSupport
import Testing

/// Sums and products of two tensors with NumPy's broadcasting.
@Suite struct BroadcastTests {
  @Test(
    arguments: [
      ([2, 3, 4, 5], [2, 3, 4, 5]), ([2, 3, 4, 5], [3, 1, 1]), ([2, 3, 4, 5], [2, 3, 1, 1]), ([2, 3, 4, 5], [5]),
      ([2, 3, 4, 5], [1]), ([2, 3, 4, 5], []), ([2, 3, 1, 1], [2, 3, 4, 5]), ([4, 1], [2, 3, 1, 5]),
    ], [false, true])
  func matchesTheDefinition(extents: ([Int], [Int]), multiplies: Bool) throws {
    let (a, b) = (Seeded.tensor(TensorShape(extents.0), seed: 1), Seeded.tensor(TensorShape(extents.1), seed: 2))
    var builder = GraphBuilder(item: [1])
    let operands = [builder.constant("a", a), builder.constant("b", b)]
    let id = builder.add("y", multiplies ? .multiply : .add, operands[0], operands[1])
    let found = try Executor(try builder.network(), threads: 2).trace(Tensor(shape: [1, 1])).value(
      of: id)
    let rank = max(a.shape.rank, b.shape.rank)
    func padded(_ shape: TensorShape) -> [Int] { [Int](repeating: 1, count: rank - shape.rank) + shape.dimensions }
    let extents = zip(padded(a.shape), padded(b.shape)).map { max($0, $1) }
    #expect(found.shape.dimensions == extents)
    func element(_ x: Tensor, _ index: [Int]) -> Float {
      var at = 0
      for (i, extent) in zip(index, padded(x.shape)) { at = at * extent + (extent == 1 ? 0 : i) }
      return x.elements[at]
    }
    for position in 0..<found.count {
      var (index, rest) = ([Int](), position)
      for extent in extents.reversed() {
        index.insert(rest % extent, at: 0)
        rest /= extent
      }
      let (x, y) = (element(a, index), element(b, index))
      #expect(found.elements[position] == (multiplies ? x * y : x + y))
    }
  }
}
