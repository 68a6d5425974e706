import Foundation
import Support

/// The members of a `preprocessor_config.json`, read with their types checked.
///
/// Every accessor returns nil for a key that is missing or null, and throws for a value of another kind than the key's.
struct Settings {
  let file: String
  let members: [String: JSONValue]

  /// Larger sizes than this are a mistake: the side of the largest square within `RGBImage.pixelLimit` is 13 377.
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
    guard case .number(let number) = value, let resampling = Int(exactly: number).flatMap(Resampling.init(rawValue:))
    else { throw wrong(key, "a Pillow filter from 0 to 5", value) }
    return resampling
  }

  /// Three numbers, red first; one number stands for all three.
  func colors(_ key: String, positive: Bool = false) throws -> [Double]? {
    guard let value = self[key] else { return nil }
    let items = if case .array(let items) = value { items } else { [value, value, value] }
    let numbers = items.compactMap { item -> Double? in
      guard case .number(let number) = item, !positive || number > 0 else { return nil }
      return number
    }
    guard items.count == 3, numbers.count == 3 else {
      throw wrong(key, positive ? "three numbers above 0" : "three numbers", value)
    }
    return numbers
  }

  /// A width and a height in pixels; one integer stands for both.
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

  private func pixels(_ value: JSONValue) -> Int? {
    guard case .number(let number) = value, let side = Int(exactly: number), (1...Self.largestSide).contains(side)
    else { return nil }
    return side
  }

  private func wrong(_ key: String, _ expected: String, _ found: JSONValue) -> SimpleError {
    .invalid(file, place: key, expected: expected, found: found.description)
  }
}

extension Settings {
  init(decoding data: Data, file: String) throws {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: data) else {
      throw SimpleError("\(file): not JSON; expected a preprocessor_config.json")
    }
    guard case .object(let members) = value else {
      throw SimpleError.invalid(file, expected: "an object", found: value.description)
    }
    self.init(file: file, members: members)
  }
}
