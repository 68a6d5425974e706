import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

/// How the tokens of a transformer lie on the image: those that stand for parts of it row by row, behind the others.
struct TokenGrid: Equatable {
  let height: Int
  let width: Int
  /// Tokens in front that stand for no part of the image: a class token, one for distillation, registers.
  let extra: Int

  /// A class token, one for distillation and some registers.
  private static let mostExtra = 16

  /// The grid of so many tokens at a node; nil if they lie on none.
  ///
  /// That is the last map with positions from which they were made by a convolution, the one with as many positions as possible. Where
  /// patches are cut out by other means, it has the image's proportions.
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

  /// `8×8 tokens; the one in front of them is left out`
  var description: String {
    let rest =
      switch extra {
      case 0: ""
      case 1: "; the one in front of them, such as a class token, is left out"
      default: "; the \(extra) in front of them, such as a class token, are left out"
      }
    return "\(height)×\(width) tokens\(rest)"
  }
}

/// Where a node's values for one item have channels and positions: height × width, or tokens that lie on the image's grid.
struct ActivationLayout {
  let channels: Int
  let height: Int
  let width: Int
  /// Of tokens how they lie on the image.
  let grid: TokenGrid?
  private let start: Int
  private let channelDistance: Int
  private let positionDistance: Int

  var positions: Int { height * width }

  /// Puts the values of a channel in order, from the first value of an item on.
  func gather(channel: Int, of values: UnsafeBufferPointer<Float>, from item: Int, into row: inout [Float]) {
    let first = item + start + channel * channelDistance
    for position in row.indices { row[position] = values[first + position * positionDistance] }
  }

  /// `8×8 tokens`, or `7×7 positions`
  var description: String { grid?.description ?? "\(height)×\(width) positions" }

  /// Channels × height × width, or, where channels come last, height × width × channels.
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
  /// How a node's values lie on the image; nil if they do not, as of a vector, or are not those of one item after another.
  ///
  /// - Parameter axes: what `channelAxes` knows of the network.
  /// - Complexity: O(nodes) for tokens, else O(1).
  func activationLayout(of id: Node.ID, _ axes: [Int?]) -> ActivationLayout? {
    let shape = forward.shape(of: id)
    let isFirst = forward.itemDistance(of: id) == nil
    // Tokens first, then the items of the batch.
    guard shape.rank == 4 && isFirst || shape.rank == 3, shape.count > 0, shape[isFirst ? 0 : 1] == batch else {
      return nil
    }
    let extents = isFirst ? Array(shape.dimensions.dropFirst()) : [shape[0], shape[2]]
    let axis = axes[id.index]
    if extents.count == 3 {
      guard axis == nil || axis == 1 || axis == 3 else { return nil }
      let layout = ActivationLayout(map: extents, channelsLast: axis == 3)
      // Tokens and heads, which have four axes as well, are much longer on one side than the image is.
      return axis == 3 && !isLikeImage(layout) ? nil : layout
    }
    if axis != 1 || !isFirst, let grid = TokenGrid(of: extents[0], at: id, in: self) {
      return ActivationLayout(tokens: extents[0], channels: extents[1], channelsLast: true, on: grid)
    }
    guard axis != 2, let grid = TokenGrid(of: extents[1], at: id, in: self) else { return nil }
    return ActivationLayout(tokens: extents[1], channels: extents[0], channelsLast: false, on: grid)
  }

  /// Whether a map has about the image's proportions.
  private func isLikeImage(_ layout: ActivationLayout) -> Bool {
    guard input.shape.rank == 4 else { return false }
    let isLast = plan.network.hasChannelsLast
    let (height, width) = isLast ? (input.shape[1], input.shape[2]) : (input.shape[2], input.shape[3])
    let (one, other) = (layout.height * width, layout.width * height)
    return max(one, other) <= 2 * min(one, other)
  }
}
