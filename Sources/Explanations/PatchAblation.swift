import RelevanceTensors

/// A rectangle of an input's pixels.
public struct Patch: Hashable, Sendable, Codable {
  /// The rows.
  public let rows: Range<Int>
  /// The columns.
  public let columns: Range<Int>

  /// The pixels within `side / 2` rows and columns of a center, clipped to the image.
  public init(center: (row: Int, column: Int), side: Int, height: Int, width: Int) {
    let reach = side / 2
    rows = max(center.row - reach, 0)..<min(center.row + reach + 1, height)
    columns = max(center.column - reach, 0)..<min(center.column + reach + 1, width)
  }
}

/// The drop of several units' activations when patches of the input are replaced, one patch at a time. *Gu18* §5.3,
/// Fig. 5c.
public struct PatchAblation: Sendable {
  /// The values that replace patches.
  public enum Replacement: Sendable {
    /// The mean pixel of the preprocessing, which is 0 after normalization.
    case mean
    /// A pixel with one value per channel, in units of the network's input. Black is the `lower` bound of the
    /// `PixelRange`.
    case pixel([Float])
    /// The same region of an image, 1 × channels × height × width. The paper uses the mean of a whole data set.
    case image(Tensor)
  }

  /// The position of the maximum of each unit's map, summed over channels; nil if the map is zero everywhere.
  package let centers: [(row: Int, column: Int)?]
  /// The patch around each maximum.
  public let patches: [Patch?]
  /// An n×n matrix: row `i` is the patch of unit `i`, column `j` is unit `j`. Each element is the fraction of the
  /// unit's activation that is lost: 1 if no activation remains, negative if the activation increases. Rows without a
  /// patch are zero.
  public let drops: Tensor

  /// The number of rows that have a patch.
  package var ablated: Int { patches.count { $0 != nil } }

  /// Whether replacing a unit's patch reduces its own activation, and no other unit's activation by more.
  package func isOwnLargest(_ unit: Int) -> Bool {
    let own = drops[unit, unit]
    return own > 0 && (0..<patches.count).allSatisfy { drops[unit, $0] <= own }
  }

  /// The fraction of patches that reduce no other unit's activation by more than the activation of their own unit: 1 if
  /// each unit depends most on its own patch, 1/n by chance.
  ///
  /// - Complexity: O(n²).
  public var ownShare: Double {
    ablated == 0 ? 0 : Double(patches.indices.count { patches[$0] != nil && isOwnLargest($0) }) / Double(ablated)
  }

  /// Whether a unit's own patch reduces its activation, and no other patch reduces it by more. A unit that is sensitive
  /// to any change has the largest drop in every row, but not necessarily on the diagonal of its column.
  package func isMostHurtByOwn(_ unit: Int) -> Bool {
    let own = drops[unit, unit]
    return own > 0 && (0..<patches.count).allSatisfy { drops[$0, unit] <= own }
  }

  /// The mean drop of a unit when its own patch is replaced: the mean of the diagonal.
  ///
  /// - Complexity: O(n²).
  public var meanOwnDrop: Double { mean { $0 == $1 } }
  /// The mean drop of a unit when the patch of another unit is replaced: the mean of the other elements.
  ///
  /// - Complexity: O(n²).
  public var meanOtherDrop: Double { mean { $0 != $1 } }

  private func mean(where condition: (Int, Int) -> Bool) -> Double {
    var (sum, count) = (0.0, 0)
    for row in patches.indices where patches[row] != nil {
      for column in patches.indices where condition(row, column) {
        sum += Double(drops[row, column])
        count += 1
      }
    }
    return count == 0 ? 0 : sum / Double(count)
  }

  /// The other unit with the largest drop when a unit's patch is replaced, and this drop; nil if there is none.
  package func largestOther(of unit: Int) -> (unit: Int, drop: Float)? {
    let others = patches.indices.filter { $0 != unit }
    guard patches[unit] != nil, let first = others.first else { return nil }
    let largest = others.reduce(first) { drops[unit, $1] > drops[unit, $0] ? $1 : $0 }
    return (largest, drops[unit, largest])
  }

  /// Makes the result of an ablation from known values.
  package init(centers: [(row: Int, column: Int)?], patches: [Patch?], drops: Tensor) {
    (self.centers, self.patches, self.drops) = (centers, patches, drops)
  }

  /// Replaces the patch at the maximum of each map and runs the network on each result.
  ///
  /// - Parameter maps: one map per unit, height × width.
  init(
    of units: [ActiveUnit], maps: [Tensor], side: Int, by replacement: Replacement, in trace: Trace
  ) throws {
    let (height, width) = (trace.input.shape[2], trace.input.shape[3])
    let centers = maps.map { map in
      map.withUnsafeElements { map -> (row: Int, column: Int)? in
        let largest = map.indices.reduce(0) { map[$1] > map[$0] ? $1 : $0 }
        return map[largest] > 0 ? (largest / width, largest % width) : nil
      }
    }
    let patches = centers.map { $0.map { Patch(center: $0, side: side, height: height, width: width) } }
    // Units with similar maps often share a patch.
    let distinct = Set(patches.compactMap { $0 }).sorted {
      ($0.rows.lowerBound, $0.columns.lowerBound) < ($1.rows.lowerBound, $1.columns.lowerBound)
    }
    // The original image is part of the same batch, so that only the patches make a difference.
    let inputs = [trace.input] + distinct.map { trace.input.replacing($0, by: replacement) }
    let activations = try trace.activations(of: units, for: inputs)
    let remaining = Dictionary(uniqueKeysWithValues: zip(distinct, activations.dropFirst()))
    var drops = Tensor(shape: [units.count, units.count])
    for row in units.indices {
      guard let patch = patches[row], let remaining = remaining[patch] else { continue }
      for (column, whole) in activations[0].enumerated() where whole != 0 {
        drops[row, column] = (whole - remaining[column]) / whole
      }
    }
    (self.centers, self.patches, self.drops) = (centers, patches, drops)
  }
}

extension Tensor {
  /// An image, 1 × channels × height × width, with a patch replaced.
  package func replacing(_ patch: Patch, by replacement: PatchAblation.Replacement) -> Tensor {
    var result = self
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    result.withUnsafeMutableElements { x in
      func fill(_ value: (_ channel: Int, _ index: Int) -> Float) {
        for channel in 0..<channels {
          for row in patch.rows {
            for column in patch.columns {
              let index = (channel * height + row) * width + column
              x[index] = value(channel, index)
            }
          }
        }
      }
      switch replacement {
      case .mean: fill { _, _ in 0 }
      case .pixel(let pixel): fill { channel, _ in pixel[channel] }
      case .image(let image): image.withUnsafeElements { other in fill { _, index in other[index] } }
      }
    }
    return result
  }
}

extension Trace {
  fileprivate func activations(of units: [ActiveUnit], for inputs: [Tensor]) throws -> [[Float]] {
    let id = try plan.network.graph.requiredNode(named: units[0].node)
    let shape = forward.shape(of: id)
    let places = units.map { unit in
      zip(unit.position, shape.dimensions.dropFirst(2)).reduce(unit.channel) { $0 * $1.1 + $1.0 }
    }
    return try explainer.together(inputs, where: { $1.shapes[id.index] == shape.withBatch($2) }) { some, _ in
      let values = try explainer.executor.trace(Tensor(joining: some)).value(of: id)
      return values.withUnsafeElements { values in
        some.indices.map { item in places.map { values[item * shape.count + $0] } }
      }
    }
  }
}
