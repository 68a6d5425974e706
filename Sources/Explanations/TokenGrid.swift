import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

/// The arrangement of a transformer's tokens on the image: tokens for parts of the image in row-major order, after any
/// extra tokens.
struct TokenGrid: Equatable {
  let height: Int
  let width: Int
  /// The number of leading tokens that represent no part of the image, such as a class token, a distillation token or
  /// registers.
  let extra: Int

  /// Room for a class token, a distillation token and some registers.
  private static let mostExtra = 16

  /// The grid of a number of tokens at a node; nil if they do not form a grid.
  ///
  /// The grid is that of the convolution from whose output the tokens are created; if several are possible, the one
  /// with the most positions. If the patches are not created by a convolution, the grid has the proportions of the
  /// image.
  ///
  /// - Complexity: O(nodes).
  init?(of tokens: Int, at id: Node.ID, in trace: Trace) {
    let network = trace.plan.network
    let maps = network.nodes(reaching: id).reversed().compactMap { id -> TokenGrid? in
      let shape = trace.forward.shape(of: id)
      guard network.graph[id].operation is Convolution, shape.rank == 4 else { return nil }
      return TokenGrid(height: shape[2], width: shape[3], tokens: tokens)
    }
    guard let grid = maps.min(by: { $0.extra < $1.extra }) ?? Self(of: tokens, like: trace.input.shape, network) else {
      return nil
    }
    self = grid
  }

  private init?(height: Int, width: Int, tokens: Int) {
    let extra = tokens - height * width
    guard height * width > 1, (0...Self.mostExtra).contains(extra) else { return nil }
    (self.height, self.width, self.extra) = (height, width, extra)
  }

  /// The largest grid with the proportions of an image.
  private init?(of tokens: Int, like image: TensorShape, _ network: NeuralNetwork) {
    guard image.rank == 4, image.count > 0 else { return nil }
    let (height, width) = network.hasChannelsLast ? (image[1], image[2]) : (image[2], image[3])
    var (divisor, rest) = (height, width)
    while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
    let (rows, columns) = (height / divisor, width / divisor)
    let factor = Int((Double(tokens) / Double(rows * columns)).squareRoot())
    self.init(height: factor * rows, width: factor * columns, tokens: tokens)
  }

  /// The size and the extra tokens: `8×8 tokens; the first token, such as a class token, is left out`.
  var description: String {
    let rest =
      switch extra {
      case 0: ""
      case 1: "; the first token, such as a class token, is left out"
      default: "; the first \(extra) tokens, such as a class token, are left out"
      }
    return "\(height)×\(width) tokens\(rest)"
  }
}

/// The arrangement of a node's values for one item in channels and positions: height × width, or tokens on the image's
/// grid.
struct ActivationLayout {
  let channels: Int
  let height: Int
  let width: Int
  /// For tokens, their arrangement on the image.
  let grid: TokenGrid?
  private let start: Int
  private let channelDistance: Int
  private let positionDistance: Int

  var positions: Int { height * width }

  /// Copies the values of a channel in row-major order, starting from the first value of an item.
  func gather(channel: Int, of values: UnsafeBufferPointer<Float>, from item: Int, into row: inout [Float]) {
    let first = item + start + channel * channelDistance
    for position in row.indices { row[position] = values[first + position * positionDistance] }
  }

  /// The size: `8×8 tokens` or `7×7 positions`.
  var description: String { grid?.description ?? "\(height)×\(width) positions" }

  /// A map of channels × height × width or, with channels last, height × width × channels.
  fileprivate init(map extents: [Int], channelsLast: Bool) {
    (height, width) = channelsLast ? (extents[0], extents[1]) : (extents[1], extents[2])
    channels = channelsLast ? extents[2] : extents[0]
    (start, grid) = (0, nil)
    (channelDistance, positionDistance) = channelsLast ? (1, channels) : (height * width, 1)
  }

  /// Tokens × channels, or channels × tokens.
  fileprivate init(tokens: Int, channels: Int, channelsLast: Bool, on grid: TokenGrid) {
    (height, width, self.channels, self.grid) = (grid.height, grid.width, channels, grid)
    (channelDistance, positionDistance) = channelsLast ? (1, channels) : (tokens, 1)
    start = grid.extra * positionDistance
  }
}

extension Trace {
  /// The arrangement of a node's values on the image; nil for other values, such as vectors, and for values that are
  /// not arranged by item.
  ///
  /// - Parameter axes: the result of `channelAxes` for the network.
  /// - Complexity: O(nodes) for tokens, otherwise O(1).
  func activationLayout(of id: Node.ID, _ axes: [Int?]) -> ActivationLayout? {
    let shape = forward.shape(of: id)
    let isFirst = forward.itemDistance(of: id) == nil
    // The tokens are the first axis, and the items of the batch the second.
    guard shape.rank == 4 && isFirst || shape.rank == 3, shape.count > 0, shape[isFirst ? 0 : 1] == batch else {
      return nil
    }
    let extents = isFirst ? Array(shape.dimensions.dropFirst()) : [shape[0], shape[2]]
    let axis = axes[id.index]
    if extents.count == 3 {
      guard axis == nil || axis == 1 || axis == 3 else { return nil }
      let layout = ActivationLayout(map: extents, channelsLast: axis == 3)
      // Nodes of tokens and heads also have four axes, but their proportions differ strongly from those of the image.
      return axis == 3 && !isLikeImage(layout) ? nil : layout
    }
    if axis != 1 || !isFirst, let grid = TokenGrid(of: extents[0], at: id, in: self) {
      return ActivationLayout(tokens: extents[0], channels: extents[1], channelsLast: true, on: grid)
    }
    guard axis != 2, let grid = TokenGrid(of: extents[1], at: id, in: self) else { return nil }
    return ActivationLayout(tokens: extents[1], channels: extents[0], channelsLast: false, on: grid)
  }

  /// Whether the proportions of a map are close to those of the image.
  private func isLikeImage(_ layout: ActivationLayout) -> Bool {
    guard input.shape.rank == 4 else { return false }
    let isLast = plan.network.hasChannelsLast
    let (height, width) = isLast ? (input.shape[1], input.shape[2]) : (input.shape[2], input.shape[3])
    let (one, other) = (layout.height * width, layout.width * height)
    return max(one, other) <= 2 * min(one, other)
  }
}
