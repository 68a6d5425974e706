import RelevanceTensors

/// The images between two images when the most salient pixels are replaced first, for deletion and insertion curves.
/// (V. Petsiuk, A. Das, K. Saenko, “RISE”, BMVC 2018.)
package struct PixelReplacement: Sendable {
  private let ranking: [Int]
  private let steps: Int

  /// Ranks the pixels of a map. All of them are replaced in `steps` steps.
  package init(_ map: SaliencyMap, steps: Int) {
    precondition(steps > 0, "expected at least one step, found \(steps)")
    ranking = map.ranking()
    self.steps = steps
  }

  /// The number of pixels that are replaced after a step, 0…`steps`: the share of the step, rounded up.
  package func count(after step: Int) -> Int { (step * ranking.count + steps - 1) / steps }

  /// The image after each step, from no pixels to all; 1 × channels × height × width, the shape of both images.
  package func images(from start: Tensor, to end: Tensor) -> [Tensor] {
    precondition(
      start.shape == end.shape && start.count % max(ranking.count, 1) == 0, "the map and the images differ in size")
    let channels = start.count / max(ranking.count, 1)
    var image = start
    var images = [start]
    for step in 1...steps {
      image.withUnsafeMutableElements { x in
        end.withUnsafeElements { other in
          for pixel in ranking[count(after: step - 1)..<count(after: step)] {
            for channel in 0..<channels { x[channel * ranking.count + pixel] = other[channel * ranking.count + pixel] }
          }
        }
      }
      images.append(image)
    }
    return images
  }

  /// The area under values at equal steps from 0 to 1, by the trapezoidal rule.
  package static func area(under values: [Double]) -> Double {
    guard values.count > 1 else { return values.first ?? 0 }
    let inner = values.dropFirst().dropLast().reduce(0, +)
    return (inner + (values[0] + values[values.count - 1]) / 2) / Double(values.count - 1)
  }
}
