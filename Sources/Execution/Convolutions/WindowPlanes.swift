import CRelevanceKernels
import RelevanceTensors

extension rk_window {
  /// The number of elements of a plane of the input, and of the output.
  package var inputs: Int { Int(height * width) }
  package var outputs: Int { Int(out_height * out_width) }

  /// Calls `body` for each seed of each plane of the input, with the plane's number and its part of `r` and of `c`.
  package func eachPlane(
    of input: TensorShape, seeds: Int, _ r: Floats, _ c: MutableFloats, on workers: Workers,
    _ body: (Int, UnsafePointer<rk_window>, Floats, MutableFloats) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      let shared = Shared((r: r, c: c, body: body))
      let channels = input[1]
      // Seed by seed, while the plane is in cache.
      workers.run(input[0] * channels) { plane in
        withUnsafePointer(to: self) {
          for seed in 0..<seeds {
            let index = (plane / channels * seeds + seed) * channels + plane % channels
            shared.pointer.body(plane, $0, shared.pointer.r + index * outputs, shared.pointer.c + index * inputs)
          }
        }
      }
    }
  }
}
