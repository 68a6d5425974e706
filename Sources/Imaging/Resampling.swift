import Foundation

/// The filter with which an image is resized. The raw values are those of Pillow and of the `resample` key.
public enum Resampling: Int, Codable, Hashable, Sendable, CaseIterable {
  /// The nearest pixel.
  case nearest = 0
  /// Windowed sinc over 3 lobes.
  case lanczos = 1
  /// Triangle over 2 pixels.
  case bilinear = 2
  /// Cubic convolution with a = −0.5 over 4 pixels.
  case bicubic = 3
  /// The mean of the pixels covered.
  case box = 4
  /// Hamming-windowed sinc over 2 pixels.
  case hamming = 5

  /// The filter with a name in timm's spelling: `bicubic`.
  init?(named name: String) {
    guard let filter = Self.allCases.first(where: { "\($0)" == name.lowercased() }) else { return nil }
    self = filter
  }

  /// The half-width of the filter in source pixels when enlarging; nil for `nearest`, which does not average.
  var support: Double? {
    switch self {
    case .nearest: nil
    case .box: 0.5
    case .bilinear, .hamming: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The filter's weight at a distance from its center.
  func weight(at x: Double) -> Double {
    func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
    let distance = abs(x)
    switch self {
    case .nearest: return 1
    case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear: return max(1 - distance, 0)
    case .hamming:
      // Single-precision constants, as in Pillow, because the last bit of a weight can change a byte.
      return distance < 1 ? sinc(x) * (Double(Float(0.54)) + Double(Float(0.46)) * cos(.pi * x)) : 0
    case .lanczos: return distance < 3 ? sinc(x) * sinc(x / 3) : 0
    case .bicubic:
      if distance < 1 { return (1.5 * distance - 2.5) * distance * distance + 1 }
      return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0
    }
  }
}

extension RGBImage {
  /// The image resized to another size.
  ///
  /// Resizing is antialiased: the filter is widened in proportion when the image shrinks. It uses two passes in
  /// fixed-point arithmetic with 22 fractional bits, each rounded to 8 bits, so that the bytes equal those of Pillow's
  /// `resize` (version 13; earlier versions use the opposite order of passes for tall images, which changes a few
  /// pixels by some gray levels).
  ///
  /// - Throws: `RelevanceKitError` unless the image and the result have between 1 and `pixelLimit` pixels.
  /// - Complexity: O(width·height·filter width) of the larger of the two sizes per axis.
  public func resized(width: Int, height: Int, by resampling: Resampling) throws -> RGBImage {
    for (width, height) in [(self.width, self.height), (width, height)] {
      _ = try Self.elementCount(width: width, height: height, perPixel: 3)
    }
    return resized(width: width, height: height, by: resampling, columns: 0..<width, rows: 0..<height)
  }

  /// Some columns and rows of the resized image, without computing the others.
  func resized(
    width: Int, height: Int, by resampling: Resampling, columns: Range<Int>, rows: Range<Int>
  ) -> RGBImage {
    precondition(width > 0 && height > 0, "an image cannot be resized to \(width)×\(height)")
    precondition(self.width > 0 && self.height > 0, "an image without pixels cannot be resized")
    if width == self.width && height == self.height {
      return window(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
    }
    guard resampling != .nearest else { return nearest(width: width, height: height, columns: columns, rows: rows) }
    let horizontal = ResamplingTable(resampling, from: self.width, to: width, part: columns)
    let vertical = ResamplingTable(resampling, from: self.height, to: height, part: rows)
    // The first pass computes only what the second pass reads.
    let (usedColumns, usedRows) = (horizontal.sourceRange, vertical.sourceRange)
    if width == self.width {
      let source = window(x: columns.lowerBound, y: usedRows.lowerBound, width: columns.count, height: usedRows.count)
      return source.resampledColumns(with: vertical, firstRow: usedRows.lowerBound)
    }
    if height == self.height { return resampledRows(rows, with: horizontal) }
    // Pillow's rule: columns first if the height shrinks by more than twice as much as the width.
    if height < self.height && self.height - height > 2 * (self.width - width) {
      return window(x: usedColumns.lowerBound, y: usedRows.lowerBound, width: usedColumns.count, height: usedRows.count)
        .resampledColumns(with: vertical, firstRow: usedRows.lowerBound)
        .resampledRows(0..<rows.count, with: horizontal, firstColumn: usedColumns.lowerBound)
    }
    return resampledRows(usedRows, with: horizontal)
      .resampledColumns(with: vertical, firstRow: usedRows.lowerBound)
  }

  private func nearest(width: Int, height: Int, columns: Range<Int>, rows: Range<Int>) -> RGBImage {
    let sourceX = Self.nearestPositions(from: self.width, to: width, part: columns)
    let sourceY = Self.nearestPositions(from: self.height, to: height, part: rows)
    return RGBImage(width: columns.count, height: rows.count) { target in
      pixels.withUnsafeBufferPointer { source in
        var to = 0
        for y in sourceY {
          for x in sourceX {
            let from = (y * self.width + x) * 3
            target[to] = source[from]
            target[to + 1] = source[from + 1]
            target[to + 2] = source[from + 2]
            to += 3
          }
        }
      }
    }
  }

  /// The source position of each target position. Steps are added instead of multiplied, to round as Pillow does.
  private static func nearestPositions(from source: Int, to target: Int, part: Range<Int>) -> [Int] {
    let step = Double(source) / Double(target)
    var position = step * 0.5
    var positions: [Int] = []
    for index in 0..<part.upperBound {
      if index >= part.lowerBound { positions.append(min(Int(position), source - 1)) }
      position += step
    }
    return positions
  }

  /// The given rows at the table's width; column 0 of the image is column `firstColumn` of the table.
  private func resampledRows(_ rows: Range<Int>, with table: ResamplingTable, firstColumn: Int = 0) -> RGBImage {
    let half: Int32 = 1 << (ResamplingTable.fractionBits - 1)
    return RGBImage(width: table.starts.count, height: rows.count) { target in
      pixels.withUnsafeBufferPointer { source in
        table.weights.withUnsafeBufferPointer { weights in
          var to = 0
          for y in rows {
            let row = source.baseAddress! + y * width * 3
            for x in 0..<table.starts.count {
              var pixel = row + (Int(table.starts[x]) - firstColumn) * 3
              var weight = weights.baseAddress! + x * table.stride
              var (red, green, blue) = (half, half, half)
              for _ in 0..<table.counts[x] {
                red &+= Int32(pixel[0]) &* weight[0]
                green &+= Int32(pixel[1]) &* weight[0]
                blue &+= Int32(pixel[2]) &* weight[0]
                pixel += 3
                weight += 1
              }
              target[to] = ResamplingTable.byte(red)
              target[to + 1] = ResamplingTable.byte(green)
              target[to + 2] = ResamplingTable.byte(blue)
              to += 3
            }
          }
        }
      }
    }
  }

  /// All columns at the table's height; row 0 of the image is row `firstRow` of the table.
  private func resampledColumns(with table: ResamplingTable, firstRow: Int) -> RGBImage {
    let half: Int32 = 1 << (ResamplingTable.fractionBits - 1)
    let length = width * 3
    return RGBImage(width: width, height: table.starts.count) { target in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: length) { sums in
        pixels.withUnsafeBufferPointer { source in
          for y in 0..<table.starts.count {
            sums.update(repeating: half)
            for k in 0..<Int(table.counts[y]) {
              let row = source.baseAddress! + (Int(table.starts[y]) + k - firstRow) * length
              let weight = table.weights[y * table.stride + k]
              for i in 0..<length { sums[i] &+= Int32(row[i]) &* weight }
            }
            let to = target + y * length
            for i in 0..<length { to[i] = ResamplingTable.byte(sums[i]) }
          }
        }
      }
    }
  }
}
