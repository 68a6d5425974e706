import RelevanceExplanations
import RelevanceFigures
import Foundation
import RelevanceImaging
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// The grid pointing game: images of different classes side by side; how much of what speaks for a class lies in its
/// own image? (M. Böhle, M. Fritz, B. Schiele, CVPR 2021; S. Rao, M. Böhle, B. Schiele, CVPR 2022: GridPG.) Chance is
/// 1/n².
public struct GridPointing: NamedEvaluation {
  /// Images in a row and in a column.
  public var cells = 2
  /// How many grids.
  public var grids = 100
  /// How sure the network must be of an image's class, as a softmax probability.
  public var confidence = 0.8
  /// How images are put into a grid.
  public var layout = Layout.automatic
  /// What is drawn at random: the same for the same seed.
  public var seed: UInt64 = 0

  /// 100 grids of 2 × 2.
  public init() {}

  /// How large a grid is.
  public enum Layout: String, Sendable, CaseIterable {
    /// `full` if the network takes such an image, otherwise `scaled`.
    case automatic
    /// n times as large as an image on each side: for networks that take any size.
    case full
    /// As large as an image; those in it are made n times smaller.
    case scaled
  }

  /// An image that the network is sure of: its position in the data set, the class that it is labeled with and that the
  /// network gives the highest logit, and that class's softmax probability.
  private struct Candidate: Codable {
    let image: Int
    let classIndex: Int
    let probability: Double
  }

  /// What was found for a grid.
  package struct Record: Codable, Sendable {
    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// The cell with its image, counted row by row from 0.
      package let cell: Int
      /// Its logit in the whole grid.
      package let logit: Float
      /// How each method's map lies in the grid, in the order of the subject's methods.
      package let scores: [GridScore]
    }

    /// The classes of the cells, row by row.
    package let targets: [Target]
  }

  /// Draws grids of images that the network is sure of, no two of a grid of the same class.
  ///
  /// - Throws: a `RelevanceKitError` if there are fewer classes than cells, or if the network cannot be run.
  /// - Complexity: one run of the network per image.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let candidates = try candidates(subject, on: data)
    let classes = Set(candidates.map(\.classIndex)).count
    guard classes >= cells * cells else {
      throw EvaluationError(
        "expected images of at least \(cells * cells) classes that the network is sure of, found \(candidates.count) of "
          + "\(classes)")
    }
    let grids = (0..<grids).map { number in
      // Each grid by its own number, so that more grids begin with the same ones.
      var generator = SplitMix64(state: seed &+ UInt64(number) &* 0x9E37_79B9)
      var chosen: [Candidate] = []
      while chosen.count < cells * cells {
        let candidate = candidates[generator.nextIndex(below: candidates.count)]
        if !chosen.contains(where: { $0.classIndex == candidate.classIndex }) { chosen.append(candidate) }
      }
      return chosen
    }
    let isFull = layout == .full || layout == .automatic && subject.takesImages(larger: cells)
    let configuration = [
      "cells": ["\(cells)"], "layout": [isFull ? "full" : "scaled"], "confidence": ["\(confidence)"],
      "seed": ["\(seed)"],
    ]
    return PreparedEvaluation(
      Self.self, configuration: subject.configuration(on: data, configuration),
      items: grids.map { grid in grid.map { data.images[$0.image].name }.joined(separator: " ") }
    ) { item in
      let images = try grids[item].map {
        try subject.preprocessing.visible(RGBImage(contentsOf: data.images[$0.image].path))
      }
      let grid = try grid(of: images, isFull: isFull, by: subject.preprocessing.resampling)
      let trace = try subject.trace(subject.preprocessing.normalized(grid), of: "grid \(item)")
      let maps = try subject.maps(of: grids[item].map { .class($0.classIndex) }, in: trace, item: item)
      return Record(
        targets: grids[item].enumerated().map { cell, candidate in
          Record.Target(
            classIndex: candidate.classIndex, cell: cell, logit: trace.logits[0, candidate.classIndex],
            scores: maps.map { GridScore($0[cell], cells: cells) })
        })
    }
  }

  /// The images that the network gives their own class with enough probability, in the data set's order; images that
  /// cannot be read are left out.
  private func candidates(_ subject: Subject, on data: DataSet) throws -> [Candidate] {
    try subject.kept(
      "candidates-\(subject.cacheName(for: data, withNetwork: true))-\(confidence).json",
      "looking for images that the network is sure of", total: data.images.count,
      read: { try? JSONDecoder().decode([Candidate].self, from: $0) }, write: { try JSONEncoder().encode($0) }
    ) { progress in
      try data.images.enumerated().compactMap { number, image in
        progress(number)
        guard let input = try? subject.input(image) else { return nil }
        let scores = try subject.explainer.scores(of: [input.tensor])[0]
        let best = scores.best
        guard image.classes.contains(best), scores.probabilities[best] >= confidence else { return nil }
        return Candidate(image: number, classIndex: best, probability: scores.probabilities[best])
      }
    }
  }

  /// Images as one.
  private func grid(of images: [RGBImage], isFull: Bool, by resampling: Resampling) throws -> RGBImage {
    let n = self.cells
    let (width, height) = (images[0].width * (isFull ? n : 1), images[0].height * (isFull ? n : 1))
    guard n <= min(width, height) else {
      throw EvaluationError("an image of \(width)×\(height) pixels has no \(n)×\(n) cells")
    }
    let cells = try images.enumerated().map { cell, image in
      // Cell c has the pixels from c·side/n on.
      func extent(_ cell: Int, of side: Int) -> Int { (cell + 1) * side / n - cell * side / n }
      return try image.resized(
        width: extent(cell % n, of: width), height: extent(cell / n, of: height), by: resampling)
    }
    return Montage(cells, columns: n, margin: 0).image()
  }
}

