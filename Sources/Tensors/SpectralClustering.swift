/// Groups of items by similarity.
///
/// The algorithm is that of A. Ng, M. Jordan and Y. Weiss, “On spectral clustering: analysis and an algorithm”, NIPS
/// 2001:
/// 1. `L = I − D^(−1/2) S D^(−1/2)` with `D` the diagonal of the similarities' row sums. If the similarities between
///    groups are zero, `L` has as many eigenvalues of 0 as there are groups.
/// 2. The eigenvectors of the `k` smallest eigenvalues are the columns of a matrix. Each of its rows, one per item, is
///    normalized to unit length.
/// 3. The rows are grouped into `k` groups by k-means.
///
/// It differs in one detail: the similarity of an item to itself is the value in `S` (Ng et al. use 0), so that an item
/// without similar items is its own group. The number of groups follows from the eigengap (U. von Luxburg, “A tutorial
/// on spectral clustering”, Statistics and Computing 17(4), 2007, §8.3): it is the `k`, at most half of the items,
/// after which eigenvalues rise most. If more components than this have zero similarity to each other (eigenvalues
/// below 10⁻⁵ count as 0), each component is a group.
///
/// The same similarities always give the same groups.
public struct SpectralClustering: Sendable {
  /// The group of each item. Groups are numbered from 0 by their first items.
  public let groups: [Int]
  package let count: Int
  /// The eigenvalues of `L` in ascending order, 0…2.
  package let eigenvalues: [Float]

  /// Groups n items by their n×n similarities, which are symmetric and nonnegative and have positive row sums. Throws
  /// if they contain NaN. The number of groups is 1…n; nil derives it from the eigengap.
  package init(similarity: Tensor, count wanted: Int? = nil) throws {
    precondition(similarity.shape.rank == 2 && similarity.shape[0] == similarity.shape[1], "not similarities")
    let n = similarity.shape[0]
    precondition(n > 0 && wanted.map { (1...n).contains($0) } ?? true, "\(wanted ?? 1) groups of \(n) items")
    let decomposition = try BLAS.withOneThreadPerCall {
      try SymmetricEigendecomposition(of: Self.laplacian(of: similarity))
    }
    let count = wanted ?? Self.eigengap(of: decomposition.values)
    let vectors = decomposition.vectors
    let rows = (0..<n).map { item in Self.unit((0..<count).map { Double(vectors[$0, item]) }) }
    eigenvalues = decomposition.values
    groups = Self.numberedByFirst(KMeans(rows, count: count).groups)
    // There are fewer groups than requested if there are fewer different rows.
    self.count = (groups.max() ?? 0) + 1
  }

  /// The items of each group, in order.
  ///
  /// - Complexity: O(items × groups).
  public var members: [[Int]] { (0..<count).map { group in groups.indices.filter { groups[$0] == group } } }

  /// `I − D^(−1/2) S D^(−1/2)`
  private static func laplacian(of similarity: Tensor) -> Tensor {
    let n = similarity.shape[0]
    return similarity.withUnsafeElements { s in
      let roots = (0..<n).map { i in (0..<n).reduce(0.0) { $0 + Double(s[i * n + $1]) }.squareRoot() }
      return Tensor(uninitialized: [n, n]) { l in
        for i in 0..<n {
          for j in 0..<n { l[i * n + j] = Float((i == j ? 1 : 0) - Double(s[i * n + j]) / (roots[i] * roots[j])) }
        }
      }
    }
  }

  /// The number of groups that follows from eigenvalues in ascending order.
  private static func eigengap(of eigenvalues: [Float]) -> Int {
    // Rounding errors of an eigenvalue of 0 are below the limit.
    let separate = eigenvalues.prefix { $0 < zero }.count
    let most = eigenvalues.count / 2
    guard separate <= most else { return max(separate, 1) }
    let gaps = zip(eigenvalues.dropFirst(), eigenvalues).prefix(most).map { $0 - $1 }
    return 1 + gaps.indices.reduce(0) { gaps[$1] > gaps[$0] ? $1 : $0 }
  }

  private static let zero: Float = 1e-5

  private static func unit(_ row: [Double]) -> [Double] {
    let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length == 0 ? row : row.map { $0 / length }
  }

  private static func numberedByFirst(_ groups: [Int]) -> [Int] {
    var numbers: [Int: Int] = [:]
    return groups.map { group in
      if let number = numbers[group] { return number }
      numbers[group] = numbers.count
      return numbers.count - 1
    }
  }
}

/// Groups of points with small squared distances from the groups' means (S. Lloyd, “Least squares quantization in PCM”,
/// IEEE Transactions on Information Theory 28(2), 1982).
///
/// The first mean is one of the points, and each further mean is the point that is farthest from the previous ones.
/// Several starts with different first points are tried, and the best result is used. Nothing is random.
private struct KMeans {
  private(set) var groups: [Int] = []

  private static let beginnings = 16
  private static let rounds = 100

  init(_ points: [[Double]], count: Int) {
    var best = Double.infinity
    let beginnings = min(Self.beginnings, points.count)
    for beginning in 0..<beginnings {
      let (groups, error) = Self.run(points, count: count, first: beginning * points.count / beginnings)
      // Rounding must not decide between equal results.
      if error < best * (1 - 1e-9) - 1e-12 || self.groups.isEmpty { (self.groups, best) = (groups, error) }
    }
  }

  private static func run(_ points: [[Double]], count: Int, first: Int) -> (groups: [Int], error: Double) {
    var means = [points[first]]
    var nearest = points.map { distance($0, means[0]) }
    while means.count < count {
      let farthest = nearest.indices.reduce(0) { nearest[$1] > nearest[$0] ? $1 : $0 }
      means.append(points[farthest])
      nearest = zip(nearest, points).map { min($0, distance($1, points[farthest])) }
    }
    var groups: [Int] = []
    for _ in 0..<rounds {
      let found = points.map { point in
        let distances = means.map { distance(point, $0) }
        return distances.indices.reduce(0) { distances[$1] < distances[$0] ? $1 : $0 }
      }
      if found == groups { break }
      groups = found
      for group in means.indices {
        let own = points.indices.filter { groups[$0] == group }.map { points[$0] }
        // A mean without points keeps its position.
        guard !own.isEmpty else { continue }
        means[group] = own[0].indices.map { axis in own.reduce(0) { $0 + $1[axis] } / Double(own.count) }
      }
    }
    return (groups, zip(points, groups).reduce(0) { $0 + distance($1.0, means[$1.1]) })
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
