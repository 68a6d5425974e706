import Foundation
import RelevanceSupport

/// An input in which a channel of a layer counts.
public struct ConceptReference: Hashable, Sendable {
  /// The number of the input among those of the index.
  public var input: Int
  /// The class that was explained in it.
  public var classIndex: Int
  /// How much the channel counts there: by what the index ranks.
  public var value: Float
  /// The position at which it counts most: row and column, or the number of a token; empty for a layer without
  /// positions.
  public var position: [Int]
}

/// For each channel of a layer the inputs in which it counts most, the largest first.
///
/// Equal values are in the order of the inputs, so that a ranking does not depend on the order in which inputs were
/// seen, nor on how they were divided. Memory is channels × `top`, however many inputs there are.
public struct ReferenceRanking: Hashable, Sendable {
  /// A place of the ranking, as files have it: five numbers of four bytes.
  package struct Entry: Hashable, Sendable {
    /// −1 where there are fewer inputs than places.
    package var input: Int32 = -1
    package var classIndex: Int32 = -1
    package var value: Float = 0
    /// −1 without positions; of a token its number.
    package var row: Int32 = -1
    package var column: Int32 = -1

    package init() {}

    package init(input: Int32, classIndex: Int32, value: Float, row: Int32, column: Int32) {
      (self.input, self.classIndex, self.value, self.row, self.column) = (input, classIndex, value, row, column)
    }

    /// Whether it comes before another one.
    func precedes(_ other: Entry) -> Bool {
      if input < 0 || other.input < 0 { return other.input < input }
      return (other.value, input, classIndex) < (value, other.input, other.classIndex)
    }
  }

  /// How many inputs are kept for each channel.
  public let top: Int
  /// The places of one channel after those of the other.
  package private(set) var entries: [Entry] = []

  /// A ranking without inputs; the channels are those that are offered some.
  package init(top: Int) {
    precondition(top > 0, "a ranking of no inputs")
    self.top = top
  }

  /// A ranking with what a file has, `top` places for each channel.
  package init(top: Int, entries: [Entry]) {
    precondition(top > 0 && entries.count % top == 0, "\(entries.count) places for \(top) a channel")
    (self.top, self.entries) = (top, entries)
  }

  /// How many channels there are.
  public var channels: Int { entries.count / top }

  /// The inputs of a channel, the largest first; fewer than `top` if there are fewer.
  public subscript(channel: Int) -> [ConceptReference] {
    entries[channel * top..<(channel + 1) * top].prefix { $0.input >= 0 }.map { entry in
      ConceptReference(
        input: Int(entry.input), classIndex: Int(entry.classIndex), value: entry.value,
        position: [entry.row, entry.column].filter { $0 >= 0 }.map(Int.init))
    }
  }

  /// Takes an input into the places of a channel, if it is among the largest.
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

  /// Takes all inputs of another ranking.
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

  /// The ranking that `data` has been made of; nil if an entry is one that no ranking of `inputs` can have.
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
