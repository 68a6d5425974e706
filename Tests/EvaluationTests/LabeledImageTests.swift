import RelevanceKit
import Testing

/// Images with their classes and boxes.
@Suite struct LabeledImageTests {
  @Test func classesOfObjectsCount() {
    let box = BoundingBox(left: 0, top: 0, right: 10, bottom: 4)
    let image = LabeledImage(
      name: "a.jpg", path: "/data/a.jpg", classes: [7, 3],
      objects: [LabeledObject(classIndex: 5, box: box), LabeledObject(classIndex: 3, box: box)])
    #expect(image.classes == [3, 5, 7])
    #expect(image.boxes(of: 3) == [box])
    #expect(image.boxes(of: 7).isEmpty)
    #expect(box.area == 40)
  }

  @Test func imagesAreSortedByName() {
    let names = ["b", "a10", "a9"]
    let set = DataSet(name: "test", images: names.map { LabeledImage(name: $0, path: $0, classes: []) })
    #expect(set.images.map(\.name) == ["a10", "a9", "b"])
  }
}
