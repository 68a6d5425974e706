import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Properties of data sets in all formats.
@Suite struct DataSetTests {
  private let disk: DataSetFolder

  init() throws { disk = try DataSetFolder() }

  @Test(arguments: ["nothing", "image.txt", "flat"])
  func unrecognizedPathsListTheFormats(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: disk.path("nothing"), withIntermediateDirectories: true)
    try disk.write("image.txt", "")
    try disk.write("flat/1.jpg", "")
    #expect(
      disk.sentence { try disk.load(name) }
        == "\(name): not recognized as a data set; expected a folder of images and a labels file (imagenet), or a "
        + "folder with one subfolder of images per class (folder), or a folder with JPEGImages and Annotations (voc), "
        + "or a .json file with images and annotations (coco), or a .csv or .jsonl file (manifest)")
  }

  @Test func pathsMustFitTheFormat() throws {
    try disk.write("flat/1.txt", "")
    #expect(disk.sentence { try disk.load("gone") } == "gone: not found; expected a data set")
    #expect(
      disk.sentence { try disk.load("gone", format: .voc) }
        == "gone: not found; expected a folder with JPEGImages and Annotations")
    #expect(
      disk.sentence { try disk.load("flat", format: .coco) }
        == "flat: expected a .json file with images and annotations, found a folder")
    #expect(
      disk.sentence { try disk.load("flat/1.txt", format: .folder) }
        == "flat/1.txt: expected a folder with one subfolder of images per class, found a file")
    #expect(
      disk.sentence { try disk.load("flat", format: .voc) } == "flat/Annotations: not found; expected a folder")
    #expect(
      disk.sentence { try disk.load("flat", format: .folder) }
        == "flat: expected a folder with one subfolder of images per class, found no labeled image")
    try disk.write("bytes.csv", Data([0xFF, 0xFE, 0]))
    #expect(disk.sentence { try disk.load("bytes.csv") } == "bytes.csv: expected text in UTF-8, found other bytes")
  }

  @Test func unknownClassesAreErrorsOrSkipped() throws {
    let names = ["u", "v", "w", "x", "y", "z", "u", "dog"]
    try disk.write("m.csv", "image,class\n" + names.enumerated().map { "\($0).jpg,\($1)\n" }.joined())
    #expect(
      disk.sentence { try disk.load("m.csv") }
        == "m.csv: 6 classes are not among the network's 3: u, v, w, x, y, …; provide a class file that maps each name "
        + "to a class, or skip unknown classes")
    let data = try disk.load("m.csv", DataSetOptions(skipsUnknownClasses: true))
    #expect(data.images.map(\.classes) == [[], [], [], [], [], [], [], [1]])
    #expect(
      data.notes.last == "7 labels are left out because the network has no such class: u, v, w, x, y and 1 more.")
  }

  @Test func imagesOfACOCOFileHaveDifferentNames() throws {
    let images = "[{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 2, \"file_name\": \"a\"}]"
    let annotations = (1...2).map { "{\"image_id\": \($0), \"category_id\": 1, \"bbox\": [0, 0, 1, 1]}" }
    try disk.write(
      "coco.json",
      "{\"images\": \(images), \"annotations\": [\(annotations.joined(separator: ","))], "
        + "\"categories\": [{\"id\": 1, \"name\": \"dog\"}]}")
    #expect(
      disk.sentence { try disk.load("coco.json", DataSetOptions(images: disk.root)) }
        == "coco.json: expected images with different names, found two images named a")
  }
}
