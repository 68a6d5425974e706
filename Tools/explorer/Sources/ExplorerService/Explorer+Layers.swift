import Foundation
import RelevanceKit

/// Identifies the receptive fields of a layer for an input shape.
struct FieldsKey: Hashable {
  let model: String
  let node: String
  let shape: [Int]
}

extension Explorer {
  /// The relevance at a layer, as a map and by channel.
  public func layer(_ question: Question) throws -> LayerAnswer {
    let start = ContinuousClock.now
    let node = try question.required(\.node, "node")
    return try with(question) { run, entry in
      let target = try question.explained(labels: entry.model.labels)
      let method = try question.explainedBy()
      let conditions = try question.conditions()
      let relevance = try run.trace.relevance(
        of: target, at: node, by: method, through: conditions, exclusive: question.exclusive)
      // Not every layer has channels.
      let channels =
        (try? run.trace.channels(of: node, for: target, by: method, through: conditions, exclusive: question.exclusive)[
          0])
        ?? []
      return LayerAnswer(
        node: node, shape: relevance.shape.dimensions,
        map: try Self.positions(of: relevance, channelsLast: entry.hasChannelsLast).map { try MapAnswer($0) },
        channels: channels.prefix(question.top ?? 24).map { ChannelRow($0) }, channelCount: channels.count,
        milliseconds: milliseconds(since: start))
    }
  }

  /// The relevance by position, summed over channels, for layers of channels × height × width or of a square grid of
  /// tokens. A class token before the grid is left out. Nil for other layers.
  private static func positions(of relevance: Tensor, channelsLast: Bool) throws -> Tensor? {
    let shape = relevance.shape.dimensions
    if shape.count == 4, shape[0] == 1 {
      let moved = channelsLast ? relevance.transposed([0, 3, 1, 2]) : relevance
      return moved.shape[2] * moved.shape[3] > 1 ? try Heatmap(moved).values : nil
    }
    guard shape.count == 3, shape[0] == 1, let (side, first) = square(shape[1]) else { return nil }
    let features = shape[2]
    return relevance.withUnsafeElements { values in
      Tensor(
        shape: [side, side],
        elements: (first..<shape[1]).map { token in
          Float(values[token * features..<(token + 1) * features].reduce(0.0) { $0 + Double($1) })
        })
    }
  }

  /// The side of a square grid of tokens, and the index of its first token.
  private static func square(_ tokens: Int) -> (side: Int, first: Int)? {
    for first in 0...1 {
      let side = Int(Double(tokens - first).squareRoot().rounded())
      if side > 1, side * side == tokens - first { return (side, first) }
    }
    return nil
  }

  /// The units of a layer whose receptive field includes a pixel, in descending order of their relevance for a target.
  public func units(_ question: Question) throws -> UnitsAnswer {
    let start = ContinuousClock.now
    let node = try question.required(\.node, "node")
    let pixel = try question.required(\.pixel, "pixel")
    return try with(question) { run, entry in
      guard (0..<run.image.width).contains(pixel[0]), (0..<run.image.height).contains(pixel[1]) else {
        throw ServiceError(
          .unanswerable,
          "pixel is \(pixel[0]), \(pixel[1]); the network's input is \(run.image.width)×\(run.image.height)")
      }
      let target = try question.explained(labels: entry.model.labels)
      let relevance = try run.trace.relevance(
        of: target, at: node, by: question.explainedBy(), through: question.conditions(), exclusive: question.exclusive)
      let shape = relevance.shape.dimensions
      guard shape.count == 4, shape[0] == 1, !entry.hasChannelsLast else {
        throw ServiceError(
          .unanswerable, "the output of \(node) is not channels × height × width; choose another layer")
      }
      let fields = try fields(entry, node, run.trace.input.shape)
      let units = try Self.units(
        of: relevance, node: node, including: pixel, fields, top: question.top ?? 12)
      return UnitsAnswer(node: node, pixel: pixel, units: units, milliseconds: milliseconds(since: start))
    }
  }

  private static func units(
    of relevance: Tensor, node: String, including pixel: [Int], _ fields: ReceptiveFields, top: Int
  ) throws -> [UnitRow] {
    let (height, width) = (relevance.shape[2], relevance.shape[3])
    let values = relevance.elements
    let total = values.reduce(0.0) { $0 + Double(abs($1)) }
    var known: [Int: (includesPixel: Bool, box: [Int])] = [:]
    var found: [UnitRow] = []
    let order = values.indices.filter { values[$0] > 0 }.sorted { (values[$1], $0) < (values[$0], $1) }
    for index in order where found.count < top {
      let (channel, place) = index.quotientAndRemainder(dividingBy: height * width)
      let position = [place / width, place % width]
      if known[place] == nil {
        let field = try fields.field(at: position)
        let (rows, columns) = (field.rows, field.columns)
        known[place] = (
          rows.contains(pixel[1]) && columns.contains(pixel[0]),
          [columns.lowerBound, rows.lowerBound, columns.count, rows.count]
        )
      }
      guard known[place]!.includesPixel else { continue }
      found.append(
        UnitRow(
          channel: channel, position: position, relevance: values[index],
          share: total > 0 ? Double(values[index]) / total : 0,
          target: Target.unit(node: node, channel: channel, position: position).description, field: known[place]!.box))
    }
    return found
  }

  func fields(_ entry: Models.Entry, _ node: String, _ shape: TensorShape) throws -> ReceptiveFields {
    let key = FieldsKey(model: entry.name, node: node, shape: shape.dimensions)
    if let found = fields.withLock({ $0.value(for: key) }) { return found }
    let made = try entry.model.network.receptiveFields(of: node, forInput: shape)
    fields.withLock { $0.keep(made, for: key, size: 1) }
    return made
  }

  /// The scores before and after setting some channels of a layer to 0.
  public func ablate(_ question: Question) throws -> AblationAnswer {
    let start = ContinuousClock.now
    let node = try question.required(\.node, "node")
    guard !question.channels.isEmpty else { throw ServiceError(.malformed, "the request has no channels") }
    return try with(question) { run, entry in
      let target = try run.trace.explain(question.explained(labels: entry.model.labels), by: .lrp, ledger: false).target
      let logits = try run.trace.logits(settingToZero: [question.channels], of: node)[0]
      func score(_ logits: Tensor) throws -> AblationAnswer.Score {
        guard case .class(let index, nil) = target, !run.trace.layout.hasPositions else {
          throw ServiceError(.unanswerable, "target is \(target); expected a class of a network without positions")
        }
        let scores = logits.reshaped(to: [run.trace.classes, 1])
        let found = Prediction.ranking(scores, layout: run.trace.layout).first { $0.classIndex == index }
        return .init(score: found?.logit ?? 0, probability: found?.probability)
      }
      return AblationAnswer(
        title: target.title(entry.model.labels), before: try score(run.trace.logits), after: try score(logits),
        scores: try Self.scores(of: run.trace, logits: logits, entry, top: question.top ?? 5),
        milliseconds: milliseconds(since: start))
    }
  }
}
