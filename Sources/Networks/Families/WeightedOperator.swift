import RelevanceTensors

/// A layer with constant weights and optionally a bias for each output channel.
package protocol WeightedOperator: Operator {
  var weight: Tensor { get }
  /// One number per output channel.
  var bias: Tensor? { get }
  var outputChannels: Int { get }
  var inputChannels: Int { get }
  /// The number of axes after the channels in the layer's operand.
  var spatialAxes: Int { get }
  /// The output channel of a weight, given the weight's indices along the first two axes.
  func outputChannel(row: Int, column: Int) -> Int
  /// The layer with other weights of the same shape, and another bias.
  func with(weight: Tensor, bias: Tensor?) -> Self
}

extension WeightedOperator {
  package var parameters: [Tensor] { [weight] + [bias].compactMap { $0 } }
  package func outputChannel(row: Int, column: Int) -> Int { row }

  /// - Throws: `Misfit` unless there is one bias per output channel, or none.
  func checkBias() throws {
    guard bias == nil || bias!.count == outputChannels else {
      throw Misfit("expected \(outputChannels) biases, found \(bias!.count)")
    }
  }

  package func turned(by signs: Signs, output: TensorShape) -> (any Operator)? {
    let axis = channels == .last ? output.rank - 1 : 1
    guard let flags = signs.flags(along: axis, count: outputChannels) else { return nil }
    let turned = weight.multiplied { flags[outputChannel(row: $0, column: $1)] ? -1 : 1 }
    return with(weight: turned, bias: bias?.turned(flags))
  }
}
