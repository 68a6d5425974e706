import Dispatch
import Synchronization
import RelevanceTensors
import RelevanceTestSupport
import Testing

/// A tensor is a value: a write to one tensor never changes another.
@Suite struct TensorTests {
  @Test func elementsAreRowMajor() {
    var tensor = Tensor(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
    #expect(tensor[0, 2] == 2 && tensor[1, 0] == 3)
    tensor[1, 1] = 9
    #expect(tensor.elements == [0, 1, 2, 3, 9, 5])
    #expect(Tensor(shape: [2, 2], repeating: 3).elements == [3, 3, 3, 3])
    #expect(Tensor(shape: []).elements == [0])
    #expect(Tensor(shape: [0, 4]).elements == [])
  }

  @Test func copiesAreIndependent() {
    let original = Tensor(shape: [3], elements: [1, 2, 3])
    var copy = original
    copy[0] = 9
    #expect(original.elements == [1, 2, 3] && copy.elements == [9, 2, 3])
    var third = copy
    third.withUnsafeMutableElements { $0[1] = 8 }
    #expect(copy.elements == [9, 2, 3] && third.elements == [9, 8, 3])
  }

  @Test func viewsShareMemoryUntilWrittenTo() {
    let whole = Tensor(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
    #expect(Self.address(whole.reshaped(to: [3, 2])) == Self.address(whole))
    #expect(Self.address(whole.item(1)) == Self.address(whole) + 12)
    var item = whole.item(1)
    #expect(item.shape == [1, 3] && item.elements == [3, 4, 5])
    item[0, 0] = 9
    #expect(whole.elements == [0, 1, 2, 3, 4, 5] && item.elements == [9, 4, 5])
    var reshaped = whole.reshaped(to: [6])
    reshaped[5] = 7
    #expect(whole[1, 2] == 5)
  }

  @Test func writingInPlaceDoesNotCopy() {
    var tensor = Tensor(shape: [1000])
    let address = Self.address(tensor)
    tensor[3] = 1
    tensor.withUnsafeMutableElements { $0[4] = 2 }
    #expect(Self.address(tensor) == address)
  }

  /// Memory with another owner is copied before a write, even if only one tensor uses it, and released after the last
  /// use.
  @Test func borrowedMemoryIsNeverWritten() {
    let counter = Counter()
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 4)
    defer { memory.deallocate() }
    memory.update(repeating: 1, count: 4)
    var tensor = Tensor(
      shape: [2], storage: TensorStorage(base: memory, count: 4, writable: false) { counter.increment() }, offset: 1)
    #expect(tensor.elements == [1, 1] && counter.value == 0)
    tensor[0] = 5
    #expect(tensor.elements == [5, 1])
    #expect((0..<4).allSatisfy { memory[$0] == 1 })
    #expect(counter.value == 1)
  }

  @Test func storageLivesAsLongAsItsViews() {
    let counter = Counter()
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 6)
    defer { memory.deallocate() }
    memory.update(repeating: 2, count: 6)
    var item: Tensor?
    do {
      let whole = Tensor(
        shape: [2, 3], storage: TensorStorage(base: memory, count: 6, writable: true) { counter.increment() })
      item = whole.item(1).reshaped(to: [3, 1])
    }
    #expect(counter.value == 0)
    #expect(item?.elements == [2, 2, 2])
    item = nil
    #expect(counter.value == 1)
  }

  /// Threads that each write to their own copy of the same tensor.
  @Test func threadsHaveTheirOwnCopies() {
    let shared = Tensor(shape: [1000], repeating: 1)
    let wrong = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 16) { thread in
      var own = shared
      own.withUnsafeMutableElements { for i in $0.indices { $0[i] += Float(thread) } }
      if !own.elements.allSatisfy({ $0 == Float(thread + 1) }) { wrong.wrappingAdd(1, ordering: .relaxed) }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(shared.elements.allSatisfy { $0 == 1 })
  }

  @Test func equalityFollowsFloats() {
    #expect(Tensor(shape: [2], elements: [0, 1]) == Tensor(shape: [2], elements: [-0.0, 1]))
    #expect(Tensor(shape: [2], elements: [0, 1]) != Tensor(shape: [1, 2], elements: [0, 1]))
    #expect(Tensor(shape: [1], elements: [.nan]) != Tensor(shape: [1], elements: [.nan]))
  }

