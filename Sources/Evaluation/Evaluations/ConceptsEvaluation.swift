import RelevanceExplanations
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// Measures how fast a class's logit and probability fall when channels of a layer are set to 0 by descending
/// relevance, compared with descending activation and random order. *Achtibat23*
///
/// This tests the relevance of channels: if the decision depends on these channels, its score falls without them. All
/// channels are 0 at the end, whichever their order, so an order is measured by how soon the score falls. Steps are
/// dense where few channels are 0: with one step per doubling, 1, 2, 4 channels and so on, up to all. The mean of a
/// curve is taken over the logarithm of the number of channels, from 1 to all, by the trapezoidal rule. A smaller mean
/// indicates a better order.
public struct ConceptsEvaluation: NamedEvaluation {
  /// The class to explain.
  public var target = TargetChoice.labeled
  /// The node whose channels are set to 0; its channels are those of a `Condition`.
  public var layer = ""
  /// The number of steps in which the number of zeroed channels doubles.
  public var steps = 1
  /// The number of random orders that are averaged for each target.
  public var randomOrders = 5
  /// The seed of the random orders.
  public var seed: UInt64 = 0

  /// Makes the evaluation with one step per doubling and without a layer.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    /// The effect of an order of the channels, from none to all; see `ChannelSteps`.
    package struct Curve: Codable, Sendable {
      /// The class's logit after each step.
      package let logits: [Double]
      /// The probability of the class after each step.
      package let probabilities: [Double]
    }

    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// The curves by the relevance of each method, by activation, and the mean over random orders.
      package let curves: [Curve]
    }

    package let targets: [Target]
  }

  /// Prepares an evaluation that sets channels to 0 for each image.
  ///
  /// - Parameters:
  ///   - subject: the subject, with methods that propagate relevance or gradients through the network.
  ///   - data: the images.
  /// - Throws: `RelevanceKitError` if labels are needed and no image has one, if no image can be run, if there is no
  ///   such layer between the input and the logits, or if a method does not compute relevance of its channels.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try target.images(of: data)
    if let method = subject.methods.first(where: { !$0.takesConditions }) {
      throw SimpleError(
        "\(method.name) does not compute relevance of channels; expected methods such as lrp, clrp1, clrp2 or gradient",
        .usage)
    }
    // These errors are reported once, not for every image.
    let first = try subject.firstTrace(of: images)
    let count = try first.channelCount(of: layer)
    for method in subject.methods { _ = try first.channels(of: layer, for: .top(1), by: method) }
    let counts = ChannelSteps(channels: count, perDoubling: steps).counts
    let configuration = [
      "layer": [layer], "channels": ["\(count)"], "steps": ["\(steps)"], "random orders": ["\(randomOrders)"],
      "seed": ["\(seed)"], "target": [target.rawValue],
    ]
    return subject.prepared(Self.self, images, of: data, configuration) { image, item in
      let trace = try subject.run(image).trace
      var generator = SplitMix64(state: seed &+ UInt64(item) &* 0x9E37_79B9)
      return Record(
        targets: try target.classes(of: image, in: trace).map { classIndex in
          let orders = try orders(for: classIndex, in: trace, by: subject.methods, drawnBy: &generator)
          let curves = try curves(orders, counts, of: classIndex, in: trace)
          let named = subject.methods.count + 1
          return Record.Target(
            classIndex: classIndex, curves: Array(curves[..<named]) + [Record.Curve(meanOf: Array(curves[named...]))])
        })
    }
  }

  /// The channels by the relevance of each method, by activation, and in several random orders. Equal channels are
  /// ordered by number.
  private func orders(
    for classIndex: Int, in trace: Trace, by methods: [any AttributionMethod], drawnBy generator: inout SplitMix64
  ) throws -> [[Int]] {
    let ranked = try methods.map { method in
      let channels = try trace.channels(of: layer, for: .class(classIndex), by: method)[0]
      guard channels.allSatisfy(\.relevance.isFinite) else {
        throw EvaluationError("the relevance by \(method.description) at \(layer) is not finite (NaN or infinite)")
      }
      return channels
    }
    let any = try ranked.first ?? trace.channels(of: layer, for: .class(classIndex))[0]
    let active = any.sorted { ($0.activation, $1.channel) > ($1.activation, $0.channel) }
    let numbers = Array(any.indices)
    let random = (0..<randomOrders).map { _ in generator.shuffled(numbers) }
    return (ranked + [active]).map { $0.map(\.channel) } + random
  }

  /// The effect of each order on a class. Sets of channels that several orders share are run once.
  private func curves(_ orders: [[Int]], _ counts: [Int], of classIndex: Int, in trace: Trace) throws -> [Record.Curve]
  {
    var runs: [[Int]] = []
    var known: [[Int]: Int] = [:]
    let places = orders.map { order in
      counts.map { count -> Int in
        let channels = order.prefix(count).sorted()
        if let run = known[channels] { return run }
        known[channels] = runs.count
        runs.append(channels)
        return runs.count - 1
      }
    }
    let scores = try trace.scores(settingToZero: runs, of: layer)
    return places.map { places in
      Record.Curve(
        logits: places.map { Double(scores[$0].logits[classIndex]) },
        probabilities: places.map { scores[$0].probabilities[classIndex] })
    }
  }
}

extension ConceptsEvaluation.Record.Curve {
  /// The step-by-step mean of at least one curve; all curves have the same length.
  fileprivate init(meanOf curves: [Self]) {
    func mean(_ values: (Self) -> [Double]) -> [Double] {
      values(curves[0]).indices.map { step in
        curves.reduce(0) { $0 + values($1)[step] } / Double(curves.count)
      }
    }
    self.init(logits: mean(\.logits), probabilities: mean(\.probabilities))
  }
}

extension Subject {
  /// A run of the first image that can be run.
  fileprivate func firstTrace(of images: [LabeledImage]) throws -> Trace {
    var failure: any RelevanceKitError = EvaluationError.nothingToEvaluate(needs: "readable pixels")
    for (number, image) in images.enumerated() {
      do { return try run(image).trace } catch let error as any RelevanceKitError {
        if number == 0 { failure = error }
      }
    }
    throw failure
  }
}

extension SplitMix64 {
  /// The values in a uniformly random order. (R. Durstenfeld, CACM 7, 1964.)
  fileprivate mutating func shuffled(_ values: [Int]) -> [Int] {
    var result = values
    for last in result.indices.dropFirst().reversed() { result.swapAt(last, nextIndex(below: last + 1)) }
    return result
  }
}
