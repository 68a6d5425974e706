/// The similarity of two maps. (Rank correlation of maps: J. Adebayo et al., “Sanity checks for saliency maps”, NeurIPS
/// 2018.)
package struct MapSimilarity: Sendable, Hashable, Codable {
  /// The cosine, 0…1; 0 if one of the maps is zero everywhere.
  package var cosine: Double
  /// Spearman's rank correlation, −1…1, with mean ranks for equal values; 0 if one of the maps is constant.
  package var rankCorrelation: Double

  var values: [Double] { [cosine, rankCorrelation] }

  /// The mean over all pairs of maps, which have the same size; nil if there is no pair.
  package static func mean(of maps: [SaliencyMap]) -> MapSimilarity? {
    guard maps.count > 1 else { return nil }
    let raw = maps.map { CenteredVector($0.values.map(Double.init), mean: 0) }
    let ranks = maps.map { map in
      let ranks = map.meanRanks()
      return CenteredVector(ranks, mean: Double(ranks.count - 1) / 2)
    }
    var sum = MapSimilarity(cosine: 0, rankCorrelation: 0)
    for i in maps.indices {
      for j in 0..<i {
        sum.cosine += raw[i].cosine(to: raw[j])
        sum.rankCorrelation += ranks[i].cosine(to: ranks[j])
      }
    }
    let pairs = Double(maps.count * (maps.count - 1) / 2)
    return MapSimilarity(cosine: sum.cosine / pairs, rankCorrelation: sum.rankCorrelation / pairs)
  }
}

/// Numbers minus their mean, and their norm.
private struct CenteredVector {
  let values: [Double]
  let norm: Double

  init(_ values: [Double], mean: Double) {
    self.values = mean == 0 ? values : values.map { $0 - mean }
    norm = self.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  func cosine(to other: CenteredVector) -> Double {
    guard norm > 0, other.norm > 0 else { return 0 }
    var product = 0.0
    for i in values.indices { product += values[i] * other.values[i] }
    return product / (norm * other.norm)
  }
}

extension SaliencyMap {
  /// The rank of each pixel, from 0 for the smallest value. Equal values have the mean of their ranks.
  fileprivate func meanRanks() -> [Double] {
    let order = ranking()
    var ranks = [Double](repeating: 0, count: order.count)
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      let mean = Double(order.count - 1) - Double(start + end - 1) / 2
      for place in start..<end { ranks[order[place]] = mean }
      start = end
    }
    return ranks
  }
}