  @Test func arithmetic() {
    let x = Tensor(shape: [2, 2], elements: [1, -4, 3, 0])
    #expect(x.sum() == 0 && x.largestMagnitude() == 4)
    #expect(x.positivePart.elements == [1, 0, 3, 0])
    #expect(x.map { 2 * $0 }.elements == [2, -8, 6, 0])
    #expect(x.combined(with: x.positivePart, -).elements == [0, -4, 0, 0])
    #expect(Tensor(shape: [0]).largestMagnitude() == 0)
    // Sums use double precision: single precision would stop counting at 2²⁴.
    #expect(Tensor(shape: [1 << 12, 1 << 13], repeating: 1).sum() == Double(1 << 25))
    #expect(Tensor(joining: [x, x.map { -$0 }]).elements == [1, -4, 3, 0, -1, 4, -3, 0])
    #expect(Tensor(joining: [x, x, x]).shape == [6, 2])
    #expect(Tensor(joining: [x]) == x)
  }

  @Test func relativeDistance() {
    let reference = Tensor(shape: [2], elements: [3, 4])
    #expect(reference.relativeDistance(from: reference) == 0)
    #expect(Tensor(shape: [2], elements: [3, 5]).relativeDistance(from: reference) == 0.2)
    #expect(reference.relativeDistance(from: Tensor(shape: [2])) == .infinity)
    #expect(Tensor(shape: [2]).relativeDistance(from: Tensor(shape: [2])) == 0)
    #expect(!(Tensor(shape: [2], elements: [.nan, 4]).relativeDistance(from: reference) <= 1))
  }

  @Test(arguments: [
    ([], []), ([5], [0]), ([3, 4], [1, 0]), ([3, 4], [0, 1]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 4], [1, 2, 0]),
    ([2, 3, 4, 5], [0, 2, 3, 1]), ([2, 3, 4, 5], [3, 1, 0, 2]), ([1, 3, 1, 2], [3, 2, 1, 0]), ([2, 0, 3], [2, 1, 0]),
  ])
  func transpositionMatchesTheDefinition(dimensions: [Int], order: [Int]) {
    let x = Seeded.tensor(TensorShape(dimensions), seed: 1)
    let y = x.transposed(order)
    #expect(y.shape.dimensions == order.map { dimensions[$0] })
    for position in 0..<y.count {
      var (rest, from) = (position, 0)
      for axis in order.indices.reversed() {
        from += rest % y.shape[axis] * x.shape.strides[order[axis]]
        rest /= y.shape[axis]
      }
      #expect(y.elements[position] == x.elements[from])
    }
    let inverse = order.indices.map { order.firstIndex(of: $0)! }
    #expect(y.transposed(inverse) == x)
  }

  /// Calculated by hand from the definition. Order and signs do not matter.
  @Test(
    arguments: [
      ([], 0), ([0, 0], 0), ([7], 0), ([2, 2, 2, 2], 0), ([-2, 2, 2, -2], 0), ([0, 0, 0, 5], 0.75),
      ([1, 2, 3], 2 / 9.0),
      ([3, -1, -2], 2 / 9.0), ([0, 1], 0.5), ([1, 1, 2, 4], 10 / 32.0),
    ] as [([Float], Double)])
  func giniCoefficients(elements: [Float], expected: Double) {
    let found = Tensor(shape: [elements.count], elements: elements).giniCoefficient()
    #expect(abs(found - expected) <= 1e-12)
  }

  @Test(
    arguments: [
      ([1, 0], [3, 0], 1), ([1, 0], [0, 2], 0), ([1, 2], [-2, -4], -1), ([0, 0], [1, 2], 0), ([0, 0], [0, 0], 0),
      ([3, 4], [4, 3], 24 / 25.0),
    ] as [([Float], [Float], Double)])
  func cosines(a: [Float], b: [Float], expected: Double) {
    let found = Tensor(shape: [2], elements: a).cosine(to: Tensor(shape: [2], elements: b))
    #expect(abs(found - expected) <= 1e-12)
  }

  private static func address(_ tensor: Tensor) -> UInt {
    tensor.withUnsafeElements { UInt(bitPattern: $0.baseAddress!) }
  }

  /// Counts events on any thread.
  final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func increment() { count.wrappingAdd(1, ordering: .sequentiallyConsistent) }
  }
}
