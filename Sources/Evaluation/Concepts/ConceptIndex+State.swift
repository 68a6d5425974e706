import Foundation
import RelevanceSupport

/// The intermediate state of a run in one file: a line of JSON that describes the index, followed by the numbers.
extension ConceptIndex {
  package static let evaluation = "concepts index"

  private struct Head: Codable {
    struct Layer: Codable {
      let node: String
      let channels: Int
      let classes: [Int]
      let explanations: Int
    }

    let header: JournalHeader
    let inputs: [String]
    let files: [String]
    let top: Int
    let done: Int
    let failures: [Failure]
    let layers: [Layer]
    /// The number of bytes of the numbers.
    let bytes: Int
    let digest: String
  }

  /// - Throws: `RelevanceKitError` if the file cannot be written.
  package func writeState(to path: String) throws {
    var numbers = Data()
    for layer in layers {
      numbers += layer.relevance.data + layer.activation.data
      for index in layer.classes {
        numbers += layer.relevanceByClass[index]!.data + layer.activationByClass[index]!.data
      }
      layer.shares.map(\.littleEndian).withUnsafeBytes { numbers.append(contentsOf: $0) }
    }
    let head = Head(
      header: header, inputs: inputs, files: files, top: top, done: done, failures: failures,
      layers: layers.map {
        Head.Layer(node: $0.node, channels: $0.channels, classes: $0.classes, explanations: $0.explanations)
      }, bytes: numbers.count, digest: SHA256.digest(of: numbers).hexadecimal)
    try AtomicFiles.write(Journal.line(head) + numbers, to: path)
  }

  /// Reads a state.
  ///
  /// - Throws: `RelevanceKitError` if the file does not contain a state, or if it is damaged.
  package init(state path: String) throws {
    let data = try ReadableFile.data(path, missing: "no such file, or no permission to read it")
    func damaged(_ reason: String) -> SimpleError {
      SimpleError("\(path): expected the state of a concept index: \(reason)")
    }
    guard let end = data.firstIndex(of: UInt8(ascii: "\n")),
      let head = try? JSONDecoder().decode(Head.self, from: data[..<end]), head.header.evaluation == Self.evaluation
    else { throw damaged("its first line does not describe an index") }
    var numbers = Data(data[(end + 1)...])
    guard numbers.count == head.bytes, SHA256.digest(of: numbers).hexadecimal == head.digest else {
      throw damaged("its numbers are incomplete or were changed; start again")
    }
    let items = head.header.items
    guard head.inputs.count == items, head.files.count == items, (1...1 << 20).contains(head.top),
      (0...head.header.shard.count(of: items)).contains(head.done),
      head.failures.allSatisfy({ (0..<items).contains($0.input) }),
      head.header.configuration["layers"] == head.layers.map(\.node)
    else { throw damaged("its first line is inconsistent") }
    self.init(
      header: head.header, inputs: head.inputs, files: head.files, nodes: head.layers.map(\.node), top: head.top)
    (done, failures) = (head.done, head.failures)
    func take(_ count: Int) -> Data? {
      guard count >= 0, count <= numbers.count else { return nil }
      defer { numbers.removeFirst(count) }
      return Data(numbers.prefix(count))
    }
    func ranking(_ channels: Int) -> ReferenceRanking? {
      let size = channels.multipliedReportingOverflow(by: head.top * ReferenceRanking.bytesPerEntry)
      return size.overflow ? nil : take(size.partialValue).flatMap { .init(top: head.top, data: $0, inputs: items) }
    }
    for (index, layer) in head.layers.enumerated() {
      guard let relevance = ranking(layer.channels), let activation = ranking(layer.channels) else {
        throw damaged("the numbers of \(layer.node) are not a valid ranking")
      }
      (layers[index].relevance, layers[index].activation) = (relevance, activation)
      for classIndex in layer.classes {
        guard let relevance = ranking(layer.channels), let activation = ranking(layer.channels) else {
          throw damaged("the numbers of class \(classIndex) at \(layer.node) are not a valid ranking")
        }
        layers[index].relevanceByClass[classIndex] = relevance
        layers[index].activationByClass[classIndex] = activation
      }
      guard layer.explanations >= 0, let shares = take(layer.channels * MemoryLayout<Int64>.size) else {
        throw damaged("the shares of \(layer.node) are incomplete")
      }
      layers[index].shares = shares.withUnsafeBytes { bytes in
        (0..<layer.channels).map { Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
      }
      layers[index].explanations = layer.explanations
    }
    guard numbers.isEmpty else { throw damaged("it contains more numbers than its first line declares") }
  }

  /// The whole index from the states of its shards.
  ///
  /// - Parameter files: a state of each shard.
  /// - Returns: The index that a single run over all inputs would create.
  /// - Throws: `RelevanceKitError` unless the states belong to one index, and each shard occurs once and is complete.
  public static func merging(_ files: [some FileLocation]) throws -> ConceptIndex {
    guard let first = files.first?.fileSystemPath else {
      throw SimpleError("expected states of shards to merge, or folders with them", .usage)
    }
    var whole: ConceptIndex?
    var shards: [Shard] = []
    for path in files.map(\.fileSystemPath) {
      let part = try ConceptIndex(state: path)
      if let difference = whole.flatMap({ part.header.difference(from: $0.header) }) {
        throw SimpleError("\(path) and \(first) are not of the same index: the first has \(difference)", .usage)
      }
      let shard = part.header.shard
      guard part.isComplete else {
        throw SimpleError(
          "\(path): only \(part.done) of \(shard.count(of: part.header.items)) inputs are done; continue its run with "
            + "--resume first",
          .usage)
      }
      guard !shards.contains(shard) else {
        throw SimpleError("\(path): shard \(shard.rawValue) occurs twice", .usage)
      }
      shards.append(shard)
      whole == nil ? whole = part : whole?.merge(part)
    }
    guard var whole, shards.count == shards[0].count else {
      let found = shards.map(\.rawValue).sorted().joined(separator: ", ")
      throw SimpleError("expected all shards of the index, found \(found)", .usage)
    }
    whole.header.shard = .whole
    return whole
  }
}

extension ConceptIndex.Layer {
  /// The classes whose inputs are ranked, in ascending order.
  public var classes: [Int] { relevanceByClass.keys.sorted() }
}
