import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// COCO's files on disk.
@Suite struct COCOTests {
  private let disk: DataSetFolder

  init() throws { disk = try DataSetFolder() }

  @Test(arguments: ["val2017", "annotations/val2017", "images/val2017", "annotations"])
  func imagesAreFound(_ folder: String) throws {
    try writeCOCO()
    try disk.write("\(folder)/1.jpg", "")
    let data = try disk.load("annotations/instances_val2017.json")
    #expect(data.name == "coco instances_val2017")
    #expect(data.images.map(\.name) == ["1.jpg", "2.jpg"])
    #expect(FileManager.default.fileExists(atPath: data.images[0].path))
    #expect(data.images[0].objects.map(\.box) == [BoundingBox(left: 1.5, top: 2, right: 4.5, bottom: 6)])
    #expect(data.images[0].classes == [1, 2])
    #expect(data.images[1].objects.isEmpty && data.images[1].classes == [0])
    #expect(
      data.notes.filter { !$0.contains("missing") } == [
        "1 image is without an annotation and left out; the first is 3.jpg.",
        "1 crowd annotation is left out of the boxes; their classes are kept.",
        "1 box has no area and is left out.",
      ])
    #expect(data.notes.count { $0.hasPrefix("1 image is missing on disk") } == 1)
  }

  @Test func imageFolderCanBeGiven() throws {
    try writeCOCO()
    let file = "annotations/instances_val2017.json"
    #expect(
      disk.sentence { try disk.load(file) }
        == "annotations/val2017: not found; expected the folder of the images of annotations/instances_val2017.json")
    #expect(
      disk.sentence { try disk.load(file, DataSetOptions(images: disk.path("gone"))) }
        == "gone: not found; expected the folder of the images")
    // Missing images are kept, so that a run reports them.
    let data = try disk.load(file, DataSetOptions(images: disk.root))
    #expect(data.images.map(\.path) == [disk.path("1.jpg"), disk.path("2.jpg")])
    #expect(data.notes.contains("2 images are missing on disk; the first is \(disk.path("1.jpg"))."))
  }

  @Test(arguments: [
    ("{", "expected JSON, found the given data was not valid JSON"),
    ("{\"images\": []}", "expected \"annotations\", found none"),
    (
      "{\"images\": [{\"id\": 1}], \"annotations\": [], \"categories\": []}",
      "images[0]: expected \"file_name\", found none"
    ),
    (
      "{\"images\": [{\"id\": \"1\", \"file_name\": \"1.jpg\"}], \"annotations\": [], \"categories\": []}",
      "images[0].id: expected a whole number, found another kind of value"
    ),
    (annotated(image: 9), "annotations[0]: expected the id of one of the images, found 9"),
    (annotated(category: 9), "annotations[0]: expected the id of one of the categories, found 9"),
    (annotated(box: "[1, 2]"), "annotations[0]: expected a bbox of four numbers, found 2"),
  ])
  func damagedCOCO(_ json: String, _ expected: String) throws {
    try disk.write("coco.json", json)
    let options = DataSetOptions(images: disk.root)
    #expect(disk.sentence { try disk.load("coco.json", options) } == "coco.json: \(expected)")
  }

  private func writeCOCO() throws {
    try disk.write(
      "annotations/instances_val2017.json",
      """
      {"info": {}, "licenses": [],
       "images": [{"id": 7, "file_name": "1.jpg", "width": 9, "height": 9}, {"id": 5, "file_name": "2.jpg"},
         {"id": 6, "file_name": "3.jpg"}],
       "annotations": [
         {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1.5, 2, 3, 4], "iscrowd": 0, "segmentation": [[1, 2]]},
         {"id": 2, "image_id": 7, "category_id": 90, "bbox": [0, 0, 9, 9], "iscrowd": 1, "segmentation": {"counts": []}},
         {"id": 3, "image_id": 5, "category_id": 3, "bbox": [1, 2, 0, 4]}],
       "categories": [{"id": 18, "name": "dog"}, {"id": 90, "name": "horse"}, {"id": 3, "name": "cat"}]}
      """)
  }
}

/// A COCO file with one annotation, of which a part can be wrong.
private func annotated(image: Int = 1, category: Int = 1, box: String = "[0, 0, 1, 1]") -> String {
  """
  {"images": [{"id": 1, "file_name": "1.jpg"}], "categories": [{"id": 1, "name": "dog"}],
   "annotations": [{"image_id": \(image), "category_id": \(category), "bbox": \(box)}]}
  """
}
