import Foundation
import Synchronization
import RelevanceTensors

/// Memory that is reused: each run takes the memory that earlier runs returned.
///
/// New memory costs a page fault per page at its first use, which for the activations of a large network takes as long
/// as the arithmetic of a layer.
package final class MemoryPool: Sendable {
  private struct Block: @unchecked Sendable {
    let base: MutableFloats
    let capacity: Int
  }

  /// Unused blocks, smallest first.
  private let idle = Mutex<[Block]>([])

  package init() {}

  deinit { trim() }

  /// `count` floats with undefined contents, 64-byte aligned. The memory returns to the pool when its last reference is
  /// released.
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
      // A block that is more than four times too large is kept for larger requests.
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