extension Subject {
  /// Whether the network takes images that are so many times larger than the preprocessing makes them, and says the
  /// same classes of them.
  fileprivate func takesImages(larger factor: Int) -> Bool {
    guard let crop = preprocessing.crop else { return false }
    let graph = explainer.network.graph
    func classes(_ factor: Int) -> Int? {
      let shape: TensorShape = [1, 3, crop.height * factor, crop.width * factor]
      return (try? graph.shapes(forInput: shape))?[explainer.network.logits.index].count
    }
    return classes(factor) != nil && classes(factor) == classes(1)
  }
}

extension GridPointing.Layout: ParameterValue {}

extension GridPointing {
  public static let name = "grid"
  package static let abstract = "How much of what speaks for a class lies in its own image of a grid of images."
  package static let discussion = """
    The grid pointing game needs no boxes: n by n images of different classes, of which the network is sure, are put side by side. \
    Chance is one in n times n.

    Example: relevance evaluate grid squeezenet1.1 val/ --cells 3 --grids 500
    """
  public static let parameters: [Parameter<Self>] = [
    .init(
      "cells", \.cells, "Images in a row and in a column.", in: "n", expected: "2 to 100", where: (2...100).contains),
    .init(
      "grids", \.grids, "How many grids.", in: "n", expected: "1 to 1000000", where: (1...1_000_000).contains),
    .init(
      "confidence", \.confidence, "How sure the network must be of an image's class.", in: "probability",
      expected: "0 to 1", where: (0...1).contains),
    .init(
      "layout", \.layout,
      """
      Grids n times as large as images (full), or as large with images made smaller (scaled); automatic is full where the \
      network takes them.
      """),
  ]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("cells", in: 2...100)
      .number("a class", in: JournalLimits.count) { $0.targets.map { Double($0.classIndex) } }
      .number("a logit", in: JournalLimits.logit) { $0.targets.map { Double($0.logit) } }
      .number("a share", in: JournalLimits.share) { $0.targets.flatMap { $0.scores.flatMap(\.shares) } }
      .number("a cell", in: 0...9999) {
        $0.targets.flatMap { [$0.cell] + $0.scores.compactMap(\.maximum) }.map(Double.init)
      }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    let cells = header.number("cells") ?? 0
    return record.targets.allSatisfy { target in
      JournalHeader.isClass(target.classIndex) && target.scores.count == header.methods.count
        && target.scores.allSatisfy { $0.shares.count == cells * cells && $0.shares.indices.contains(target.cell) }
    }
  }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let pairs = journal.parts(\Record.targets)
    // What the network does not vote for has no support that could be pointed at.
    let supported = pairs.filter { $0.part.logit > 0 }
    func mean(_ value: (Record.Target) -> Double) -> Bootstrap.Statistic { .mean(Measurements(supported, value)) }
    let table = ResultTable(
      title: "Grid pointing", columns: ["method", "energy", "pointing", "energy, less lrp", "empty maps"],
      methods: methods
    ) { index in
      let energy = { (method: Int) in mean { $0.scores[method].shares[$0.cell] } }
      return [
        bootstrap.cell(energy(index)), bootstrap.cell(mean { $0.scores[index].maximum == $0.cell ? 1 : 0 }),
        bootstrap.cellLessLRP(methods, index, energy),
        .count(supported.count { $0.part.scores[index].maximum == nil }),
      ]
    }
    let cells = journal.header.number("cells") ?? 2
    return EvaluationResults(
      tables: [table],
      charts: [table.bars("grid-pointing", of: ["energy", "pointing"], label: "in the right cell")],
      notes: [
        "\(supported.count) cells of \(journal.found) grids; chance is \(ResultTable.short(1 / Double(cells * cells))).",
        "\(pairs.count - supported.count) cells whose class has a logit of 0 or less in the grid are left out.",
      ])
  }
}
