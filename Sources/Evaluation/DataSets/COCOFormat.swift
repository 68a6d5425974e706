import Foundation
import RelevanceSupport

/// COCO's `instances_*.json`. Boxes are left, top, width and height in pixels, from 0. The whole file is in memory
/// while it is decoded.
struct COCOFormat {
  private let path: String
  private let content: Content
  private let images: String

  init(_ path: String, images: String?) throws {
    self.path = path
    content = try Files.decoded(try Files.data(path, expected: DataSetFormat.coco.needs), path)
    if let images {
      guard Files.isFolder(images) == true else {
        throw SimpleError.missing(images, expected: "the folder of the images")
      }
      self.images = images
    } else {
      self.images = try Self.folder(of: content.images, beside: path)
    }
  }

  func dataSet() throws -> UnresolvedDataSet {
    let categories = Dictionary(content.categories.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    let positions = Dictionary(
      content.images.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    var images = content.images.map {
      UnresolvedDataSet.Image(name: $0.fileName, path: "\(self.images)/\($0.fileName)")
    }
    var crowds = 0
    for (number, annotation) in content.annotations.enumerated() {
      func invalid(expected: String, found: String) -> SimpleError {
        .invalid(path, place: "annotations[\(number)]", expected: expected, found: found)
      }
      guard let position = positions[annotation.imageID] else {
        throw invalid(expected: "the id of one of the images", found: "\(annotation.imageID)")
      }
      guard let category = categories[annotation.categoryID] else {
        throw invalid(expected: "the id of one of the categories", found: "\(annotation.categoryID)")
      }
      guard annotation.box.count == 4 else {
        throw invalid(expected: "a bbox of four numbers", found: "\(annotation.box.count)")
      }
      let far = (annotation.box[0] + annotation.box[2], annotation.box[1] + annotation.box[3])
      guard far.0.isFinite, far.1.isFinite else {
        throw invalid(expected: "a bbox whose sides are finite", found: "\(annotation.box)")
      }
      if annotation.isCrowd == 1 {
        crowds += 1
        images[position].classes.append(.named(category))
      } else {
        let (left, top) = (annotation.box[0], annotation.box[1])
        let box = BoundingBox(left: left, top: top, right: far.0, bottom: far.1)
        images[position].objects.append(.init(label: .named(category), box: box))
      }
    }
    var dataSet = UnresolvedDataSet(name: "coco \(Files.stem(of: path))", path: path)
    let isEmpty = { (image: UnresolvedDataSet.Image) in image.classes.isEmpty && image.objects.isEmpty }
    dataSet.noteWithoutAnnotation(images.filter(isEmpty).map(\.name), of: "an annotation")
    dataSet.images = images.filter { !isEmpty($0) }
    if crowds > 0 {
      dataSet.notes.append("\(crowds.things("crowd annotation")) left out of the boxes; their classes are kept.")
    }
    dataSet.noteMissingImages()
    return dataSet
  }

  /// The folder of the images: the folder of the JSON file, or a folder with the name of the split, beside the file or
  /// where COCO's archives place it.
  private static func folder(of images: [Content.Image], beside path: String) throws -> String {
    let beside = Files.folder(of: path)
    let split = Files.stem(of: path).split(separator: "_").last.map(String.init) ?? ""
    let folders = [beside, "\(beside)/\(split)", "\(beside)/../\(split)", "\(beside)/../images/\(split)"]
    let sample = images.prefix(100)
    let found = folders.first { folder in sample.contains { Files.isFolder("\(folder)/\($0.fileName)") == false } }
    if let found { return found }
    // No image is where it should be, but the folder exists: the run reports which images are missing.
    if let named = folders.dropFirst().first(where: { Files.isFolder($0) == true }) { return named }
    throw SimpleError.missing("\(beside)/\(split)", expected: "the folder of the images of \(path)")
  }

  private struct Content: Decodable {
    let images: [Image]
    let annotations: [Annotation]
    let categories: [Category]

    struct Image: Decodable {
      let id: Int
      let fileName: String

      enum CodingKeys: String, CodingKey {
        case id
        case fileName = "file_name"
      }
    }

    struct Annotation: Decodable {
      let imageID: Int
      let categoryID: Int
      let box: [Double]
      let isCrowd: Int?

      enum CodingKeys: String, CodingKey {
        case imageID = "image_id"
        case categoryID = "category_id"
        case box = "bbox"
        case isCrowd = "iscrowd"
      }
    }

    struct Category: Decodable {
      let id: Int
      let name: String
    }
  }
}
