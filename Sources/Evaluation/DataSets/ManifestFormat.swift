import Foundation
import RelevanceSupport

/// A custom list of images. Boxes are left, top, right and bottom in pixels from 0, with exclusive right and bottom
/// edges. Paths are relative to the manifest's folder. Classes are names or numbers.
///
/// - CSV with the header `image,class[,left,top,right,bottom[,difficult]]`: one line per object, or per class without a
///   box. The lines of an image are combined.
/// - JSONL with one object per line: `{"image": "a.jpg", "classes": ["dog"], "objects": [{"class": 281, "box": [0, 0,
///   9, 9], "difficult": false}]}`. All keys except `image` are optional.
struct ManifestFormat {
  private let path: String

  init(_ path: String) { self.path = path }

  func dataSet() throws -> UnresolvedDataSet {
    let text = try Files.text(path, expected: DataSetFormat.manifest.needs)
    let rows = try Files.fileExtension(of: path) == "jsonl" ? lines(text) : records(text)
    var dataSet = UnresolvedDataSet(name: "manifest \(Files.lastName(of: path))", path: path)
    var positions: [String: Int] = [:]
    for row in rows {
      if let position = positions[row.name] {
        dataSet.images[position].classes += row.classes
        dataSet.images[position].objects += row.objects
      } else {
        positions[row.name] = dataSet.images.count
        dataSet.images.append(row)
      }
    }
    dataSet.noteMissingImages()
    return dataSet
  }

  private func image(_ name: String) -> UnresolvedDataSet.Image {
    .init(name: name, path: name.hasPrefix("/") ? name : "\(Files.folder(of: path))/\(name)")
  }

  private func invalid(line: Int, expected: String, found: String) -> SimpleError {
    .invalid(path, place: "line \(line)", expected: expected, found: found)
  }

  /// A box whose sides are finite and in order.
  private func box(_ sides: [Double], line: Int) throws -> BoundingBox {
    guard sides.count == 4, sides.allSatisfy(\.isFinite), sides[0] < sides[2], sides[1] < sides[3] else {
      throw invalid(
        line: line, expected: "a box with left < right and top < bottom",
        found: sides.map { $0.formatted }.joined(separator: ", "))
    }
    return BoundingBox(left: sides[0], top: sides[1], right: sides[2], bottom: sides[3])
  }

  // MARK: CSV

  private static let sides = ["left", "top", "right", "bottom"]

  private func records(_ text: String) throws -> [UnresolvedDataSet.Image] {
    let records = try CommaSeparatedValues(text, path: path).records
    let header = records.first?.fields.map { $0.trimmingCharacters(in: .whitespaces).lowercased() } ?? []
    let columns = ["image", "class"] + Self.sides + ["difficult"]
    guard [2, 6, 7].contains(header.count), header == Array(columns.prefix(header.count)) else {
      throw invalid(
        line: 1, expected: "the header image,class[,left,top,right,bottom[,difficult]]",
        found: header.isEmpty ? "nothing" : header.joined(separator: ","))
    }
    return try records.dropFirst().map { line, fields in
      guard fields.count == header.count, !fields[0].isEmpty, !fields[1].isEmpty else {
        throw invalid(
          line: line, expected: "\(header.count) fields as in the header, with a nonempty image and class",
          found: fields.joined(separator: ","))
      }
      var image = image(fields[0])
      let label = ClassReference.named(fields[1])
      let written = fields[2..<min(6, fields.count)].map { $0.trimmingCharacters(in: .whitespaces) }
      let difficult = fields.count == 7 ? fields[6].trimmingCharacters(in: .whitespaces).lowercased() : ""
      guard ["", "0", "1", "false", "true"].contains(difficult) else {
        throw invalid(line: line, expected: "difficult to be 0 or 1", found: difficult)
      }
      if written.allSatisfy(\.isEmpty) {
        image.classes = [label]
      } else {
        let numbers = written.compactMap { Double($0) }
        guard numbers.count == 4 else {
          throw invalid(
            line: line, expected: "four numbers left, top, right, bottom, or none",
            found: written.joined(separator: ","))
        }
        image.objects = [
          .init(label: label, box: try box(numbers, line: line), isDifficult: ["1", "true"].contains(difficult))
        ]
      }
      return image
    }
  }

  // MARK: JSONL

  private func lines(_ text: String) throws -> [UnresolvedDataSet.Image] {
    let decoder = JSONDecoder()
    return try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, text in
      guard !text.allSatisfy(\.isWhitespace) else { return nil }
      let line: Line
      do { line = try decoder.decode(Strict<Line>.self, from: Data(text.utf8)).value } catch let error as UnknownKey {
        throw invalid(line: index + 1, expected: error.known.joined(separator: ", "), found: error.key)
      } catch {
        throw SimpleError.json(path, place: "line \(index + 1)", error)
      }
      var image = image(line.image)
      image.classes = line.classes ?? []
      image.objects = try (line.objects ?? []).map(\.value).map {
        .init(label: $0.label, box: try box($0.box, line: index + 1), isDifficult: $0.difficult ?? false)
      }
      return image
    }
  }

  private struct Line: StrictlyDecodable {
    let image: String
    let classes: [ClassReference]?
    let objects: [Strict<Object>]?
    static let keys = ["image", "classes", "objects"]
  }

  private struct Object: StrictlyDecodable {
    let label: ClassReference
    let box: [Double]
    let difficult: Bool?
    enum CodingKeys: String, CodingKey {
      case label = "class"
      case box, difficult
    }
    static let keys = ["class", "box", "difficult"]
  }
}

private protocol StrictlyDecodable: Decodable { static var keys: [String] { get } }

/// A value without other keys, so that a misspelled key is an error.
private struct Strict<Value: StrictlyDecodable>: Decodable {
  let value: Value
  init(from decoder: any Decoder) throws {
    let found = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let other = found.first(where: { !Value.keys.contains($0) }) { throw UnknownKey(key: other, known: Value.keys) }
    value = try Value(from: decoder)
  }
}

private struct UnknownKey: Error {
  let key: String
  let known: [String]
}

extension Double {
  /// The number; integers have no fraction.
  fileprivate var formatted: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
