/// The memory of messages that are being built: all of it is freed with the arena, and nothing else may free any of it.
///
/// The pointers that its methods return are valid while it lives.
final class MessageArena {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// A message, set to its defaults by the function that protobuf-c generates for its type.
  func message<Message>(_ initialize: (UnsafeMutablePointer<Message>) -> Void) -> UnsafeMutablePointer<Message> {
    let message = allocate(Message.self, count: 1)
    initialize(message)
    return message
  }

  /// A copy of a list; what it points to is the caller's business.
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

  /// A copy of a string, with the 0 that ends it in C.
  func string(_ text: String) -> UnsafeMutablePointer<CChar> { list(text.utf8.map { CChar(bitPattern: $0) } + [0]) }

  func bytes(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8> { list(Array(bytes)) }

  private func allocate<Element>(_ type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
    let size = max(count, 1) * MemoryLayout<Element>.stride
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<Element>.alignment)
    blocks.append(block)
    return block.bindMemory(to: Element.self, capacity: count)
  }
}
