import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// ILSVRC's files on disk.
@Suite struct ImageNetTests {
  private let disk: DataSetFolder

  init() throws { disk = try DataSetFolder() }

  @Test(arguments: [
    "a.JPEG 1\nb.JPEG 2", "a\t1\nb\t2\n\n", "a.JPEG,1\r\nb.JPEG,2\r\n", "val/a.JPEG n00000001\nval/b.JPEG n00000002",
    "filename,label\na.JPEG,1\nb.JPEG,2", "{\"a.JPEG\": 1, \"b\": \"n00000002\"}", "a dog\nb horse",
    "ImageId,PredictionString\na,n00000001 0 0 9 9 \nb,n00000002 0 0 9 9",
  ])
  func labelsFiles(_ labels: String) throws {
    try writeImageNet()
    try disk.write("labels", labels)
    let data = try disk.load("val", DataSetOptions(labels: disk.path("labels")), classes: synsets())
    #expect(data.name == "imagenet val")
    #expect(data.images.map(\.name) == ["a.JPEG", "b.JPEG"])
    #expect(data.images.map(\.classes) == [[1], [2]])
    #expect(data.notes == ["1 image is without a label and left out; the first is c.JPEG."])
  }

  @Test func boxesOfILSVRCCountPixelsFromZero() throws {
    try writeImageNet()
    try disk.write("labels", "a 1\nb 2\nz 0")
    // The upper left pixel, and a whole image of 500 columns and 375 rows with sides in the wrong order.
    try disk.write(
      "boxes/n1/a.xml", disk.annotation([("n00000001", [0, 0, 0, 0], 0), ("n00000001", [499, 374, 0, 0], 0)]))
    let options = DataSetOptions(labels: disk.path("labels"), boxes: disk.path("boxes"))
    let data = try disk.load("val", options, classes: synsets())
    #expect(
      data.images[0].boxes(of: 1) == [
        BoundingBox(left: 0, top: 0, right: 1, bottom: 1), BoundingBox(left: 0, top: 0, right: 500, bottom: 375),
      ])
    #expect(
      data.notes == [
        "1 image is without a label and left out; the first is c.JPEG.",
        "1 label is without an image in the folder; the first is for z.",
        "1 image is without an annotation file; the first is b.JPEG.",
      ])
  }

  @Test func solutionFilesHaveBoxes() throws {
    try writeImageNet()
    try disk.write("labels", "ImageId,PredictionString\na,n00000001 111 108 230 173 n00000002 0 0 9 9 \n")
    let data = try disk.load("val", DataSetOptions(labels: disk.path("labels")), classes: synsets())
    #expect(
      data.images[0].objects == [
        LabeledObject(classIndex: 1, box: BoundingBox(left: 111, top: 108, right: 231, bottom: 174)),
        LabeledObject(classIndex: 2, box: BoundingBox(left: 0, top: 0, right: 10, bottom: 10)),
      ])
  }

  @Test(arguments: [
    (
      "490\n361\n",
      "numbers without names follow the order of the challenge's development kit, not that of a network; expected "
        + "LOC_val_solution.csv, or lines such as \"ILSVRC2012_val_00000001.JPEG n01751748\""
    ),
    ("a 1\nb", "line 2: expected an image and its class, found b"),
    (
      "ImageId,PredictionString\na,n00000001 1 2 3",
      "line 2: expected an image, and classes with four numbers each, found a,n00000001 1 2 3"
    ),
    ("{\"a\": [1]}", "a: expected text, found another kind of value"),
    ("{\"a\": 1", "expected JSON, found the given data was not valid JSON"),
  ])
  func damagedLabels(_ labels: String, _ expected: String) throws {
    try writeImageNet()
    try disk.write("labels", labels)
    #expect(
      disk.sentence { try disk.load("val", DataSetOptions(labels: disk.path("labels"))) } == "labels: \(expected)"
    )
  }

  @Test func imageNetNeedsLabels() throws {
    try writeImageNet()
    #expect(
      disk.sentence { try disk.load("val", format: .imagenet) }
        == "val: the format imagenet needs a folder and a labels file, such as LOC_val_solution.csv, or lines with an "
        + "image and its class")
    #expect(
      disk.sentence { try disk.load("val", DataSetOptions(labels: disk.path("gone"))) }
        == "gone: not found; expected labels")
    try disk.write("labels", "a 1")
    let options = DataSetOptions(labels: disk.path("labels"), boxes: disk.path("gone"))
    #expect(disk.sentence { try disk.load("val", options) } == "gone: not found; expected a folder")
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: Fixtures.images.path + "/imagenet/labels.json")))
  func photographsOfImageNet() throws {
    let folder = Fixtures.images.appendingPathComponent("imagenet").path
    let classes = try ClassNames(contentsOf: Fixtures.images.path + "/imagenet-classes.json", count: 1000)
    let data = try DataSet.load(folder, options: DataSetOptions(labels: "\(folder)/labels.json"), classes: classes)
    #expect(data.images.count == 120)
    #expect(data.notes.isEmpty)
    for image in data.images {
      // Each file name starts with the WordNet identifier of its class.
      #expect(image.classes == [try classes.index(of: String(image.name.prefix(9)), in: "")])
    }
  }

  /// The network's classes with WordNet identifiers.
  private func synsets() throws -> ClassNames {
    try disk.write("synsets.txt", "n00000000 cat\nn00000001 dog, domestic dog\nn00000002 horse\n")
    return try ClassNames(contentsOf: disk.path("synsets.txt"), count: 3)
  }

  private func writeImageNet() throws { for name in ["a", "b", "c"] { try disk.write("val/\(name).JPEG", "") } }
}
