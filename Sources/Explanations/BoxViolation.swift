import RelevancePropagation
import RelevanceTensors

/// A layer under rule z^B whose input, in a run, left the box that the rule takes for granted.
///
/// Outside the box contributions have the wrong sign: relevance can be negative or too large.
public struct BoxViolation: Hashable, Sendable {
  /// A channel that left its box.
  public struct Channel: Hashable, Sendable {
    /// The channel of the layer's input, from 0.
    public let index: Int
    /// The box, the widest where it differs from place to place.
    public let box: ClosedRange<Float>
    /// From the smallest to the largest value that the run had.
    public let seen: ClosedRange<Float>
  }
  /// The layer.
  public let node: String
  /// Its rule, as plans print it.
  public let rule: String
  /// The channels that left the box.
  public let channels: [Channel]
  /// How many channels the layer's input has.
  public let channelCount: Int
  /// Which nodes a row has to select to reach the layer, and whether the box follows from the pixels' range.
  fileprivate let selector: String
  fileprivate let isFromPixels: Bool
  /// The values of all channels, those within the box too.
  fileprivate let spans: [ClosedRange<Float>]
}

extension BoxViolation: CustomStringConvertible {
  /// One sentence: the node, the box, the range that was seen, and what to write.
  ///
  /// - Complexity: O(channels).
  public var description: String {
    let shown = channels.prefix(4).map {
      "channel \($0.index) has \(Self.text($0.seen)), its box is \(Self.text($0.box))"
    }
    let rest = channels.count > shown.count ? "; and \(channels.count - shown.count) more channels" : ""
    let file =
      isFromPixels ? "a preprocessor_config.json with the mean and standard deviation of the model's inputs, or " : ""
    return
      "\(node): the input of the layer leaves the box of rule zB, so that relevance can have the wrong sign: "
      + shown.joined(separator: "; ") + rest
      + "; write \(file)a row {\(selector), rule: zB, lower: \(bounds(\.lowerBound, .down)), upper: \(bounds(\.upperBound, .up))} "
      + "(as seen here; give what inputs can have)"
  }

  /// `−103.9…151.1`
  private static func text(_ range: ClosedRange<Float>) -> String {
    "\(rounded(range.lowerBound, .toNearestOrEven))…\(rounded(range.upperBound, .toNearestOrEven))"
  }

  /// What was seen, as it stands in a row: one number per channel, or one for all if there are many.
  private func bounds(_ bound: KeyPath<ClosedRange<Float>, Float>, _ rule: FloatingPointRoundingRule) -> String {
    let values = spans.map { $0[keyPath: bound] }
    if channelCount > 4 {
      return Self.rounded((rule == .down ? values.min() : values.max()) ?? 0, rule)
    }
    return "[\(values.map { Self.rounded($0, rule) }.joined(separator: ", "))]"
  }

  /// A number of four digits.
  private static func rounded(_ value: Float, _ rule: FloatingPointRoundingRule) -> String {
    guard value != 0 else { return "0" }
    var scale = 1.0
    var size = abs(Double(value))
    while size < 1000, scale < 1e9 { (scale, size) = (scale * 10, size * 10) }
    let result = (Double(value) * scale).rounded(rule) / scale
    return result == result.rounded() && abs(result) < 1e9 ? "\(Int(result))" : "\(Float(result))"
  }
}

extension Trace {
  /// The layers under rule z^B whose input in this run lies outside of the rule's box, by more than a thousandth of its width:
  /// explanations under the trace's rule table are not to be trusted then. Methods that bring their own tables use no z^B.
  ///
  /// - Complexity: O(elements of these layers' inputs) at every use.
  public var boxViolations: [BoxViolation] { plan.assignments.compactMap { boxViolation(of: $0.rule, at: $0.site) } }

  /// The same for a rule that is tried at a layer; nil if it is not z^B, or all is well.
  package func boxViolation(of rule: any Rule, at site: RuleSite) -> BoxViolation? {
    guard let rule = rule as? ZBoxRule, rule.objection(at: site) == nil else { return nil }
    let x = forward.value(of: site.node.inputs[0])
    guard x.count > 0 else { return nil }
    let bounds =
      rule.box == .fromPixels
      ? site.operandRange.map { $0.fitted(to: x.shape) }.map { ($0.lower, $0.upper) } : rule.bounds(at: site)
    guard let (lower, upper) = bounds else { return nil }
    let axis = site.kind == .gemm ? x.shape.rank - 1 : 1
    let found = Self.spans(of: x, axis: axis, lower, upper)
    let channels = found.enumerated().compactMap { index, span -> BoxViolation.Channel? in
      // Where the box is a point, rounding is a share of its size.
      let tolerance = max(
        1e-3 * (span.box.upperBound - span.box.lowerBound),
        1e-5 * max(abs(span.box.lowerBound), abs(span.box.upperBound)))
      return span.excess > tolerance ? BoxViolation.Channel(index: index, box: span.box, seen: span.seen) : nil
    }
    guard !channels.isEmpty else { return nil }
    let isFirst = plan.network.outermostWeightedNodes(before: plan.network.logits).first.contains(site.id)
    return BoxViolation(
      node: site.node.name, rule: rule.description, channels: channels, channelCount: x.shape[axis],
      selector: isFirst ? "op: \(site.kind), position: first" : "name: \(site.node.name)",
      isFromPixels: rule.box == .fromPixels, spans: found.map(\.seen))
  }

  /// Of each channel of a tensor its box, its values, and how far they are outside of their bounds at most.
  private static func spans(
    of x: Tensor, axis: Int, _ lower: Tensor, _ upper: Tensor
  ) -> [(box: ClosedRange<Float>, seen: ClosedRange<Float>, excess: Float)] {
    struct Span {
      var low = Float.infinity, high = -Float.infinity
      var lowest = Float.infinity, highest = -Float.infinity
      var excess = -Float.infinity
    }
    let (shape, channels) = (x.shape, x.shape[axis])
    let inner = x.shape.dimensions[(axis + 1)...].reduce(1, *)
    var spans = [Span](repeating: Span(), count: channels)
    let (l, h) = (lower.view, upper.view)
    x.withUnsafeElements { x in
      lower.forEachRun(broadcastTo: shape) { start, own, moves, count in
        var at = start
        while at < start + count {
          // As far as channel and bounds stay.
          let end = min(start + count, moves ? at + 1 : (at / inner + 1) * inner)
          let bound = own + (moves ? at - start : 0)
          var (low, high) = (Float.infinity, -Float.infinity)
          for i in at..<end {
            low = x[i] < low ? x[i] : low
            high = x[i] > high ? x[i] : high
          }
          let channel = at / inner % channels
          spans[channel].low = min(spans[channel].low, low)
          spans[channel].high = max(spans[channel].high, high)
          spans[channel].lowest = min(spans[channel].lowest, l[bound])
          spans[channel].highest = max(spans[channel].highest, h[bound])
          spans[channel].excess = max(spans[channel].excess, l[bound] - low, high - h[bound])
          at = end
        }
      }
    }
    return spans.map { ($0.lowest...max($0.lowest, $0.highest), $0.low...$0.high, $0.excess) }
  }
}
