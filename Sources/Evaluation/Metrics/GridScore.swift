/// The distribution of a map over the cells of an n×n grid. (M. Böhle, M. Fritz, B. Schiele, “Convolutional dynamic
/// alignment networks for interpretable classifications”, CVPR 2021: GridPG.)
package struct GridScore: Sendable, Hashable, Codable {
  /// The share of the energy in each cell, in row-major order; zeros for a map of zeros.
  package var shares: [Double]
  /// The cell of the largest pixel; nil for a map of zeros.
  package var maximum: Int?

  /// Divides a map into n×n cells. The sizes of the cells differ by one pixel if n does not divide the sides.
  package init(_ map: SaliencyMap, cells n: Int) {
    precondition(
      n > 0 && n <= min(map.height, map.width),
      "a map of \(map.height)×\(map.width) cannot be divided into \(n)×\(n) cells")
    // Cell c starts at pixel c·side/n.
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
