/// Suggestions for a name that does not exist.
package enum Suggestion {
  private static let longest = 1000

  /// The candidate that is most similar to a name, ignoring case; nil if none is similar.
  package static func nearest(to name: String, among candidates: [String]) -> String? {
    guard !name.isEmpty else { return nil }
    // Longer names are unlikely to be typos, and the comparison takes time for each pair of letters.
    guard name.utf8.count <= longest else { return nil }
    let wanted = Array(name.lowercased())
    let scored = candidates.filter { $0.utf8.count <= longest }.map {
      (candidate: $0, distance: distance(wanted, Array($0.lowercased())))
    }
    guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, wanted.count / 3) ? best.candidate : nil
  }

  /// The most similar candidate or, if none is similar, the shortest candidate that contains the name, for example
  /// because only its beginning was entered.
  package static func likeliest(for name: String, among candidates: [String]) -> String? {
    if let nearest = nearest(to: name, among: candidates) { return nearest }
    let wanted = name.lowercased()
    guard wanted.count > 1 else { return nil }
    let longer = candidates.filter { $0.lowercased().hasPrefix(wanted) }
    return (longer.isEmpty ? candidates.filter { $0.lowercased().contains(wanted) } : longer)
      .min { $0.count < $1.count }
  }

  /// The number of letters to insert, remove, replace or exchange with their neighbor.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
