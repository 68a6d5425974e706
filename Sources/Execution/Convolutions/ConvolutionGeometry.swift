import CRelevanceKernels
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// The extents of a two-dimensional convolution for one input shape, and how its output is divided into tiles.
///
/// Output positions are numbered row by row; a tile is a run of them. The division depends on the shape only, never on
/// the number of threads, so the results do not depend on it either.
struct ConvolutionGeometry: Sendable {
  let groups: Int
  /// Input and output channels of one group.
  let inputs: Int
  let outputs: Int
  let window: rk_window

  var taps: Int { Int(window.kernel_y * window.kernel_x) }
  var inputPositions: Int { Int(window.height * window.width) }
  var outputPositions: Int { Int(window.out_height * window.out_width) }
  /// The rows of a group's im2col matrix: inputs × taps.
  var depth: Int { inputs * taps }
  /// Whether a tap reads each position exactly once and in order, so that the input equals its im2col matrix.
  var isPointwise: Bool {
    taps == 1 && window.stride_y == 1 && window.stride_x == 1 && window.pad_y == 0 && window.pad_x == 0
      && inputPositions == outputPositions
  }
  var hasUnitStride: Bool { window.stride_y == 1 && window.stride_x == 1 }

  /// Tiles of about 400 positions reach the full speed of a matrix product. Large maps have at least four tiles.
  static func tileCount(positions: Int) -> Int {
    let widest = 448
    if positions >= 512 { return ((positions + widest - 1) / widest + 3) / 4 * 4 }
    return positions >= 160 ? 2 : 1
  }

  /// The map with input and output exchanged, for unit strides: the adjoint is a convolution with rotated kernels.
  func transposed() -> ConvolutionGeometry {
    precondition(hasUnitStride, "only the adjoint of a convolution with unit strides is a convolution")
    var turned = window
    (turned.height, turned.out_height) = (window.out_height, window.height)
    (turned.width, turned.out_width) = (window.out_width, window.width)
    turned.pad_y = (window.kernel_y - 1) * window.dilation_y - window.pad_y
    turned.pad_x = (window.kernel_x - 1) * window.dilation_x - window.pad_x
    return ConvolutionGeometry(groups: groups, inputs: outputs, outputs: inputs, window: turned)
  }
}

extension rk_window {
  /// The window over the spatial axes of `input`, an image (rank 4) or a sequence (rank 3).
  init(_ window: Window, over input: TensorShape) throws {
    guard (3...4).contains(input.rank) else { throw ExecutionError.unsupportedRank(input) }
    let spatial = Array(input.dimensions[2...])
    let (outputs, before) = try window.placement(over: spatial)
    // A sequence is an image of one row.
    func pair(_ list: [Int], _ filler: Int) -> (Int, Int) { list.count == 2 ? (list[0], list[1]) : (filler, list[0]) }
    self.init()
    (height, width) = pair(spatial, 1)
    (out_height, out_width) = pair(outputs, 1)
    (kernel_y, kernel_x) = pair(window.kernel, 1)
    (stride_y, stride_x) = pair(window.strides, 1)
    (dilation_y, dilation_x) = pair(window.dilations, 1)
    (pad_y, pad_x) = pair(before, 0)
  }
}

/// An error of a network that cannot be run.
package enum ExecutionError: RelevanceKitError {
  case unsupportedRank(TensorShape)
  case tooLarge(node: String, shape: TensorShape, bytes: Int)
  case notFinite(node: String)
  case mixesBatch(node: String, items: Int)
  case empty(node: String, shape: TensorShape)

  package var category: ErrorCategory { .badData }
  package var description: String {
    switch self {
    case .unsupportedRank(let shape):
      "convolution and pooling support one or two spatial axes; the operand has shape \(shape)"
    case .tooLarge(let node, let shape, let bytes):
      "node \(node) has values of shape \(shape), which need more than the machine's memory of \(bytes) bytes"
    case .mixesBatch(let node, let items):
      "node \(node) mixes the \(items) items of the batch; pass one input at a time"
    case .empty(let node, let shape):
      "the output \(node) has shape \(shape), without elements, so there is no prediction"
    case .notFinite(let node): "node \(node) has values that are not finite (NaN or infinite)"
    }
  }
}
