import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Interrupted, divided, merged, written and read indexes are identical; damaged ones are rejected.
@Suite struct ConceptIndexTests {
  private let tiny: TinyRun
  private let subject: Subject
  private static let layers = ["relu", "conv"]

  init() throws {
    tiny = try TinyRun()
    subject = Subject(tiny.subject.explainer, methods: [.lrp])
  }

  private func prepared(_ change: (inout ConceptIndexing) -> Void = { _ in }) throws -> PreparedConceptIndex {
    var indexing = ConceptIndexing(layers: Self.layers)
    indexing.top = 2
    change(&indexing)
    return try indexing.prepared(subject, on: tiny.data)
  }

  /// The files of an index, by name.
  private func files(_ index: ConceptIndex) throws -> [String: Data] {
    let folder = tiny.scratch.path("index-\(UUID())")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try index.write(to: folder)
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return try Dictionary(
      uniqueKeysWithValues: names.filter { FileSystem.isFolder("\(folder)/\($0)") == false }.map {
        ($0, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")))
      })
  }

  private func error(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "nothing"
  }

  /// By loops in double precision: the relevance of a rectifier below a linear layer with rule z is value × weight.
  @Test(arguments: ConceptIndexing.Statistic.allCases, [true, false])
  func valuesMatchTheDefinition(statistic: ConceptIndexing.Statistic, isNormalized: Bool) throws {
    let prepared = try prepared { ($0.statistic, $0.isNormalized) = (statistic, isNormalized) }
    let index = try prepared.run(state: tiny.scratch.path("index.state"))
    let layer = try #require(index["relu"])
    #expect(layer.channels == TinyRun.channels && index["none"] == nil && index.inputs.count == 3)
    func statistics(_ values: [Double]) -> [Double] {
      let channels = (0..<TinyRun.channels).map { Array(values[$0 * TinyRun.plane..<($0 + 1) * TinyRun.plane]) }
      let own = channels.map { statistic == .sum ? $0.reduce(0, +) : $0.max()! }
      let whole = own.reduce(0) { $0 + abs($1) }
      return own.map { isNormalized ? (whole > 0 ? $0 / whole : 0) : $0 }
    }
    for channel in 0..<TinyRun.channels {
      // The best class of each image.
      var best: [(input: Int, value: Double, classIndex: Int, place: Int)] = []
      var active: [(input: Int, value: Double)] = []
      for image in 0..<3 {
        let values = tiny.rectified(tiny.input(image))
        active.append((image, statistics(values)[channel]))
        let found = TinyRun.labels[image].map { label in
          let relevance = zip(values, tiny.weights(of: label)).map { $0 * $1 }
          let own = relevance[channel * TinyRun.plane..<(channel + 1) * TinyRun.plane]
          return (
            input: image, value: statistics(relevance)[channel], classIndex: label,
            place: own.indices.max { own[$0] < own[$1] }! - own.startIndex
          )
        }
        best.append(found.max { $0.value < $1.value }!)
        for (label, value) in zip(TinyRun.labels[image], found) {
          let reference = try #require(layer.references(of: channel, classIndex: label).first)
          #expect(reference.input == image && isClose(Double(reference.value), value.value))
          #expect(
            isClose(
              Double(layer.references(of: channel, by: .activation, classIndex: label)[0].value), active[image].value)
          )
        }
      }
      let expected = best.sorted { $0.value > $1.value }.prefix(2)
      let references = layer.references(of: channel)
      #expect(
        references.map(\.input) == expected.map(\.input) && references.map(\.classIndex) == expected.map(\.classIndex))
      for (reference, expected) in zip(references, expected) {
        #expect(isClose(Double(reference.value), expected.value))
        if expected.value != 0 {
          #expect(reference.position == [expected.place / TinyRun.width, expected.place % TinyRun.width])
        }
      }
      let byActivation = active.sorted { $0.value > $1.value }.prefix(2)
      #expect(layer.references(of: channel, by: .activation).map(\.input) == byActivation.map(\.input))
      #expect(layer.references(of: channel, classIndex: 999).isEmpty)
    }
    let shares = (0..<TinyRun.channels).map { layer.meanShare(of: $0) }
    #expect(shares.allSatisfy { abs($0) <= 1 } && shares.contains { $0 != 0 })
  }

  @Test(arguments: [1, 2, 3, 5]) func mergedShardsMatchTheWhole(count: Int) throws {
    let whole = try files(prepared().run(state: tiny.scratch.path("whole.state")))
    let states = try (1...count).map { number in
      let path = tiny.scratch.path("index-\(number)-of-\(count).state")
      _ = try prepared().run(state: path, shard: #require(Shard(rawValue: "\(number)/\(count)")))
      return path
    }
    #expect(try files(.merging(states.reversed())) == whole)
    #expect(Set(whole.keys).isSuperset(of: ["index.json", "relu/relmax.npy", "conv/actmax-by-class.npy"]))
  }

  /// Stopped after each of the images, and by a cancellation.
  @Test(arguments: [0, 1, 2]) func interruptedRunsContinue(after: Int) throws {
    struct Stop: Error {}
    let whole = try files(prepared().run(state: tiny.scratch.path("whole.state")))
    let path = tiny.scratch.path("index.state")
    #expect(throws: Stop.self) {
      _ = try prepared().run(state: path) { if $0.done > after { throw Stop() } }
    }
    #expect(
      error { _ = try prepared().run(state: path) }.hasSuffix(
        "use --resume to continue it, or another --output to start again"))
    #expect(!FileSystem.exists(path + ".lock"))
    var seen: [Int] = []
    #expect(try files(prepared().run(state: path, resumes: true) { seen.append($0.done) }) == whole)
    #expect(seen == Array((after + 2)..<4))
  }

  @Test func incompatiblePartsAreRejected() throws {
    let path = tiny.scratch.path("index.state")
    let index = try prepared().run(state: path)
    #expect(
      error { _ = try prepared { $0.top = 3 }.run(state: path, resumes: true) }.hasSuffix(
        "index.state cannot be continued: it has top 2, not 3"))
    #expect(error { _ = try prepared { $0.layers = ["relu", "nothing"] } }.contains("nothing"))
    #expect(error { _ = try prepared { $0.layers = ["relu", "relu"] } }.contains("different layers"))
    let gradients = Subject(tiny.subject.explainer, methods: [.gradCAM])
    #expect(
      error { _ = try ConceptIndexing(layers: ["relu"]).prepared(gradients, on: tiny.data) }.contains(
        "does not propagate relevance"))
    let shard = tiny.scratch.path("index-1-of-2.state")
    _ = try prepared().run(state: shard, shard: #require(Shard(rawValue: "1/2")))
    #expect(error { _ = try ConceptIndex.merging([shard]) } == "expected all shards of the index, found 1/2")
    #expect(error { _ = try ConceptIndex.merging([shard, shard]) }.hasSuffix("shard 1/2 occurs twice"))
    #expect(error { _ = try ConceptIndex.merging([path, shard]) }.contains("are not of the same index"))
    let folder = tiny.scratch.path("out")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try prepared().finish(index, in: folder, state: path)
    #expect(!FileSystem.exists(path))
    #expect(error { _ = try prepared().finished(in: folder, resumes: false) }.contains("exists already"))
    #expect(try prepared().finished(in: folder, resumes: true)?.inputs == index.inputs)
    #expect(try prepared().finished(in: tiny.scratch.path("model"), resumes: true) == nil)
    #expect(
      error { _ = try prepared { $0.target = .predicted }.finished(in: folder, resumes: true) }.contains(
        "cannot be continued"))
  }

  /// An index that is read equals the one that was written.
  @Test func foldersAreRead() throws {
    let index = try prepared().run(state: tiny.scratch.path("index.state"))
    let folder = tiny.scratch.path("out")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try index.write(to: folder)
    let read = try ConceptIndex(contentsOf: folder)
    #expect(read.layers == index.layers && read.inputs == index.inputs && read.files == index.files)
    #expect(try files(read) == files(index))
  }

  /// A changed or missing byte leads to an error, or to the same index.
  @Test func damageIsRejected() throws {
    let path = tiny.scratch.path("index.state")
    let index = try prepared().run(state: path)
    let state = try Data(contentsOf: URL(fileURLWithPath: path))
    let whole = try files(index)
    var generator = SplitMix64(state: 7)
    var refused = 0
    for round in 0..<400 {
      var damaged = state
      if round % 4 == 0 {
        damaged = damaged.prefix(generator.nextIndex(below: state.count))
      } else {
        damaged[generator.nextIndex(below: state.count)] = UInt8(generator.nextIndex(below: 256))
      }
      try damaged.write(to: URL(fileURLWithPath: path))
      do { _ = try ConceptIndex(state: path) } catch {
        #expect(error is any RelevanceKitError, "\(error)")
        refused += 1
      }
    }
    #expect(refused > 300)
    let folder = tiny.scratch.path("out")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in whole.keys.sorted() {
      try index.write(to: folder)
      let data = try #require(whole[name])
      let file = URL(fileURLWithPath: "\(folder)/\(name)")
      for _ in 0..<60 {
        var damaged = data
        damaged[generator.nextIndex(below: data.count)] = UInt8(generator.nextIndex(below: 256))
        try damaged.write(to: file)
        do { _ = try ConceptIndex(contentsOf: folder) } catch {
          #expect(error is any RelevanceKitError, "\(name): \(error)")
        }
      }
      try data.prefix(data.count / 2).write(to: file)
      #expect(error { _ = try ConceptIndex(contentsOf: folder) }.contains(name))
    }
  }
}
