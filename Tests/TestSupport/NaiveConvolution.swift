import RelevanceKit

/// A convolution by its definition, in double precision, as a reference for kernels and rules. It shares no code with
/// them.
///
/// A fully connected layer is a convolution between maps of a single pixel.
package struct NaiveConvolution: Sendable {
  private let weight: [Double]
  private let groups: Int
  private let inputs: Axis
  private let outputs: Axis
  private let kernel: (y: Int, x: Int)
  private let strides: (y: Int, x: Int)
  private let dilations: (y: Int, x: Int)
  private let before: (y: Int, x: Int)

  private struct Axis {
    let channels: Int
    let height: Int
    let width: Int
    var count: Int { channels * height * width }
  }

  /// The extents of an output item.
  package let outputItem: [Int]
  /// The number of elements of one input item.
  package var inputCount: Int { inputs.count }
  /// The number of elements of one output item.
  package var outputCount: Int { outputs.count }

  /// Creates the map of a convolution with explicit padding for items of the given extents: channels, then one or two
  /// spatial axes.
  package init(_ convolution: Convolution, item: [Int]) {
    guard case .explicit(let before, let after) = convolution.window.padding else {
      preconditionFailure("automatic padding has tests of its own")
    }
    let window = convolution.window
    func pair(_ list: [Int], _ filler: Int) -> (y: Int, x: Int) {
      list.count == 2 ? (list[0], list[1]) : (filler, list[0])
    }
    let (height, width) = pair(Array(item.dropFirst()), 1)
    kernel = pair(window.kernel, 1)
    strides = pair(window.strides, 1)
    dilations = pair(window.dilations, 1)
    self.before = pair(before, 0)
    let behind = pair(after, 0)
    /// The windows that are completely in the padded extent, counted one by one.
    func windows(_ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ before: Int, _ after: Int) -> Int {
      var count = 0
      while count * stride - before + (kernel - 1) * dilation < extent + after { count += 1 }
      return count
    }
    let outHeight = windows(height, kernel.y, strides.y, dilations.y, self.before.y, behind.y)
    let outWidth = windows(width, kernel.x, strides.x, dilations.x, self.before.x, behind.x)
    weight = convolution.weight.doubles
    groups = convolution.groups
    inputs = Axis(channels: item[0], height: height, width: width)
    outputs = Axis(channels: convolution.weight.shape[0], height: outHeight, width: outWidth)
    outputItem = item.count == 3 ? [outputs.channels, outHeight, outWidth] : [outputs.channels, outWidth]
  }

  /// Creates the map of a fully connected layer.
  package init(_ linear: Linear) {
    let shape = TensorShape(linear.weight.shape.dimensions + [1, 1])
    guard let window = try? Window(kernel: [1, 1]) else { preconditionFailure("1×1 is a window") }
    self.init(
      Convolution(weight: linear.weight.reshaped(to: shape), bias: nil, window: window, groups: 1),
      item: [linear.weight.shape[1], 1, 1])
  }

  /// The weights of a part.
  private func weights(_ part: WeightPart) -> [Double] {
    switch part {
    case .scaled(let positive, let negative):
      weight.map { max($0, 0) * Double(positive) + min($0, 0) * Double(negative) }
    case .squared: weight.map { $0 * $0 }
    case .ones: weight.map { _ in 1 }
    }
  }

  /// part(W)·x, without bias, for each item of `x`.
  package func product(_ part: WeightPart, _ x: [Double]) -> [Double] {
    let weights = weights(part)
    var y = [Double](repeating: 0, count: x.count / inputs.count * outputs.count)
    for item in 0..<x.count / inputs.count {
      let (from, to) = (item * inputs.count, item * outputs.count)
      forEachTerm { output, input, weight in y[to + output] += weights[weight] * x[from + input] }
    }
    return y
  }

  /// part(W)ᵀ·s for each item of `s`.
  package func adjoint(_ part: WeightPart, _ s: [Double]) -> [Double] {
    let weights = weights(part)
    var c = [Double](repeating: 0, count: s.count / outputs.count * inputs.count)
    for item in 0..<s.count / outputs.count {
      let (from, to) = (item * outputs.count, item * inputs.count)
      forEachTerm { output, input, weight in c[to + input] += weights[weight] * s[from + output] }
    }
    return c
  }

  /// The map as a matrix, with a row of `inputCount` weights for each output.
  package func matrix() -> [[Double]] {
    var rows = [[Double]](repeating: [Double](repeating: 0, count: inputs.count), count: outputs.count)
    forEachTerm { output, input, weight in rows[output][input] += self.weight[weight] }
    return rows
  }

  /// Every triple of an output, an input in its window, and the weight between them.
  @inline(__always)
  private func forEachTerm(_ body: (_ output: Int, _ input: Int, _ weight: Int) -> Void) {
    let (perGroup, outputsPerGroup) = (inputs.channels / groups, outputs.channels / groups)
    for m in 0..<outputs.channels {
      for c in 0..<perGroup {
        let channel = m / outputsPerGroup * perGroup + c
        for ky in 0..<kernel.y {
          for kx in 0..<kernel.x {
            let weight = ((m * perGroup + c) * kernel.y + ky) * kernel.x + kx
            for oy in 0..<outputs.height {
              let y = oy * strides.y - before.y + ky * dilations.y
              guard y >= 0, y < inputs.height else { continue }
              for ox in 0..<outputs.width {
                let x = ox * strides.x - before.x + kx * dilations.x
                guard x >= 0, x < inputs.width else { continue }
                body(
                  (m * outputs.height + oy) * outputs.width + ox, (channel * inputs.height + y) * inputs.width + x,
                  weight)
              }
            }
          }
        }
      }
    }
  }
}
