import Foundation
import RelevanceSupport

/// The members of a `preprocessor_config.json`, read with type checks.
///
/// Accessors return nil for a key that is missing or null, and throw an error for a value of the wrong type.
struct Settings {
  let file: String
  let members: [String: JSONValue]

  /// Larger sizes are mistakes: the side of the largest square within `RGBImage.pixelLimit` is 13 377.
  private static let largestSide = 100_000

  subscript(key: String) -> JSONValue? {
    guard let value = members[key], value != .null else { return nil }
    return value
  }

  func bool(_ key: String) throws -> Bool? {
    guard let value = self[key] else { return nil }
    guard case .bool(let bool) = value else { throw wrong(key, "true or false", value) }
    return bool
  }

  func number(_ key: String, positive: Bool = false) throws -> Double? {
    guard let value = self[key] else { return nil }
    guard case .number(let number) = value, !positive || number > 0 else {
      throw wrong(key, positive ? "a number above 0" : "a number", value)
    }
    return number
  }

  func resampling(_ key: String) throws -> Resampling? {
    guard let value = self[key] else { return nil }
    if case .string(let name) = value, let filter = Resampling(named: name) { return filter }
    guard case .number(let number) = value, let resampling = Int(exactly: number).flatMap(Resampling.init(rawValue:))
    else { throw wrong(key, "a Pillow filter from 0 to 5", value) }
    return resampling
  }

  /// A number for each channel, red first: one, three or four; a number without brackets applies to all channels.
  func colors(_ key: String, positive: Bool = false) throws -> Colors? {
    guard let value = self[key] else { return nil }
    let items = if case .array(let items) = value { items } else { [value] }
    let numbers = items.compactMap { item -> Double? in
      guard case .number(let number) = item, !positive || number > 0 else { return nil }
      return number
    }
    guard [1, 3, 4].contains(items.count), numbers.count == items.count else {
      throw wrong(key, positive ? "one, three or four numbers above 0" : "one, three or four numbers", value)
    }
    if case .array = value { return .each(numbers) }
    return .all(numbers[0])
  }

  /// Means and deviations, equally many.
  func normalization(mean meanKey: String, deviation deviationKey: String, usual: (mean: Double, deviation: Double))
    throws
    -> (mean: [Double], deviation: [Double])
  {
    let mean = try colors(meanKey) ?? .all(usual.mean)
    let deviation = try colors(deviationKey, positive: true) ?? .all(usual.deviation)
    let count = mean.count ?? deviation.count ?? 3
    if let found = deviation.count, found != count {
      throw wrong(deviationKey, "as many numbers as in \(meanKey), \(count)", self[deviationKey] ?? .null)
    }
    return (mean.numbers(count), deviation.numbers(count))
  }

  func cropRounding(_ key: String) throws -> Preprocessing.CropRounding? {
    guard let value = self[key] else { return nil }
    guard case .string(let name) = value, let rounding = Preprocessing.CropRounding(rawValue: name) else {
      throw wrong(key, "\"huggingFace\" or \"torchvision\"", value)
    }
    return rounding
  }

  /// The numbers of channels.
  enum Colors {
    case all(Double)
    case each([Double])

    var count: Int? { if case .each(let numbers) = self { numbers.count } else { nil } }

    func numbers(_ count: Int) -> [Double] {
      switch self {
      case .all(let number): [Double](repeating: number, count: count)
      case .each(let numbers): numbers
      }
    }
  }

  /// A width and a height in pixels; a single integer is used for both.
  func extent(_ key: String) throws -> Preprocessing.Crop? {
    guard let value = self[key] else { return nil }
    if let side = pixels(value) { return Preprocessing.Crop(width: side, height: side) }
    guard case .object(let members) = value, let width = members["width"].flatMap(pixels),
      let height = members["height"].flatMap(pixels)
    else {
      if case .object(let members) = value, members.count == 1, let side = members["shortest_edge"].flatMap(pixels) {
        return Preprocessing.Crop(width: side, height: side)
      }
      throw wrong(key, "a positive integer or {\"height\", \"width\"}", value)
    }
    return Preprocessing.Crop(width: width, height: height)
  }

  func size(_ key: String, integerIsShortestEdge: Bool) throws -> Preprocessing.Size? {
    guard let value = self[key] else { return nil }
    if let side = pixels(value) {
      return integerIsShortestEdge ? .shortestEdge(side) : .exact(width: side, height: side)
    }
    if case .object(let members) = value {
      let sides = members.compactMapValues(pixels)
      switch (sides.keys.sorted(), members.count) {
      case (["shortest_edge"], 1): return .shortestEdge(sides["shortest_edge"]!)
      case (["longest_edge"], 1): return .longestEdge(sides["longest_edge"]!)
      case (["height", "width"], 2): return .exact(width: sides["width"]!, height: sides["height"]!)
      default: break
      }
    }
    throw wrong(
      key, "a positive integer, {\"shortest_edge\"}, {\"longest_edge\"} or {\"height\", \"width\"}", value)
  }

  func pixels(_ value: JSONValue) -> Int? {
    guard case .number(let number) = value, let side = Int(exactly: number), (1...Self.largestSide).contains(side)
    else { return nil }
    return side
  }

  func wrong(_ key: String, _ expected: String, _ found: JSONValue) -> SimpleError {
    .invalid(file, place: key, expected: expected, found: found.description)
  }
}

extension Settings {
  init(decoding data: Data, file: String, expected: String = "a preprocessor_config.json") throws {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: data.withoutByteOrderMark) else {
      throw SimpleError("\(file): not JSON; expected \(expected)")
    }
    guard case .object(let members) = value else {
      throw SimpleError.invalid(file, expected: "an object", found: value.description)
    }
    self.init(file: file, members: members)
  }
}

extension Data {
  /// The data without a byte order mark, which some editors write before UTF-8 text.
  package var withoutByteOrderMark: Data { starts(with: [0xEF, 0xBB, 0xBF]) ? Data(dropFirst(3)) : self }
}
