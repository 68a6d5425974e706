import RelevanceTensors

/// Elements at some place in a mapped file, not necessarily aligned. The creator checks that all of them are there.
struct Payload {
  let file: MappedFile
  let offset: Int

  func load<Number: BitwiseCopyable>(_ index: Int, as type: Number.Type) -> Number {
    file.base.loadUnaligned(fromByteOffset: offset + index * MemoryLayout<Number>.size, as: type)
  }

  /// The floats as a tensor: in place if they are aligned, otherwise a copy.
  func tensor(of shape: TensorShape) -> Tensor {
    let start = file.base + offset
    guard shape.count > 0, Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0 else {
      return Tensor(uninitialized: shape) { elements in
        file.copyBytes(from: offset, to: UnsafeMutableRawBufferPointer(elements))
      }
    }
    let floats = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: Float.self))
    let bytes = shape.count * MemoryLayout<Float>.size
    let storage = TensorStorage(base: floats, count: shape.count, writable: false) { [file, offset] in
      // Weights that were only read for a copy in another layout need no memory of their own.
      file.releasePages(from: offset, count: bytes)
    }
    return Tensor(shape: shape, storage: storage)
  }
}
