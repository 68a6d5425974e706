import RelevancePropagation
import RelevanceTensors

/// A layer under rule z^B whose input exceeds the box that the rule assumes.
///
/// Outside the box, contributions have the wrong sign, so relevance can be negative or too large.
public struct BoxViolation: Hashable, Sendable {
  /// A channel that exceeds its box.
  public struct Channel: Hashable, Sendable {
    /// The channel of the layer's input, from 0.
    public let index: Int
    /// The box; its widest extent if it differs between positions.
    public let box: ClosedRange<Float>
    /// The range of the channel's values in the run.
    public let seen: ClosedRange<Float>
  }
  /// The layer.
  public let node: String
  /// The rule, as plans print it.
  public let rule: String
  /// The channels that exceed their boxes.
  public let channels: [Channel]
  /// The number of channels of the layer's input.
  public let channelCount: Int
  /// The keys with which a row selects the layer, and whether the box follows from the pixel range.
  fileprivate let selector: String
  fileprivate let isFromPixels: Bool
  /// The range of each channel, including channels within their boxes.
  fileprivate let spans: [ClosedRange<Float>]
}

extension BoxViolation: CustomStringConvertible {
  /// One sentence: the node, the box, the observed range, and a row that fits it.
  ///
  /// - Complexity: O(channels).
  public var description: String {
    let shown = channels.prefix(4).map {
      "channel \($0.index) has the range \(Self.text($0.seen)), but its box is \(Self.text($0.box))"
    }
    let rest = channels.count > shown.count ? "; and \(channels.count - shown.count) more channels" : ""
    let file =
      isFromPixels ? "a preprocessor_config.json with the mean and standard deviation of the model's inputs, or " : ""
    return
      "\(node): the input of the layer exceeds the box of rule zB, so relevance can have the wrong sign: "
      + shown.joined(separator: "; ") + rest
      + "; write \(file)a row {\(selector), rule: zB, lower: \(bounds(\.lowerBound, .down)), upper: "
      + "\(bounds(\.upperBound, .up))} (the range of this input; extend it to all inputs)"
  }

  /// `−103.9…151.1`
  private static func text(_ range: ClosedRange<Float>) -> String {
    "\(rounded(range.lowerBound, .toNearestOrEven))…\(rounded(range.upperBound, .toNearestOrEven))"
  }

  /// The observed bounds in the form of a row: one number per channel, or a single number for more than four channels.
  private func bounds(_ bound: KeyPath<ClosedRange<Float>, Float>, _ rule: FloatingPointRoundingRule) -> String {
    let values = spans.map { $0[keyPath: bound] }
    if channelCount > 4 {
      return Self.rounded((rule == .down ? values.min() : values.max()) ?? 0, rule)
    }
    return "[\(values.map { Self.rounded($0, rule) }.joined(separator: ", "))]"
  }

  /// A number with four significant digits.
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
  /// The layers under rule z^B whose input in this run exceeds the rule's box by more than a thousandth of its width.
  /// Do not trust explanations under the trace's rule table in this case. Methods with their own tables do not use z^B.
  ///
  /// - Complexity: O(elements of these layers' inputs) on every access.
  public var boxViolations: [BoxViolation] { plan.assignments.compactMap { boxViolation(of: $0.rule, at: $0.site) } }

  /// The violation of a rule that is tested at a layer; nil if the rule is not z^B or its box contains the input.
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
      // A box can be a single point, so the tolerance also depends on its magnitude.
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

  /// For each channel of a tensor, its box, the range of its values, and the largest distance of a value from its
  /// bounds.
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
          // The end of the run with the same channel and bounds.
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
