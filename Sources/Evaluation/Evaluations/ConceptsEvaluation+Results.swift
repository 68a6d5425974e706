import RelevanceExplanations
import RelevanceFigures
import Foundation
import RelevancePropagation

extension ConceptsEvaluation {
  public static let name = "concepts"
  package static let abstract =
    "Measures how fast a class's score falls when channels of a layer are set to 0 by descending relevance."
  package static let discussion = """
    The channels of a layer are set to 0 in descending order of their relevance for the class by each method, in \
    descending order of their activation, and in random order: 1, 2, 4 channels and so on, up to all. The report lists \
    the change of the class's logit and its probability as curves, and the means of the curves over the logarithm of \
    the number of channels, with differences to activation, random and lrp. A smaller mean indicates a better order: \
    the class depends on these channels.

    Example: relevance evaluate concepts squeezenet1.1 val/ --layer relu_fire9_expand3x3 --method lrp --method clrp1
    """
  public static let parameters: [Parameter<Self>] = [
    .target(\.target),
    .init(
      "layer", \.layer, "The layer: a node between the input and the logits; relevance inspect lists them.", in: "node"
    ),
    .init(
      "steps", \.steps, "The number of steps in which the number of zeroed channels doubles, from 1 to all.",
      in: "n", expected: "1 to 100", where: (1...100).contains),
    .init(
      "random-orders", \.randomOrders, "The number of random orders to average for each class of an image.", in: "n",
      expected: "1 to 1000", where: (1...1000).contains),
  ]
  package static let usualMethods: [any AttributionMethod] = [.lrp]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("steps", in: 1...100)
      .setting("channels", in: 1...1_000_000, multipliesCells: false)
      .number("a class", in: JournalLimits.count) { $0.targets.map { Double($0.classIndex) } }
      .number("a logit", in: JournalLimits.logit) { $0.targets.flatMap { $0.curves.flatMap(\.logits) } }
      .number("a probability", in: JournalLimits.share) { $0.targets.flatMap { $0.curves.flatMap(\.probabilities) } }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    let steps = ChannelSteps(header).counts.count
    return record.targets.allSatisfy { target in
      JournalHeader.isClass(target.classIndex) && target.curves.count == orders(header).count
        && target.curves.allSatisfy { $0.logits.count == steps && $0.probabilities.count == steps }
    }
  }

  /// The names of a record's curves.
  private static func orders(_ header: JournalHeader) -> [String] { header.methods + ["activation", "random"] }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let steps = ChannelSteps(journal.header)
    let orders = orders(journal.header)
    let pairs = journal.parts(\Record.targets)
    /// One table with the means of a measurement of the curves, and one with its values.
    func tables(_ title: String, _ values: @escaping (Record.Curve) -> [Double]) -> (
      means: ResultTable, curve: ResultTable
    ) {
      func mean(_ order: Int) -> Bootstrap.Statistic {
        .mean(Measurements(pairs) { steps.mean(of: values($0.curves[order])) })
      }
      let means = ResultTable(
        title: title, columns: ["order", "mean"] + rivals.map { "mean, less \($0)" }, methods: orders
      ) { index in [bootstrap.cell(mean(index))] + rivals.map { bootstrap.cell(orders, index, less: $0, mean) } }
      let curve = ResultTable(
        title: "\(title) by number of channels set to 0", columns: ["channels"] + orders,
        rows: steps.counts.indices.map { step in
          [.count(steps.counts[step])]
            + orders.indices.map { order in
              bootstrap.cell(.mean(Measurements(pairs) { values($0.curves[order])[step] }))
            }
        })
      return (means, curve)
    }
    let changes = tables("Change of the logit") { curve in curve.logits.map { $0 - curve.logits[0] } }
    let probabilities = tables("Probability", \.probabilities)
    let start = pairs.isEmpty ? 0 : pairs.reduce(0) { $0 + $1.part.curves[0].logits[0] } / Double(pairs.count)
    return EvaluationResults(
      tables: [changes.means, probabilities.means, changes.curve, probabilities.curve],
      charts: [
        changes.curve.curves(
          "logit-by-channels", at: steps.places, title: "Logit as channels are set to 0", x: steps.axis,
          y: ChartAxis("mean change of the logit")),
        probabilities.curve.curves(
          "probability-by-channels", at: steps.places, title: "Probability as channels are set to 0", x: steps.axis,
          y: ChartAxis("mean probability", range: 0...1)),
      ],
      notes: [
        "\(pairs.count) targets in \(journal.found) images; before channels are set to 0, their mean logit is "
          + "\(ResultTable.short(start)).",
        "The layer \(journal.header.configuration["layer"]?.first ?? "") has \(steps.counts.last ?? 0) channels. Means "
          + "are over the logarithm of the number of channels set to 0, from 1 to all. A smaller mean indicates that "
          + "the score falls sooner.",
      ])
  }

  /// The orders to compare with.
  private static let rivals = ["activation", "random", "lrp"]
}

/// The number of channels set to 0 in each step: 0, 1, then a constant factor more with each step, up to all.
package struct ChannelSteps: Hashable, Sendable {
  /// The numbers of channels, ascending from 0 to all.
  package let counts: [Int]

  /// Makes steps in which `perDoubling` steps double the number of channels, as far as the numbers are integers.
  package init(channels: Int, perDoubling: Int) {
    var counts = [0]
    var step = 0
    while let last = counts.last, last < channels {
      let next = Int(exp2(Double(step) / Double(perDoubling)).rounded())
      if next > last { counts.append(min(next, channels)) }
      step += 1
    }
    self.counts = counts
  }

  /// The steps of a journal whose numbers are within bounds.
  init(_ header: JournalHeader) {
    self.init(channels: header.number("channels") ?? 1, perDoubling: header.number("steps") ?? 1)
  }

  /// The mean of one value per step over the logarithm of the number of channels from 1 to all, by the trapezoidal
  /// rule; for a single channel, its value.
  package func mean(of values: [Double]) -> Double {
    let width = log2(Double(counts[counts.count - 1]))
    guard width > 0 else { return values[values.count - 1] }
    var sum = 0.0
    for step in 2..<counts.count {
      let part = log2(Double(counts[step])) - log2(Double(counts[step - 1]))
      sum += (values[step - 1] + values[step]) / 2 * part
    }
    return sum / width
  }

  /// The positions of the steps on the axis: the logarithm of the number of channels, and −1 for no channels.
  var places: [Double] { counts.map { $0 == 0 ? -1 : log2(Double($0)) } }

  /// The axis, with marks at 0, at powers of two, and at the number of all channels unless another mark is too close.
  var axis: ChartAxis {
    let all = counts[counts.count - 1]
    let end = log2(Double(all))
    let powers = (0...Int(end)).map { ChartAxis.Mark(Double($0), "\(1 << $0)") }
    let inner = powers.filter { $0.value == end || end - $0.value > 0.5 }
    let marks = [ChartAxis.Mark(-1, "0")] + inner
    return ChartAxis("channels set to 0", marks: marks.last?.value == end ? marks : marks + [.init(end, "\(all)")])
  }
}
