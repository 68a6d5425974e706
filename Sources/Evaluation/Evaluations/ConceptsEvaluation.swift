import RelevanceExplanations
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// How fast a class's logit and probability fall as channels of a layer are set to 0 by falling relevance, beside
/// falling activation and chance. *Achtibat23*
///
/// What relevance of channels says is put to the test: if they are what the decision is due to, it does not last
/// without them. All channels are 0 at the end, whatever their order, so what counts is how soon the class loses. Steps
/// lie close where few channels are 0: first one, then, with one step per doubling, two, four, and so on to all. A
/// curve's mean is taken over the logarithm of the number of channels, from one to all, by trapezes; the smaller, the
/// better the order.
public struct ConceptsEvaluation: NamedEvaluation {
  /// Which class is explained.
  public var target = TargetChoice.labeled
  /// The node whose channels are set to 0; they are those of a `Condition`.
  public var layer = ""
  /// In how many steps the number of channels that are 0 doubles.
  public var steps = 1
  /// Over how many random orders the curve of chance is averaged, for each target.
  public var randomOrders = 5
  /// Of the random orders.
  public var seed: UInt64 = 0

  /// One step per doubling, of no layer.
  public init() {}

  /// What was found for an image.
  package struct Record: Codable, Sendable {
    /// What an order of the channels does, from none of them to all; see `ChannelSteps`.
    package struct Curve: Codable, Sendable {
      /// The class's logit after each step.
      package let logits: [Double]
      /// Its probability.
      package let probabilities: [Double]
    }

    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// By the relevance of each method, by activation, and the mean of random orders.
      package let curves: [Curve]
    }

    package let targets: [Target]
  }

  /// Prepares to set channels to 0 for each image.
  ///
  /// - Parameters:
  ///   - subject: what is evaluated, by methods that carry relevance, or gradients, through the network.
  ///   - data: the images.
  /// - Throws: a `RelevanceKitError` if labels are needed and no image has any, if no image can be run, if there is no
  ///   such layer between the input and the logits, or if a method gives no relevance of its channels.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try target.images(of: data)
    if let method = subject.methods.first(where: { !$0.takesConditions }) {
      throw SimpleError(
        "\(method.name) gives no relevance of channels; expected methods such as lrp, clrp1, clrp2 or gradient", .usage)
    }
    // Said once, not for every image.
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

  /// The channels by the relevance of each method, by activation, and at random several times; equal ones by number.
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

  /// What each order does to a class. What several orders have in common is run once.
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
  /// The mean of curves of equal length, at least one, step by step.
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
    var failure: any RelevanceKitError = EvaluationError.nothingToEvaluate(needs: "pixels that can be read")
    for (number, image) in images.enumerated() {
      do { return try run(image).trace } catch let error as any RelevanceKitError {
        if number == 0 { failure = error }
      }
    }
    throw failure
  }
}

extension SplitMix64 {
  /// The same in a random order, each order as likely as another. (R. Durstenfeld, CACM 7, 1964.)
  fileprivate mutating func shuffled(_ values: [Int]) -> [Int] {
    var result = values
    for last in result.indices.dropFirst().reversed() { result.swapAt(last, nextIndex(below: last + 1)) }
    return result
  }
}
