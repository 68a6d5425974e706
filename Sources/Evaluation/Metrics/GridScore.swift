/// How much of a map lies in each cell of an n×n grid. (M. Böhle, M. Fritz, B. Schiele, “Convolutional dynamic
/// alignment networks for interpretable classifications”, CVPR 2021: GridPG.)
package struct GridScore: Sendable, Hashable, Codable {
  /// The share of the energy in each cell, row by row; zeros for a map of zeros.
  package var shares: [Double]
  /// The cell of the largest pixel; nil for a map of zeros.
  package var maximum: Int?

  /// Divides a map into n×n cells, which differ by a pixel where the sides do not divide evenly.
  package init(_ map: SaliencyMap, cells n: Int) {
    precondition(n > 0 && n <= min(map.height, map.width), "a map of \(map.height)×\(map.width) has no \(n)×\(n) cells")
    // Cell c has the pixels from c·side/n on.
    func cell(_ pixel: Int, of side: Int) -> Int { ((pixel + 1) * n - 1) / side }
    var sums = [Double](repeating: 0, count: n * n)
    for (pixel, value) in map.values.enumerated() {
      sums[cell(pixel / map.width, of: map.height) * n + cell(pixel % map.width, of: map.width)] += Double(value)
    }
    let energy = sums.reduce(0, +)
    shares = energy > 0 ? sums.map { $0 / energy } : sums
    maximum = map.maximum.map { cell($0 / map.width, of: map.height) * n + cell($0 % map.width, of: map.width) }
  }
}
