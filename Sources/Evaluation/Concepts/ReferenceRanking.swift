import Foundation
import RelevanceSupport

/// An input for which a channel of a layer has a large value.
public struct ConceptReference: Hashable, Sendable {
  /// The number of the input in the index.
  public var input: Int
  /// The explained class.
  public var classIndex: Int
  /// The value by which the index ranks the input.
  public var value: Float
  /// The position of the largest value: row and column, or the index of a token; empty for a layer without positions.
  public var position: [Int]
}

/// For each channel of a layer, the inputs with the largest values, in descending order.
///
/// Inputs with equal values are ordered by number, so the ranking does not depend on the order in which inputs were
/// added, nor on how they were divided. The memory is channels × `top`, regardless of the number of inputs.
public struct ReferenceRanking: Hashable, Sendable {
  /// An entry of the ranking, as stored in files: five numbers of four bytes.
  package struct Entry: Hashable, Sendable {
    /// The number of the input; −1 if there are fewer inputs than entries.
    package var input: Int32 = -1
    package var classIndex: Int32 = -1
    package var value: Float = 0
    /// The row, or the index of a token; −1 if there are no positions.
    package var row: Int32 = -1
    package var column: Int32 = -1

    package init() {}

    package init(input: Int32, classIndex: Int32, value: Float, row: Int32, column: Int32) {
      (self.input, self.classIndex, self.value, self.row, self.column) = (input, classIndex, value, row, column)
    }

    /// Whether the entry is ranked before another one.
    func precedes(_ other: Entry) -> Bool {
      if input < 0 || other.input < 0 { return other.input < input }
      return (other.value, input, classIndex) < (value, other.input, other.classIndex)
    }
  }

  /// The number of inputs stored for each channel.
  public let top: Int
  /// The entries, channel by channel.
  package private(set) var entries: [Entry] = []

  /// Makes a ranking without inputs. Channels are added with their first input.
  package init(top: Int) {
    precondition(top > 0, "expected at least one entry per channel")
    self.top = top
  }

  /// Makes a ranking from the contents of a file, with `top` entries per channel.
  package init(top: Int, entries: [Entry]) {
    precondition(top > 0 && entries.count % top == 0, "\(entries.count) entries are not a multiple of \(top)")
    (self.top, self.entries) = (top, entries)
  }

  /// The number of channels.
  public var channels: Int { entries.count / top }

  /// The inputs of a channel in descending order; fewer than `top` if there are fewer inputs.
  public subscript(channel: Int) -> [ConceptReference] {
    entries[channel * top..<(channel + 1) * top].prefix { $0.input >= 0 }.map { entry in
      ConceptReference(
        input: Int(entry.input), classIndex: Int(entry.classIndex), value: entry.value,
        position: [entry.row, entry.column].filter { $0 >= 0 }.map(Int.init))
    }
  }

  /// Adds an input to the entries of a channel if it is among the largest.
  ///
  /// - Complexity: O(`top`).
  package mutating func offer(_ entry: Entry, to channel: Int) {
    if channel >= channels {
      entries += [Entry](repeating: Entry(), count: (channel + 1 - channels) * top)
    }
    let end = (channel + 1) * top
    guard entry.precedes(entries[end - 1]) else { return }
    var place = end - 1
    while place > channel * top, entry.precedes(entries[place - 1]) {
      entries[place] = entries[place - 1]
      place -= 1
    }
    entries[place] = entry
  }

  /// Adds all inputs of another ranking.
  package mutating func merge(_ other: ReferenceRanking) {
    for (place, entry) in other.entries.enumerated() { offer(entry, to: place / other.top) }
  }
}

extension ReferenceRanking {
  static let bytesPerEntry = 20

  /// The entries as five little-endian numbers of four bytes each.
  var data: Data {
    var words: [UInt32] = []
    words.reserveCapacity(entries.count * 5)
    for entry in entries {
      words.append(UInt32(bitPattern: entry.input).littleEndian)
      words.append(UInt32(bitPattern: entry.classIndex).littleEndian)
      words.append(entry.value.bitPattern.littleEndian)
      words.append(UInt32(bitPattern: entry.row).littleEndian)
      words.append(UInt32(bitPattern: entry.column).littleEndian)
    }
    return words.withUnsafeBytes { Data($0) }
  }

  /// Makes a ranking from `data`; nil if an entry is not valid for a ranking of `inputs` inputs.
  init?(top: Int, data: Data, inputs: Int) {
    let size = data.count / Self.bytesPerEntry
    guard top > 0, data.count % Self.bytesPerEntry == 0, size % top == 0 else { return nil }
    let entries = data.withUnsafeBytes { bytes in
      (0..<size).map { index in
        func word(_ place: Int) -> UInt32 {
          UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: (index * 5 + place) * 4, as: UInt32.self))
        }
        return Entry(
          input: Int32(bitPattern: word(0)), classIndex: Int32(bitPattern: word(1)), value: Float(bitPattern: word(2)),
          row: Int32(bitPattern: word(3)), column: Int32(bitPattern: word(4)))
      }
    }
    for (place, entry) in entries.enumerated() {
      let isEmpty = entry == Entry()
      guard isEmpty || (0..<inputs).contains(Int(entry.input)) && entry.classIndex >= 0 && entry.value.isFinite,
        entry.row >= -1, entry.column >= -1, entry.row >= 0 || entry.column < 0,
        place % top == 0 || isEmpty || entries[place - 1].precedes(entry)
      else { return nil }
    }
    self.init(top: top, entries: entries)
  }
}
