import RelevanceSupport

/// A number measured on a sample of images, with the interval in which another sample would put it.
public struct Estimate: Hashable, Sendable, Encodable {
  /// What was measured.
  public let value: Double
  /// The lower end of the interval.
  public let low: Double
  /// The upper end.
  public let high: Double

  package init(value: Double, low: Double, high: Double) { (self.value, self.low, self.high) = (value, low, high) }
}

/// Numbers, of which several may be of the same image.
package struct Measurements: Sendable {
  /// The image of each number, as a position among those of the bootstrap.
  package var items: [Int]
  /// The class of each number.
  package var classes: [Int]
  package var values: [Double]

  /// Makes measurements; the lists are of equal length.
  package init(items: [Int] = [], classes: [Int] = [], values: [Double] = []) {
    precondition(items.count == values.count && classes.count == values.count, "lists of different lengths")
    (self.items, self.classes, self.values) = (items, classes, values)
  }

  /// A number of each of some parts of records; those of which it is nil are left out.
  init<Part>(
    _ parts: [(item: Int, part: Part)], classIndex: (Part) -> Int = { _ in 0 }, _ value: (Part) -> Double?
  ) {
    self.init()
    for (item, part) in parts {
      if let number = value(part) { append(number, item: item, classIndex: classIndex(part)) }
    }
  }

  /// Adds a number.
  package mutating func append(_ value: Double, item: Int, classIndex: Int = 0) {
    items.append(item)
    classes.append(classIndex)
    values.append(value)
  }
}

/// Confidence intervals from resampled images. (B. Efron, R. Tibshirani, *An Introduction to the Bootstrap*, 1993,
/// §13.3: percentile intervals.)
///
/// All statistics see the same resamples, so that of two methods, measured on the same images, the difference has an
/// interval too, which is narrower than those of its parts would suggest.
package struct Bootstrap: Sendable {
  /// What is made of measurements.
  package indirect enum Statistic: Sendable {
    /// The mean of all.
    case mean(Measurements)
    /// The mean of the classes' means.
    case classMean(Measurements)
    /// The first less the second.
    case difference(Statistic, Statistic)
  }

  /// The share of resamples within an interval.
  package static let confidence = 0.95

  /// How often each item is in each resample.
  private let weights: [[UInt16]]
  private let items: Int

  /// Draws resamples of as many items as there are, the same for the same seed.
  package init(items: Int, resamples: Int = 1000, seed: UInt64 = 0) {
    precondition(items >= 0 && resamples > 0, "nothing to draw")
    var generator = SplitMix64(state: seed)
    self.init(
      items: items,
      drawn: (0..<resamples).lazy.map { _ in (0..<items).map { _ in generator.nextIndex(below: items) } })
  }

  /// Uses given resamples, each a list of items.
  package init(items: Int, drawn: some Sequence<[Int]>) {
    self.items = items
    weights = drawn.map { indices in
      var counts = [UInt16](repeating: 0, count: items)
      for index in indices where counts[index] < .max { counts[index] += 1 }
      return counts
    }
  }

  /// A statistic with its interval; nil without measurements. In resamples that have none of the measurements it is
  /// left out.
  package func estimate(_ statistic: Statistic) -> Estimate? {
    let statistic = statistic.numberingClasses()
    guard let value = statistic.value(weights: [UInt16](repeating: 1, count: items)) else { return nil }
    let resampled = weights.compactMap { statistic.value(weights: $0) }.sorted()
    let tail = (1 - Self.confidence) / 2
    return Estimate(
      value: value, low: Self.quantile(tail, of: resampled), high: Self.quantile(1 - tail, of: resampled))
  }

  /// The same as a place of a table.
  func cell(_ statistic: Statistic) -> ResultTable.Cell { estimate(statistic).map { .estimate($0) } ?? .absent }

  /// How much more a method has of something than LRP, if that is another one of the methods.
  func cellLessLRP(_ methods: [String], _ index: Int, _ statistic: (Int) -> Statistic) -> ResultTable.Cell {
    cell(methods, index, less: "lrp", statistic)
  }

  /// How much more one of some has of something than the one with a name, if that is another one of them.
  func cell(
    _ names: [String], _ index: Int, less rival: String, _ statistic: (Int) -> Statistic
  ) -> ResultTable.Cell {
    guard let other = names.firstIndex(of: rival), other != index else { return .absent }
    return cell(.difference(statistic(index), statistic(other)))
  }

  /// With linear interpolation between the sorted values.
  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.last else { return .nan }
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    guard below + 1 < sorted.count else { return last }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }
}

extension Bootstrap.Statistic {
  /// The same with the classes that there are numbered from 0, in their order: sums are kept for each number.
  fileprivate func numberingClasses() -> Self {
    switch self {
    case .mean: return self
    case .classMean(var measured):
      let numbers = Dictionary(uniqueKeysWithValues: zip(Set(measured.classes).sorted(), 0...))
      measured.classes = measured.classes.map { numbers[$0] ?? 0 }
      return .classMean(measured)
    case .difference(let a, let b): return .difference(a.numberingClasses(), b.numberingClasses())
    }
  }

  fileprivate func value(weights: [UInt16]) -> Double? {
    switch self {
    case .mean(let measured):
      var (sum, count) = (0.0, 0.0)
      for index in measured.values.indices {
        let weight = Double(weights[measured.items[index]])
        sum += weight * measured.values[index]
        count += weight
      }
      return count > 0 ? sum / count : nil
    case .classMean(let measured):
      let classes = (measured.classes.max() ?? -1) + 1
      var sums = [Double](repeating: 0, count: classes)
      var counts = [Double](repeating: 0, count: classes)
      for index in measured.values.indices {
        let weight = Double(weights[measured.items[index]])
        sums[measured.classes[index]] += weight * measured.values[index]
        counts[measured.classes[index]] += weight
      }
      let means = zip(sums, counts).compactMap { $1 > 0 ? $0 / $1 : nil }
      return means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)
    case .difference(let a, let b):
      guard let a = a.value(weights: weights), let b = b.value(weights: weights) else { return nil }
      return a - b
    }
  }
}
