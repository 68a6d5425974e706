/// The memory of messages under construction. All of it is freed with the arena and must not be freed elsewhere.
///
/// The pointers that its methods return are valid during its lifetime.
final class MessageArena {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// A message with default values, set by the function that protobuf-c generates for its type.
  func message<Message>(_ initialize: (UnsafeMutablePointer<Message>) -> Void) -> UnsafeMutablePointer<Message> {
    let message = allocate(Message.self, count: 1)
    initialize(message)
    return message
  }

  /// A copy of a list. The caller owns the memory that its elements point to.
  func list<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
    let copy = allocate(Element.self, count: elements.count)
    for (index, element) in elements.enumerated() { (copy + index).initialize(to: element) }
    return copy
  }

  /// The number and the elements of a repeated field.
  func repeated<Message>(
    _ messages: [UnsafeMutablePointer<Message>]
  ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Message>?>) {
    (messages.count, list(messages.map { Optional($0) }))
  }

  func repeated<Number: BitwiseCopyable>(_ numbers: [Number]) -> (Int, UnsafeMutablePointer<Number>) {
    (numbers.count, list(numbers))
  }

  /// A copy of a string with the terminating 0 of C.
  func string(_ text: String) -> UnsafeMutablePointer<CChar> { list(text.utf8.map { CChar(bitPattern: $0) } + [0]) }

  func bytes(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8> { list(Array(bytes)) }

  private func allocate<Element>(_ type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
    let size = max(count, 1) * MemoryLayout<Element>.stride
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<Element>.alignment)
    blocks.append(block)
    return block.bindMemory(to: Element.self, capacity: count)
  }
}
