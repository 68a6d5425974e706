import RelevanceSupport

/// A class as a data set refers to it.
enum ClassReference: Hashable {
  case named(String)
  case numbered(Int)
}

extension ClassReference: Decodable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let index = try? container.decode(Int.self) {
      self = .numbered(index)
    } else if let name = try? container.decode(String.self) {
      self = .named(name)
    } else {
      throw DecodingError.typeMismatch(
        String.self, .init(codingPath: decoder.codingPath, debugDescription: "neither a name nor a number"))
    }
  }
}

/// A data set whose classes are not yet mapped to those of the network.
struct UnresolvedDataSet {
  struct Image {
    var name: String
    var path: String
    var classes: [ClassReference] = []
    var objects: [Object] = []
  }

  struct Object {
    var label: ClassReference
    var box: BoundingBox
    var isDifficult = false
  }

  /// The name for reports.
  var name: String
  /// The path for errors.
  var path: String
  var images: [Image] = []
  var notes: [String] = []

  /// Adds a note about images that are left out because they have no annotation.
  mutating func noteWithoutAnnotation(_ names: [String], of what: String) {
    note(names, "image", "without \(what) and left out; the first is")
  }

  /// Adds a note about some things, if there are any. The note ends with the name of the first one.
  mutating func note(_ names: [String], _ noun: String, _ matter: String) {
    if let first = names.first { notes.append("\(names.count.things(noun)) \(matter) \(first).") }
  }

  /// Adds a note about images that are annotated but missing. They are included, so that a run reports them.
  mutating func noteMissingImages() {
    let missing = images.map(\.path).filter { Files.isFolder($0) == nil }
    note(missing, "image", "missing on disk; the first is")
  }

  /// Adds a note about images in formats that are not supported.
  mutating func noteOtherImages(_ names: [String]) {
    note(names.filter(Files.isOtherImage), "image", "neither JPEG nor PNG and left out; the first is")
  }

  /// The data set with the network's classes.
  func resolved(_ classes: ClassNames, skipsUnknown: Bool) throws -> DataSet {
    var indices: [ClassReference: Int?] = [:]
    var unknown: [String] = []
    var (skipped, empty) = (0, 0)
    func index(_ label: ClassReference) throws -> Int? {
      if let known = indices[label] {
        skipped += known == nil ? 1 : 0
        return known
      }
      let found = try classes.index(of: label, in: path)
      indices[label] = .some(found)
      if found == nil, case .named(let name) = label {
        unknown.append(name)
        skipped += 1
      }
      return found
    }
    var names: Set<String> = []
    let images = try self.images.map { image in
      guard names.insert(image.name).inserted else {
        throw SimpleError.invalid(
          path, expected: "images with different names", found: "two images named \(image.name)")
      }
      var known = try image.classes.compactMap(index)
      var objects: [LabeledObject] = []
      for object in image.objects {
        guard let classIndex = try index(object.label) else { continue }
        known.append(classIndex)
        if object.box.area > 0 {
          objects.append(LabeledObject(classIndex: classIndex, box: object.box, isDifficult: object.isDifficult))
        } else {
          empty += 1
        }
      }
      return LabeledImage(name: image.name, path: image.path, classes: known, objects: objects)
    }
    let examples = unknown.prefix(5).joined(separator: ", ")
    guard unknown.isEmpty || skipsUnknown else {
      throw SimpleError(
        "\(path): \(unknown.count) class\(unknown.count == 1 ? " is" : "es are") not among the network's "
          + "\(classes.count): "
          + examples + (unknown.count > 5 ? ", …" : "")
          + "; provide a class file that maps each name to a class, or skip unknown classes")
    }
    var notes = notes
    if !unknown.isEmpty {
      notes.append(
        "\(skipped.things("label")) left out because the network has no such class: "
          + examples + (unknown.count > 5 ? " and \(unknown.count - 5) more." : "."))
    }
    if empty > 0 {
      notes.append(
        "\(empty == 1 ? "1 box has" : "\(empty) boxes have") no area and \(empty == 1 ? "is" : "are") left out.")
    }
    return DataSet(name: name, images: images, notes: notes)
  }
}
