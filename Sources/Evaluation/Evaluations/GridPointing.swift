import RelevanceExplanations
import RelevanceFigures
import Foundation
import RelevanceImaging
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// The grid pointing game: images of different classes are combined into a grid. The score is the share of a class's
/// relevance in its own image. (M. Böhle, M. Fritz, B. Schiele, CVPR 2021; S. Rao, M. Böhle, B. Schiele, CVPR 2022:
/// GridPG.) The chance level is 1/n^2.
public struct GridPointing: NamedEvaluation {
  /// The number of images per row and column.
  public var cells = 2
  /// The number of grids.
  public var grids = 100
  /// The smallest softmax probability with which the network must predict an image's class.
  public var confidence = 0.8
  /// The size of the grids.
  public var layout = Layout.automatic
  /// The seed of the random choice of images.
  public var seed: UInt64 = 0

  /// Makes the evaluation with 100 grids of 2 × 2 images.
  public init() {}

  /// The size of a grid.
  public enum Layout: String, Sendable, CaseIterable {
    /// `full` if the network accepts such an image, otherwise `scaled`.
    case automatic
    /// n times the size of an image along each side, for networks that accept any size.
    case full
    /// The size of an image; the images in the grid are n times smaller.
    case scaled
  }

  /// An image with a confident prediction: its position in the data set, its label, which has the highest logit, and
  /// the softmax probability of this class.
  private struct Candidate: Codable {
    let image: Int
    let classIndex: Int
    let probability: Double
  }

  /// The results for a grid.
  package struct Record: Codable, Sendable {
    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// The cell with the image of the class, in row-major order from 0.
      package let cell: Int
      /// The logit of the class for the whole grid.
      package let logit: Float
      /// The distribution of each method's map over the grid, in the order of the subject's methods.
      package let scores: [GridScore]
    }

    /// The classes of the cells, in row-major order.
    package let targets: [Target]
  }

  /// Draws grids of images with confident predictions. The images of a grid have different classes.
  ///
  /// - Throws: `RelevanceKitError` if there are fewer classes than cells, or if the network cannot be run.
  /// - Complexity: one run of the network per image.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let candidates = try candidates(subject, on: data)
    let classes = Set(candidates.map(\.classIndex)).count
    guard classes >= cells * cells else {
      throw EvaluationError(
        "expected images of at least \(cells * cells) classes with confident predictions, found \(candidates.count) "
          + "images of \(classes) classes")
    }
    let grids = (0..<grids).map { number in
      // Each grid has its own seed, so a larger number of grids starts with the same ones.
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

  /// The images whose own class the network predicts with a sufficient probability, in the order of the data set.
  /// Images that cannot be read are left out.
  private func candidates(_ subject: Subject, on data: DataSet) throws -> [Candidate] {
    try subject.kept(
      "candidates-\(subject.cacheName(for: data, withNetwork: true))-\(confidence).json",
      "selecting images with confident predictions", total: data.images.count,
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

  /// Combines images into one.
  private func grid(of images: [RGBImage], isFull: Bool, by resampling: Resampling) throws -> RGBImage {
    let n = self.cells
    let (width, height) = (images[0].width * (isFull ? n : 1), images[0].height * (isFull ? n : 1))
    guard n <= min(width, height) else {
      throw EvaluationError("an image of \(width)×\(height) pixels cannot be divided into \(n)×\(n) cells")
    }
    let cells = try images.enumerated().map { cell, image in
      // Cell c starts at pixel c·side/n.
      func extent(_ cell: Int, of side: Int) -> Int { (cell + 1) * side / n - cell * side / n }
      return try image.resized(
        width: extent(cell % n, of: width), height: extent(cell / n, of: height), by: resampling)
    }
    return Montage(cells, columns: n, margin: 0).image()
  }
}

extension Subject {
  /// Whether the network accepts images that are `factor` times larger than those of the preprocessing, with the same
  /// classes.
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
  package static let abstract = "Measures the share of a class's relevance in its own image within a grid of images."
  package static let discussion = """
    The grid pointing game needs no boxes: images of different classes, which the network predicts with confidence, \
    are combined into a grid of n by n images. The chance level is 1/n^2.

    Example: relevance evaluate grid squeezenet1.1 val/ --cells 3 --grids 500
    """
  public static let parameters: [Parameter<Self>] = [
    .init(
      "cells", \.cells, "The number of images per row and column.", in: "n", expected: "2 to 100",
      where: (2...100).contains),
    .init(
      "grids", \.grids, "The number of grids.", in: "n", expected: "1 to 1000000", where: (1...1_000_000).contains),
    .init(
      "confidence", \.confidence, "The minimum probability with which the network must predict an image's class.",
      in: "probability",
      expected: "0 to 1", where: (0...1).contains),
    .init(
      "layout", \.layout,
      """
      The size of the grids: n times the size of an image (full), or the size of an image with smaller images in it \
      (scaled); automatic is full if the network accepts this size.
      """),
  ]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("cells", in: 2...100)
      .number("a class", in: JournalLimits.count) { $0.targets.map { Double($0.classIndex) } }
      .number("a logit", in: JournalLimits.logit) { $0.targets.map { Double($0.logit) } }
      .number("a share", in: JournalLimits.share) { $0.targets.flatMap { $0.scores.flatMap(\.shares) } }
      .number("a cell", in: 0...9999) { (record: Record) -> [Double] in
        let cells: [Int] = record.targets.flatMap { target -> [Int] in
          [target.cell] + target.scores.compactMap(\.maximum)
        }
        return cells.map { Double($0) }
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
    // A class without a positive logit has no support to point at.
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
