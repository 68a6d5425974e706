import RelevanceTensors
import RelevanceSupport
import Testing

/// Valid and invalid extents.
@Suite struct ShapeTests {
  @Test(arguments: [
    ([], 1, [], "scalar"), ([5], 5, [1], "5"), ([2, 3, 4], 24, [12, 4, 1], "2×3×4"),
    ([2, 0, 4], 0, [0, 4, 1], "2×0×4"),
    ([1, 1], 1, [1, 1], "1×1"),
  ])
  func countsAndStrides(dimensions: [Int], count: Int, strides: [Int], description: String) throws {
    let shape = try TensorShape(checking: dimensions)
    #expect(shape == TensorShape(dimensions))
    #expect(shape.count == count)
    #expect(shape.rank == dimensions.count)
    #expect(shape.strides == strides)
    #expect(shape.description == description)
  }

  @Test func axesCountFromBothEnds() {
    let shape: TensorShape = [2, 3, 4]
    #expect((0..<3).map { shape[$0] } == [2, 3, 4])
    #expect((-3..<0).map { shape[$0] } == [2, 3, 4])
    #expect(shape.withBatch(7) == [7, 3, 4])
  }

  @Test(arguments: [
    ([], [], []), ([2, 3], [], [2, 3]), ([2, 3], [3], [2, 3]), ([2, 1], [1, 3], [2, 3]),
    ([4, 1, 3], [2, 1], [4, 2, 3]),
    ([1], [5, 5], [5, 5]), ([0, 1], [1, 3], [0, 3]), ([1], [0], [0]),
  ])
  func broadcasting(a: [Int], b: [Int], result: [Int]) {
    #expect(TensorShape(a).broadcast(with: TensorShape(b))?.dimensions == result)
    #expect(TensorShape(b).broadcast(with: TensorShape(a))?.dimensions == result)
  }

  @Test(arguments: [([2], [3]), ([2, 3], [2]), ([2, 3, 4], [3, 3, 4]), ([0], [2])])
  func shapesThatDoNotBroadcast(a: [Int], b: [Int]) {
    #expect(TensorShape(a).broadcast(with: TensorShape(b)) == nil)
    #expect(TensorShape(b).broadcast(with: TensorShape(a)) == nil)
  }

  @Test(arguments: [
    [-1], [2, -3], [0, -1], [Int.max], [Int.max, 2], [1 << 32, 1 << 32], [1 << 31, 1 << 31], [0, Int.max, Int.max],
  ])
  func invalidShapes(dimensions: [Int]) {
    let error = #expect(throws: SimpleError.self) { try TensorShape(checking: dimensions) }
    #expect(
      error?.description
        == "\(dimensions) is not a tensor shape; expected extents ≥ 0 whose product fits in memory")
    #expect(error?.category == .badData)
  }
}
