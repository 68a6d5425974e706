import Foundation
import RelevanceSupport
import RelevanceTensors

/// An index as a folder: `index.json`, and for each layer a folder with NumPy arrays.
///
/// `relmax.npy` and `actmax.npy` have the shape channels × top, and `relmax-by-class.npy` and `actmax-by-class.npy` the
/// shape classes × channels × top. Their elements have the fields `input`, `class`, `value`, `row` and `column`, which
/// are −1 if there is no value:
///
/// ```python
/// index = json.load(open("index/index.json"))
/// best = numpy.load("index/" + index["layers"][0]["folder"] + "/relmax.npy")["input"][139]
/// ```
extension ConceptIndex {
  private struct Head: Codable {
    struct Layer: Codable {
      let node: String
      let folder: String
      let channels: Int
      let classes: [Int]
      let explanations: Int
      let meanShare: [Double]
      let shares: [Int64]
    }

    let configuration: [String: [String]]
    let inputs: [String]
    let files: [String]
    let top: Int
    let failures: [Failure]
    let layers: [Layer]
  }

  /// The name of the file that describes an index.
  package static let headName = "index.json"

  /// Writes the index. The same index always has the same bytes.
  ///
  /// - Parameter folder: an existing folder.
  /// - Throws: `RelevanceKitError` if the index is not complete, or if a file cannot be written.
  public func write(to folder: some FileLocation) throws {
    let folder = folder.fileSystemPath
    guard isComplete, header.shard == .whole else {
      throw SimpleError("\(folder): expected a whole index, found part of one", .usage)
    }
    var heads: [Head.Layer] = []
    for (layer, name) in zip(layers, Self.folderNames(layers.map(\.node))) {
      let path = PathText.join(folder, name)
      try FileSystem.makeFolder(path)
      func write(_ rankings: [ReferenceRanking], _ shape: [Int], _ name: String) throws {
        let data = rankings.reduce(into: Self.arrayHeader(shape)) { $0 += $1.data }
        try AtomicFiles.write(data, to: PathText.join(path, name))
      }
      let shape = [layer.channels, top]
      try write([layer.relevance], shape, "relmax.npy")
      try write([layer.activation], shape, "actmax.npy")
      if !layer.classes.isEmpty {
        let shape = [layer.classes.count] + shape
        try write(layer.classes.map { layer.relevanceByClass[$0]! }, shape, "relmax-by-class.npy")
        try write(layer.classes.map { layer.activationByClass[$0]! }, shape, "actmax-by-class.npy")
      }
      heads.append(
        Head.Layer(
          node: layer.node, folder: name, channels: layer.channels, classes: layer.classes,
          explanations: layer.explanations, meanShare: (0..<layer.channels).map(layer.meanShare), shares: layer.shares))
    }
    let head = Head(
      configuration: header.configuration, inputs: inputs, files: files, top: top, failures: failures, layers: heads)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // Written last, so that an existing file implies that the other files exist too.
    try AtomicFiles.write(encoder.encode(head) + Data("\n".utf8), to: PathText.join(folder, Self.headName))
  }

  /// Reads an index.
  ///
  /// - Parameter folder: a folder that `write(to:)` wrote.
  /// - Throws: `RelevanceKitError` if there is no index, or if it is damaged.
  public init(contentsOf folder: some FileLocation) throws {
    let folder = folder.fileSystemPath
    let path = PathText.join(folder, Self.headName)
    let data = try ReadableFile.data(path, missing: "no such concept index; create one with relevance concepts index")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let head = try? decoder.decode(Head.self, from: data) else {
      throw SimpleError("\(path): expected an index written by relevance concepts index")
    }
    let items = head.inputs.count
    guard head.files.count == items, (1...1 << 20).contains(head.top), !head.layers.isEmpty,
      head.failures.allSatisfy({ (0..<items).contains($0.input) })
    else { throw SimpleError("\(path): the index is inconsistent") }
    let header = JournalHeader(
      evaluation: Self.evaluation, configuration: head.configuration, items: items, shard: .whole)
    self.init(
      header: header, inputs: head.inputs, files: head.files, nodes: head.layers.map(\.node), top: head.top)
    (done, failures) = (items, head.failures)
    for (index, layer) in head.layers.enumerated() {
      guard layer.shares.count == layer.channels, layer.explanations >= 0,
        PathText.parts(of: layer.folder) == (".", layer.folder), layer.folder != ".."
      else { throw SimpleError("\(path): the layer \(layer.node) is inconsistent") }
      (layers[index].shares, layers[index].explanations) = (layer.shares, layer.explanations)
      func rankings(_ name: String, _ shape: [Int]) throws -> [ReferenceRanking] {
        let path = PathText.join(PathText.join(folder, layer.folder), name)
        return try Self.rankings(path, shape, inputs: items)
      }
      let shape = [layer.channels, head.top]
      layers[index].relevance = try rankings("relmax.npy", shape)[0]
      layers[index].activation = try rankings("actmax.npy", shape)[0]
      guard !layer.classes.isEmpty else { continue }
      let classes = [layer.classes.count] + shape
      func byClass(_ name: String) throws -> [Int: ReferenceRanking] {
        Dictionary(zip(layer.classes, try rankings(name, classes))) { a, _ in a }
      }
      layers[index].relevanceByClass = try byClass("relmax-by-class.npy")
      layers[index].activationByClass = try byClass("actmax-by-class.npy")
    }
  }

  /// The rankings in an array, one for each part of channels × top.
  private static func rankings(_ path: String, _ shape: [Int], inputs: Int) throws -> [ReferenceRanking] {
    let data = try ReadableFile.data(path, missing: "no such file, or no permission to read it")
    let head = arrayHeader(shape)
    let parts = shape.dropLast(2).reduce(1, *)
    let size = shape.reduce(ReferenceRanking.bytesPerEntry) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard data.prefix(head.count) == head, data.count == head.count + size else {
      throw SimpleError(
        "\(path): expected references of shape \(shape.map(String.init).joined(separator: " × ")), as declared in "
          + "index.json")
    }
    let payload = Data(data.dropFirst(head.count))
    return try (0..<parts).map { part in
      let own = payload.dropFirst(part * size / parts).prefix(size / parts)
      guard let ranking = ReferenceRanking(top: shape[shape.count - 1], data: Data(own), inputs: inputs) else {
        throw SimpleError("\(path): its numbers are not a valid ranking")
      }
      return ranking
    }
  }

  /// The header of an array of references (NumPy's format, version 1.0).
  private static func arrayHeader(_ shape: [Int]) -> Data {
    NumPyFile.header(
      type: "[('input', '<i4'), ('class', '<i4'), ('value', '<f4'), ('row', '<i4'), ('column', '<i4')]", shape: shape)
  }

  /// Distinct folder names for several nodes.
  private static func folderNames(_ nodes: [String]) -> [String] {
    var taken: Set<String> = []
    return nodes.map { node in
      let plain = String(node.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }.prefix(100))
      let start = plain.isEmpty || plain.first == "." ? "_" + plain : plain
      var (name, number) = (start, 2)
      while !taken.insert(name.lowercased()).inserted { (name, number) = ("\(start)-\(number)", number + 1) }
      return name
    }
  }
}
