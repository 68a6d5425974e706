import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Data sets in a CSV or JSONL file.
@Suite struct ManifestTests {
  private let disk: DataSetFolder

  init() throws { disk = try DataSetFolder() }

  @Test func csvManifests() throws {
    try disk.write("sub/my \"cat\".jpg", "")
    try disk.write(
      "boxes.csv",
      "\u{FEFF}image,class,left,top,right,bottom,difficult\r\n\"sub/my \"\"cat\"\".jpg\",\"cat, tabby\",1,2,3.5,4,1\r\n\r\n"
        + "/data/b.jpg,1,,,,,\r\n\"sub/my \"\"cat\"\".jpg\",DOG,0,0,1,1,0")
    let data = try disk.load("boxes.csv")
    #expect(data.name == "manifest boxes.csv")
    #expect(data.images.map(\.name) == ["/data/b.jpg", "sub/my \"cat\".jpg"])
    #expect(data.images.map(\.path) == ["/data/b.jpg", disk.path("sub/my \"cat\".jpg")])
    #expect(data.images.map(\.classes) == [[1], [0, 1]])
    #expect(
      data.images[1].objects == [
        LabeledObject(
          classIndex: 0, box: BoundingBox(left: 1, top: 2, right: 3.5, bottom: 4), isDifficult: true),
        LabeledObject(classIndex: 1, box: BoundingBox(left: 0, top: 0, right: 1, bottom: 1)),
      ])
    #expect(data.notes == ["1 image is missing on disk; the first is /data/b.jpg."])
    try disk.write("classes.csv", "image,class\na.jpg,2\n")
    #expect(try disk.load("classes.csv").images.map(\.classes) == [[2]])
  }

  @Test func jsonlManifests() throws {
    try disk.write(
      "boxes.jsonl",
      """
      {"image": "a.jpg", "classes": [2, "dog"]}

      {"image": "b.jpg", "objects": [{"class": "cat", "box": [1, 2, 3, 4.5], "difficult": true}]}
      {"image": "a.jpg", "objects": [{"class": 0, "box": [0, 0, 1, 1]}]}
      {"image": "c.jpg"}
      """)
    let data = try disk.load("boxes.jsonl")
    #expect(data.images.map(\.name) == ["a.jpg", "b.jpg", "c.jpg"])
    #expect(data.images.map(\.classes) == [[0, 1, 2], [0], []])
    #expect(data.images[1].objects[0].box == BoundingBox(left: 1, top: 2, right: 3, bottom: 4.5))
    #expect(data.images.flatMap(\.objects).map(\.isDifficult) == [false, true])
  }

  @Test(arguments: [
    ("m.csv", "", "line 1: expected the header image,class[,left,top,right,bottom[,difficult]], found nothing"),
    (
      "m.csv", "file,class\na.jpg,1",
      "line 1: expected the header image,class[,left,top,right,bottom[,difficult]], found file,class"
    ),
    (
      "m.csv", "image,class\na.jpg",
      "line 2: expected 2 fields as in the header, with a nonempty image and class, found a.jpg"
    ),
    (
      "m.csv", "image,class,left,top,right,bottom\n\n\"a\n.jpg\",1,,,,\na.jpg,1,2,3,4,",
      "line 5: expected four numbers left, top, right, bottom, or none, found 2,3,4,"
    ),
    (
      "m.csv", "image,class,left,top,right,bottom\na.jpg,1,5,3,4,9",
      "line 2: expected a box with left < right and top < bottom, found 5, 3, 4, 9"
    ),
    (
      "m.csv", "image,class,left,top,right,bottom,difficult\na.jpg,1,,,,,maybe",
      "line 2: expected difficult to be 0 or 1, found maybe"
    ),
    ("m.csv", "image,class\n\"a.jpg,1", "line 2: expected a closing quote, found none"),
    ("m.csv", "image,class\na\"b.jpg,1", "line 2: expected quotes around a whole field, found one within a"),
    ("m.csv", "image,class\n\"a\"b.jpg,1", "line 2: expected quotes around a whole field, found b after the last"),
    ("m.jsonl", "{\"image\": \"a.jpg\"}\n{\"image\": 1}", "line 2: image: expected text, found another kind of value"),
    ("m.jsonl", "{\"image\": \"a.jpg\", \"class\": 1}", "line 1: expected image, classes, objects, found class"),
    ("m.jsonl", "{}", "line 1: expected \"image\", found none"),
    ("m.jsonl", "[]", "line 1: expected an object, found another kind of value"),
    ("m.jsonl", "image", "line 1: expected JSON, found the given data was not valid JSON"),
    (
      "m.jsonl", "{\"image\": \"a.jpg\", \"objects\": [{\"class\": 1, \"box\": [1, 2, 3]}]}",
      "line 1: expected a box with left < right and top < bottom, found 1, 2, 3"
    ),
    (
      "m.jsonl", "{\"image\": \"a.jpg\", \"objects\": [{\"class\": 1}]}",
      "line 1: objects[0]: expected \"box\", found none"
    ),
  ])
  func damagedManifests(_ name: String, _ text: String, _ expected: String) throws {
    try disk.write(name, text)
    #expect(disk.sentence { try disk.load(name) } == "\(name): \(expected)")
  }
}
