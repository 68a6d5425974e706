import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of “Evaluate explanations”.
@Suite struct EvaluationExamples {
  @Test func pointing() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    let explainer = try Explainer(model)

    let classes = ClassNames(names: model.labels?.names ?? [:], count: 10)
    let annotations = at("Fixtures/digits/scenes/instances.json")
    let data = try DataSet.load(annotations, classes: classes)
    let methods: [any AttributionMethod] = [.lrp, .clrp1]
    let subject = Subject(explainer, methods: methods)
    let pointing = try Pointing().prepared(subject, on: data.sample(40, seed: 0))
    let journal = try pointing.run(journal: at("pointing.jsonl"), resumes: true) { progress in
      if let failure = progress.failure { print(failure.name, failure.error) }
    }
    #expect(journal.isComplete && journal.failures.isEmpty && data.images.count == 200)

    let results = journal.results()
    for table in results.tables { print(table.markdown) }
    for chart in results.charts {
      try chart.svg.write(toFile: at("\(chart.name).svg"), atomically: true, encoding: .utf8)
    }
    for note in results.notes { print(note) }
    #expect(results.tables[0].rows.count == 2 && results.notes[0].hasPrefix("80 targets in 40 images"))
    #expect(FileManager.default.fileExists(atPath: at("hits-by-threshold.svg")))

    let records = try Journal(contentsOf: at("pointing.jsonl")).records(Pointing.Record.self)
    let hits = records.flatMap { $0.record.targets.map { $0.scores[1].maximumHits } }
    print(hits.count { $0 }, "of", hits.count)
    #expect(hits.count == 80 && hits.count { $0 } > 70)
  }

  @Test func shards() throws {
    let at = try Place()
    let scene = try Scene()
    let subject = Subject(scene.explainer, methods: [.lrp])
    let images = try DataSet.load(
      at("Fixtures/digits/scenes/instances.json"), classes: ClassNames(count: 10)
    ).sample(8, seed: 0)
    let pointing = try Pointing().prepared(subject, on: images)

    let parts = ["1/2", "2/2"].compactMap { Shard(rawValue: $0) }
    let paths = try parts.map { shard in
      let path = at("journal-\(shard.index)-of-\(shard.count).jsonl")
      _ = try pointing.run(journal: path, shard: shard)
      return path
    }
    let whole = try Journal.merging(paths)
    #expect(whole.records(Pointing.Record.self).count == 8)
    #expect(try whole.data() == pointing.run(journal: at("whole.jsonl")).data())
  }

  @Test func oneMap() throws {
    let trace = try Scene().trace

    let map = try SaliencyMap(try trace.explain(.class(8), by: .clrp1))
    let box = BoundingBox(left: 31, top: 24, right: 45, bottom: 47)
    let score = try PointingScore(map, in: Region([box], height: 64, width: 64, tolerance: 1))
    print(score.maximumHits, score.energyShare, score.hits(at: 0.5))
    #expect(score.maximumHits && score.energyShare > 0.93 && score.hits(at: 0.5))
  }
}
