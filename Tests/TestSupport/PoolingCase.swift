import RelevanceKit

/// A window and the extents of the planes that it covers.
package struct PoolingCase: Sendable, CustomStringConvertible {
  /// The window.
  package let window: Window
  /// The extents of a plane.
  package let extents: [Int]

  /// Two items of three channels.
  package var input: TensorShape { TensorShape([2, 3] + extents) }
  /// The reference implementation for the case.
  package var oracle: NaivePooling { NaivePooling(window, extents: extents) }
  package var description: String { "\(window) over \(extents)" }

  /// Windows of many kinds.
  package static let all: [PoolingCase] = {
    var cases: [PoolingCase] = []
    for kernel in [[2, 2], [3, 3], [3, 2]] {
      for strides in [[1, 1], [2, 2], [2, 3]] {
        for (before, after) in [([0, 0], [0, 0]), ([1, 1], [1, 1]), ([1, 0], [0, 1])] {
          for dilations in [[1, 1], [2, 2]] {
            for ceil in [false, true] {
              for extents in [[5, 5], [6, 7], [13, 10]] {
                let window = try? Window(
                  kernel: kernel, strides: strides, dilations: dilations,
                  padding: .explicit(before: before, after: after),
                  ceilMode: ceil)
                cases.append(PoolingCase(window: window!, extents: extents))
              }
            }
          }
        }
      }
    }
    // Rows that are longer than the vectors of the kernels.
    for strides in [[1, 1], [2, 2], [1, 3]] {
      let window = try? Window(
        kernel: [2, 3], strides: strides, padding: .explicit(before: [0, 1], after: [0, 1]))
      cases.append(PoolingCase(window: window!, extents: [4, 1100]))
    }
    for strides in [1, 3] {
      let window = try? Window(
        kernel: [4], strides: [strides], padding: .explicit(before: [1], after: [2]), ceilMode: true)
      cases.append(PoolingCase(window: window!, extents: [19]))
    }
    return cases
  }()
}
