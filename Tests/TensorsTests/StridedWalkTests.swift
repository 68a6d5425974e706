import RelevanceKit
import RelevanceTestSupport
import Testing

/// Walks with operands that have their own strides, compared with indices that are counted one by one.
@Suite struct StridedWalkTests {
  /// Pairs of operand shapes that broadcast to a third one. Each of 0 to 4 axes has an extent. Each operand has this
  /// extent, has extent 1, or, for leading axes, does not have the axis.
  static let cases: [(a: TensorShape, b: TensorShape, target: TensorShape)] = (0..<400).map { seed in
    func draw(_ below: Int, _ index: Int) -> Int { Int(Seeded.uniform(UInt64(seed), index) * Double(below)) }
    let extents = (0..<draw(5, 0)).map { [1, 2, 3, 5][draw(4, 1 + $0)] }
    func operand(_ first: Int) -> TensorShape {
      let kept = extents.enumerated().map { draw(3, first + $0.offset) == 0 ? 1 : $0.element }
      return TensorShape(Array(kept.dropFirst(draw(kept.count + 1, first + 8))))
    }
    let (a, b) = (operand(10), operand(20))
    return (a, b, TensorShape(extents))
  }

  /// The position of an operand at a position of a shape that it broadcasts to, by its index along each axis.
  private static func place(of position: Int, in target: TensorShape, _ operand: TensorShape) -> Int {
    var rest = position
    var (place, stride) = (0, 1)
    for back in 1...max(target.rank, 1) where back <= target.rank {
      let index = rest % target[-back]
      rest /= target[-back]
      guard back <= operand.rank else { continue }
      place += (operand[-back] == 1 ? 0 : index) * stride
      stride *= operand[-back]
    }
    return place
  }

  @Test(arguments: cases)
  func positionsMatchIndices(a: TensorShape, b: TensorShape, target: TensorShape) {
    let walk = StridedWalk(over: target, broadcasting: a, b)
    #expect(walk.runLength * walk.runCount == target.count)
    var found: [[Int]] = []
    walk.forEachElement { found.append([$0, $1, $2]) }
    #expect(
      found == (0..<target.count).map { [$0, Self.place(of: $0, in: target, a), Self.place(of: $0, in: target, b)] })
  }

  /// Parts of a walk equal the whole walk at the same runs, so that threads can share it.
  @Test(arguments: cases)
  func partsOfAWalk(a: TensorShape, b: TensorShape, target: TensorShape) {
    let walk = StridedWalk(over: target, broadcasting: a, b)
    var (whole, parts): ([[Int]], [[Int]]) = ([], [])
    walk.forEachRun { whole.append([$0, $1, $2]) }
    for first in stride(from: 0, to: walk.runCount, by: 3) {
      walk.forEachRun(in: first..<min(first + 3, walk.runCount)) { parts.append([$0, $1, $2]) }
    }
    #expect(parts == whole)
  }

  /// Repeated elements are summed to the original shape, and the runs of a tensor are its repetition.
  @Test(arguments: cases)
  func expandingAndSumming(a: TensorShape, b: TensorShape, target: TensorShape) {
    let places = (0..<target.count).map { Self.place(of: $0, in: target, a) }
    let (x, y) = (Seeded.tensor(a, seed: 1), Seeded.tensor(target, seed: 2))
    #expect(x.expanded(to: target) == Tensor(shape: target, elements: places.map { x.elements[$0] }))
    var sums = [Float](repeating: 0, count: a.count)
    for (position, place) in places.enumerated() { sums[place] += y.elements[position] }
    #expect(y.summed(to: a) == Tensor(shape: a, elements: sums))
    var runs: [Int] = []
    x.forEachRun(broadcastTo: target) { start, own, moves, count in
      #expect(start == runs.count)
      runs += (0..<count).map { own + (moves ? $0 : 0) }
    }
    #expect(runs == places)
  }

  /// Axes in another order are also strides.
  @Test func transposing() {
    let x = Seeded.tensor([2, 3, 1, 4], seed: 3)
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3], [0, 3, 1, 2]] {
      let y = x.transposed(order)
      for i in 0..<2 {
        for j in 0..<3 {
          for k in 0..<4 {
            let index = order.map { [i, j, 0, k][$0] }
            #expect(y[index[0], index[1], index[2], index[3]] == x[i, j, 0, k])
          }
        }
      }
    }
  }

  /// Runs have the maximum length.
  @Test(arguments: [
    ([2, 3, 4], [2, 3, 4], 24, 1), ([2, 3, 4], [3, 1], 4, 0), ([2, 3, 4], [1, 3, 4], 12, 1), ([2, 3, 4], [], 24, 0),
    ([1, 5, 1, 1], [5, 1, 1], 5, 1), ([2, 3, 4], [2, 1, 1], 12, 0), ([0, 3], [3], 3, 1),
  ])
  func longRuns(extents: [Int], operand: [Int], length: Int, step: Int) {
    let target = TensorShape(extents)
    let walk = StridedWalk(over: target, broadcasting: TensorShape(operand))
    #expect(walk.runLength == length)
    #expect(walk.steps.a == step)
    #expect(walk.runCount == target.count / length)
  }
}
