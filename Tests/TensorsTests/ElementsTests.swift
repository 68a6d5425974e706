import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Views of elements: their contents, the memory that they keep alive, and the memory that they write.
@Suite struct ElementsTests {
  @Test func viewsShowElements() {
    let x = Seeded.tensor([4, 3, 5], seed: 1)
    #expect(Array(x.view) == x.elements)
    #expect(Array(x.item(2).view) == x.item(2).elements)
    let run = x.view.run(from: 7, count: 11)
    #expect(Array(run) == Array(x.elements[7..<18]))
    #expect(Array(run.run(from: 2, count: 3)) == Array(x.elements[9..<12]))
    #expect(run.withPointer { pointer in (0..<11).map { pointer[$0] } } == Array(run))
    #expect(Tensor(shape: [0, 3]).view.isEmpty)
    let (views, lengths) = ([x.view, run], [60, 11])
    #expect(Elements.withPointers(views) { zip($0, lengths).map { $0[$1 - 1] } } == views.map { $0[$0.count - 1] })
    #expect(Elements.withPointers([nil, run]) { $0.map { $0?[0] } } == [nil, run[0]])
  }

  /// A view keeps its memory alive.
  @Test func viewsKeepMemoryAlive() {
    final class Flag: @unchecked Sendable { var isReleased = false }
    let flag = Flag()
    var view: Elements?
    do {
      let base = UnsafeMutablePointer<Float>.allocate(capacity: 4)
      base.initialize(repeating: 2.5, count: 4)
      let address = UInt(bitPattern: base)
      let storage = TensorStorage(base: base, count: 4, writable: false) {
        UnsafeMutablePointer<Float>(bitPattern: address)?.deallocate()
        flag.isReleased = true
      }
      view = Tensor(shape: [4], storage: storage).view.run(from: 1, count: 2)
    }
    #expect(!flag.isReleased)
    #expect(view.map { Array($0) } == [2.5, 2.5])
    view = nil
    #expect(flag.isReleased)
  }

  /// Before a write, shared memory is copied. Other tensors and views of it do not change.
  @Test func writingDoesNotChangeOthers() {
    var x = Seeded.tensor([2, 6], seed: 2)
    let (copy, elements, before) = (x, x.view, x.elements)
    x.update { own in
      for i in own.indices { own[i] *= 2 }
      own.run(from: 3, count: 4).fill(with: 9)
    }
    #expect(copy.elements == before && Array(elements) == before)
    #expect(x.elements == before.enumerated().map { (3..<7).contains($0.offset) ? 9 : $0.element * 2 })
  }

  /// A tensor with unshared memory is written in place.
  @Test func writingInPlace() {
    var x = Tensor(shape: [8], repeating: 1)
    let address = x.view.withPointer { UInt(bitPattern: $0) }
    for round in 0..<3 {
      x.update { own in
        own[round] = 5
        #expect(own.withPointer { UInt(bitPattern: $0) } == address)
      }
    }
    #expect(x.elements == [5, 5, 5, 1, 1, 1, 1, 1])
    let made = Tensor([2, 2]) { own in for i in own.indices { own[i] = Float(i) } }
    #expect(made == Tensor(shape: [2, 2], elements: [0, 1, 2, 3]))
  }

  @Test func pointersOfTwoViews() {
    let x = Tensor(shape: [3], elements: [1, 2, 3])
    var y = Tensor(shape: [5], repeating: 10)
    y.update { y in
      y.run(from: 1, count: 3).withPointers(beside: x.view) { own, other, count in
        for i in 0..<count { own[i] -= other[i] }
      }
    }
    #expect(y.elements == [10, 9, 8, 7, 10])
  }

  /// Access outside of a view traps.
  @Test func accessIsChecked() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [4]).view[4] }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [4]).view.run(from: 1, count: 2)[-1] }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [4]).view.run(from: 3, count: 2) }
    await #expect(processExitsWith: .failure) {
      var x = Tensor(shape: [4])
      x.update { $0.run(from: 0, count: 2)[2] = 1 }
    }
    await #expect(processExitsWith: .failure) {
      var x = Tensor(shape: [4])
      x.update { $0.withPointers(beside: Tensor(shape: [3]).view) { _, _, _ in } }
    }
  }
}
