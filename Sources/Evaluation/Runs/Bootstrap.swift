import RelevanceSupport

/// A number measured on a sample of images, with its confidence interval.
public struct Estimate: Hashable, Sendable, Encodable {
  /// The measured value.
  public let value: Double
  /// The lower end of the interval.
  public let low: Double
  /// The upper end of the interval.
  public let high: Double

  package init(value: Double, low: Double, high: Double) { (self.value, self.low, self.high) = (value, low, high) }
}

/// Measured numbers; several of them can belong to the same image.
package struct Measurements: Sendable {
  /// The image of each number, as an index among the items of the bootstrap.
  package var items: [Int]
  /// The class of each number.
  package var classes: [Int]
  package var values: [Double]

  /// Makes measurements from lists of equal length.
  package init(items: [Int] = [], classes: [Int] = [], values: [Double] = []) {
    precondition(items.count == values.count && classes.count == values.count, "lists of different lengths")
    (self.items, self.classes, self.values) = (items, classes, values)
  }

  /// A number for each of several parts of records; parts for which the number is nil are left out.
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
/// All statistics use the same resamples. The difference between two methods that are measured on the same images
/// therefore has an interval too, which is narrower than the intervals of the two methods suggest.
package struct Bootstrap: Sendable {
  /// A statistic of measurements.
  package indirect enum Statistic: Sendable {
    /// The mean of all values.
    case mean(Measurements)
    /// The mean of the means of the classes.
    case classMean(Measurements)
    /// The first statistic minus the second one.
    case difference(Statistic, Statistic)
  }

  /// The share of resamples within an interval.
  package static let confidence = 0.95

  /// The number of times that each item occurs in each resample.
  private let weights: [[UInt16]]
  private let items: Int

  /// Draws resamples with as many items as the original, reproducible from the seed.
  package init(items: Int, resamples: Int = 1000, seed: UInt64 = 0) {
    precondition(items >= 0 && resamples > 0, "expected at least one resample")
    var generator = SplitMix64(state: seed)
    self.init(
      items: items,
      drawn: (0..<resamples).lazy.map { _ in (0..<items).map { _ in generator.nextIndex(below: items) } })
  }

  /// Uses the given resamples, each a list of items.
  package init(items: Int, drawn: some Sequence<[Int]>) {
    self.items = items
    weights = drawn.map { indices in
      var counts = [UInt16](repeating: 0, count: items)
      for index in indices where counts[index] < .max { counts[index] += 1 }
      return counts
    }
  }

  /// A statistic with its interval; nil if there are no measurements. Resamples that contain none of the measurements
  /// are left out.
  package func estimate(_ statistic: Statistic) -> Estimate? {
    let statistic = statistic.numberingClasses()
    guard let value = statistic.value(weights: [UInt16](repeating: 1, count: items)) else { return nil }
    let resampled = weights.compactMap { statistic.value(weights: $0) }.sorted()
    let tail = (1 - Self.confidence) / 2
    return Estimate(
      value: value, low: Self.quantile(tail, of: resampled), high: Self.quantile(1 - tail, of: resampled))
  }

  /// A statistic as a cell of a table.
  func cell(_ statistic: Statistic) -> ResultTable.Cell { estimate(statistic).map { .estimate($0) } ?? .absent }

  /// The difference of a method's statistic to that of LRP, if LRP is another one of the methods.
  func cellLessLRP(_ methods: [String], _ index: Int, _ statistic: (Int) -> Statistic) -> ResultTable.Cell {
    cell(methods, index, less: "lrp", statistic)
  }

  /// The difference of a statistic to that of the item with a given name, if it is another one of the items.
  func cell(
    _ names: [String], _ index: Int, less rival: String, _ statistic: (Int) -> Statistic
  ) -> ResultTable.Cell {
    guard let other = names.firstIndex(of: rival), other != index else { return .absent }
    return cell(.difference(statistic(index), statistic(other)))
  }

  /// A quantile with linear interpolation between the sorted values.
  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.last else { return .nan }
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    guard below + 1 < sorted.count else { return last }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }
}

extension Bootstrap.Statistic {
  /// The statistic with the occurring classes numbered from 0 in ascending order, because sums are stored per number.
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
