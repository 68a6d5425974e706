import Foundation
import Synchronization
import RelevanceTensors

/// Memory that is used again and again: what a run returns, the next run takes.
///
/// Fresh memory costs a page fault per page at its first use, which for the activations of a large network is as much as
/// a layer's arithmetic.
package final class MemoryPool: Sendable {
  private struct Block: @unchecked Sendable {
    let base: MutableFloats
    let capacity: Int
  }

  /// Blocks that nobody uses, smallest first.
  private let idle = Mutex<[Block]>([])

  package init() {}

  deinit { trim() }

  /// A run of `count` floats with undefined contents, 64-byte aligned; it comes back when its last reference is gone.
  package func storage(count: Int) -> TensorStorage {
    let block = take(atLeast: count)
    return TensorStorage(base: block.base, count: count, writable: true) { [self] in give(back: block) }
  }

  package func tensor(_ shape: TensorShape) -> Tensor { Tensor(shape: shape, storage: storage(count: shape.count)) }

  package func trim() {
    idle.withLock { blocks in
      for block in blocks { free(block.base) }
      blocks.removeAll()
    }
  }

  private func take(atLeast count: Int) -> Block {
    let found: Block? = idle.withLock { blocks in
      // A block more than four times too large is kept for someone who needs it.
      guard let index = blocks.firstIndex(where: { $0.capacity >= count }),
        blocks[index].capacity / 4 <= max(count, 1024)
      else { return nil }
      return blocks.remove(at: index)
    }
    if let found { return found }
    let capacity = max(count, 16)
    return Block(base: TensorStorage.allocate(count: capacity), capacity: capacity)
  }

  private func give(back block: Block) {
    idle.withLock { blocks in
      blocks.insert(block, at: blocks.firstIndex { $0.capacity >= block.capacity } ?? blocks.endIndex)
    }
  }
}
