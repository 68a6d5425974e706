import Foundation
import RelevanceKit
import TestSupport
import Testing

/// Data sets as they lie on disk.
@Suite struct DataSetTests {
  private let scratch: Fixtures.Scratch
  private let pets = ClassNames(names: [0: "cat, tabby", 1: "dog", 2: "horse"], count: 3)

  init() throws { scratch = try Fixtures.Scratch() }

  // MARK: PASCAL VOC

  @Test func vocHasBoxesOfPixelsFromOne() throws {
    try writeVOC()
    let data = try load("VOC2012")
    #expect(data.name == "voc VOC2012 val")
    #expect(data.images.map(\.name) == ["JPEGImages/a.jpg", "JPEGImages/b.png"])
    #expect(data.images[0].path == scratch.path("VOC2012/JPEGImages/a.jpg"))
    #expect(
      data.images[0].objects == [
        LabelledObject(classIndex: 1, box: BoundingBox(left: 0, top: 1, right: 10, bottom: 20)),
        LabelledObject(
          classIndex: 0, box: BoundingBox(left: 44.5, top: 0, right: 50, bottom: 1), isDifficult: true),
      ])
    #expect(data.images[0].classes == [0, 1])
    #expect(data.images[1].objects.isEmpty)
    #expect(data.notes == ["1 picture is left out for want of an annotation; the first is nowhere."])
  }

  @Test func vocSplits() throws {
    try writeVOC()
    #expect(try load("VOC2012", DataSetOptions(split: "trainval")).images.map(\.name) == ["JPEGImages/a.jpg"])
    #expect(try load("VOC2012", DataSetOptions(split: "dog_val")).images.map(\.name) == ["JPEGImages/a.jpg"])
    try FileManager.default.removeItem(atPath: scratch.path("VOC2012/ImageSets"))
    let all = try load("VOC2012")
    #expect(all.name == "voc VOC2012")
    #expect(all.images.map(\.name) == ["JPEGImages/a.jpg", "JPEGImages/b.png", "JPEGImages/c.jpg"])
    #expect(all.notes == ["1 picture is missing on disk; the first is \(scratch.path("VOC2012/JPEGImages/c.jpg"))."])
  }

  @Test func vocSplitMustBeThere() throws {
    try writeVOC()
    #expect(
      sentence { try load("VOC2012", DataSetOptions(split: "test")) }
        == "VOC2012/ImageSets/Main/test.txt: not found; expected one of the splits trainval, val")
  }

  @Test(arguments: [
    ("<annotation><object>", "line 1: expected an annotation in XML, found damaged XML"),
    ("", "line 1: expected an annotation in XML, found damaged XML"),
    ("<html></html>", "line 1: expected an annotation, found <html>"),
    ("<!DOCTYPE annotation><annotation/>", "expected an annotation, found a document type declaration"),
    ("<annotation>\n<object></object></annotation>", "line 2: expected the name of object 1, found none"),
    (
      "<annotation><object><name>dog</name><bndbox><xmin>1</xmin><ymin>nan</ymin></bndbox></object></annotation>",
      "line 1: expected numbers xmin, ymin, xmax, ymax of object 1, found 1, nan, none, none"
    ),
    (
      "<annotation>" + String(repeating: "<a>", count: 100_000),
      "line 1: expected at most 32 nested elements, found more"
    ),
  ])
  func damagedXMLNamesTheFile(_ xml: String, _ expected: String) throws {
    try writeVOC()
    try write("VOC2012/Annotations/a.xml", xml)
    #expect(sentence { try load("VOC2012") } == "VOC2012/Annotations/a.xml: \(expected)")
  }

  /// Each entity of ten of the one before: it must neither fill memory nor read files.
  @Test(arguments: [String.Encoding.utf8, .utf16])
  func entitiesAreNotExpanded(_ encoding: String.Encoding) throws {
    try writeVOC()
    let entities = (1...9).map { "<!ENTITY e\($0) \"\(String(repeating: "&e\($0 - 1);", count: 10))\">" }.joined()
    let head = encoding == .utf8 ? "" : "<?xml version=\"1.0\" encoding=\"UTF-16\"?>"
    let xml =
      head + "<!DOCTYPE annotation [<!ENTITY e0 \"dog\"><!ENTITY f SYSTEM \"file:///etc/passwd\">\(entities)]>"
      + "<annotation><object><name>&e9;&f;</name></object></annotation>"
    try xml.data(using: encoding)!.write(to: scratch.url.appendingPathComponent("VOC2012/Annotations/a.xml"))
    let found = encoding == .utf8 ? "expected an annotation, found a document" : "line 1: expected an annotation"
    #expect(sentence { try load("VOC2012") }.hasPrefix("VOC2012/Annotations/a.xml: \(found)"))
  }

  @Test func partsOfAnObjectAreNoObjects() throws {
    try writeVOC()
    let part = "<part><name>head</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></part>"
    try write(
      "VOC2012/Annotations/a.xml",
      "<annotation><object><name> dog </name><bndbox><xmax>10</xmax><xmin>1</xmin><ymax>20</ymax><ymin>2</ymin></bndbox>"
        + part + "</object></annotation>")
    #expect(
      try load("VOC2012").images[0].objects == [
        LabelledObject(classIndex: 1, box: BoundingBox(left: 0, top: 1, right: 10, bottom: 20))
      ])
  }

  // MARK: ImageNet

  @Test(arguments: [
    "a.JPEG 1\nb.JPEG 2", "a\t1\nb\t2\n\n", "a.JPEG,1\r\nb.JPEG,2\r\n", "val/a.JPEG n00000001\nval/b.JPEG n00000002",
    "filename,label\na.JPEG,1\nb.JPEG,2", "{\"a.JPEG\": 1, \"b\": \"n00000002\"}", "a dog\nb horse",
    "ImageId,PredictionString\na,n00000001 0 0 9 9 \nb,n00000002 0 0 9 9",
  ])
  func labelsFiles(_ labels: String) throws {
    try writeImageNet()
    try write("labels", labels)
    let data = try load("val", DataSetOptions(labels: scratch.path("labels")), classes: synsets())
    #expect(data.name == "imagenet val")
    #expect(data.images.map(\.name) == ["a.JPEG", "b.JPEG"])
    #expect(data.images.map(\.classes) == [[1], [2]])
    #expect(data.notes == ["1 picture is left out for want of a label; the first is c.JPEG."])
  }

  @Test func boxesOfILSVRCCountPixelsFromZero() throws {
    try writeImageNet()
    try write("labels", "a 1\nb 2\nz 0")
    // The upper left pixel and the whole of a picture of 500 columns and 375 rows; sides in the wrong order.
    try write("boxes/n1/a.xml", annotation([("n00000001", [0, 0, 0, 0], 0), ("n00000001", [499, 374, 0, 0], 0)]))
    let options = DataSetOptions(labels: scratch.path("labels"), boxes: scratch.path("boxes"))
    let data = try load("val", options, classes: synsets())
    #expect(
      data.images[0].boxes(of: 1) == [
        BoundingBox(left: 0, top: 0, right: 1, bottom: 1), BoundingBox(left: 0, top: 0, right: 500, bottom: 375),
      ])
    #expect(
      data.notes == [
        "1 picture is left out for want of a label; the first is c.JPEG.",
        "1 label is of no picture in the folder; the first is of z.",
        "1 picture is without a file of boxes; the first is b.JPEG.",
      ])
  }

  @Test func solutionFilesHaveBoxes() throws {
    try writeImageNet()
    try write("labels", "ImageId,PredictionString\na,n00000001 111 108 230 173 n00000002 0 0 9 9 \n")
    let data = try load("val", DataSetOptions(labels: scratch.path("labels")), classes: synsets())
    #expect(
      data.images[0].objects == [
        LabelledObject(classIndex: 1, box: BoundingBox(left: 111, top: 108, right: 231, bottom: 174)),
        LabelledObject(classIndex: 2, box: BoundingBox(left: 0, top: 0, right: 10, bottom: 10)),
      ])
  }

  @Test(arguments: [
    (
      "490\n361\n",
      "bare numbers count the classes in the order of the challenge's development kit, which is not a network's; expected "
        + "LOC_val_solution.csv, or lines such as \"ILSVRC2012_val_00000001.JPEG n01751748\""
    ),
    ("a 1\nb", "line 2: expected a picture and its class, found b"),
    (
      "ImageId,PredictionString\na,n00000001 1 2 3",
      "line 2: expected a picture, and classes with four numbers each, found a,n00000001 1 2 3"
    ),
    ("{\"a\": [1]}", "a: expected text, found another kind of value"),
    ("{\"a\": 1", "expected JSON, found the given data was not valid JSON"),
  ])
  func damagedLabels(_ labels: String, _ expected: String) throws {
    try writeImageNet()
    try write("labels", labels)
    #expect(sentence { try load("val", DataSetOptions(labels: scratch.path("labels"))) } == "labels: \(expected)")
  }

  @Test func imageNetNeedsLabels() throws {
    try writeImageNet()
    #expect(
      sentence { try load("val", format: .imagenet) }
        == "val: the format imagenet needs a labels file beside the folder, such as LOC_val_solution.csv, or lines of picture "
        + "and class")
    #expect(
      sentence { try load("val", DataSetOptions(labels: scratch.path("gone"))) } == "gone: not found; expected labels")
    try write("labels", "a 1")
    let options = DataSetOptions(labels: scratch.path("labels"), boxes: scratch.path("gone"))
    #expect(sentence { try load("val", options) } == "gone: not found; expected a folder")
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: Fixtures.images.path + "/imagenet/labels.json")))
  func photographsOfImageNet() throws {
    let folder = Fixtures.images.appendingPathComponent("imagenet").path
    let classes = try ClassNames(contentsOf: Fixtures.images.path + "/imagenet-classes.json", count: 1000)
    let data = try DataSet.load(folder, options: DataSetOptions(labels: "\(folder)/labels.json"), classes: classes)
    #expect(data.images.count == 120)
    #expect(data.notes.isEmpty)
    for image in data.images {
      // Each file's name begins with the WordNet identifier of its class.
      #expect(image.classes == [try classes.index(of: String(image.name.prefix(9)), in: "")])
    }
  }

  // MARK: A folder per class

  @Test func foldersAreClasses() throws {
    for name in ["cat/1.jpg", "Dog/deep/2.PNG", "Dog/notes.txt", "Dog/.hidden.jpg", "tabby/3.jpeg", "dog/4.bmp"] {
      try write("pets/\(name)", "")
    }
    let data = try load("pets")
    #expect(data.name == "folder pets")
    #expect(data.images.map(\.name) == ["Dog/deep/2.PNG", "cat/1.jpg", "tabby/3.jpeg"])
    #expect(data.images.map(\.classes) == [[1], [0], [0]])
    #expect(data.notes == ["1 picture is neither JPEG nor PNG and left out; the first is dog/4.bmp."])
  }

  @Test func unknownFoldersAreInAlphabeticalOrder() throws {
    for name in ["b/1.jpg", "a/2.jpg", "B/3.jpg"] { try write("letters/\(name)", "") }
    let data = try load("letters")
    #expect(data.images.map(\.name) == ["B/3.jpg", "a/2.jpg", "b/1.jpg"])
    #expect(data.images.map(\.classes) == [[0], [1], [2]])
    #expect(
      data.notes == [
        "The network has no name of a folder; the 3 folders are its classes in alphabetical order, as for torchvision."
      ])
    try write("letters/c/4.jpg", "")
    #expect(
      sentence { try load("letters") }
        == "letters: 4 classes are not among the network's 3: B, a, b, c; give a class file that says which class each name "
        + "means, or skip unknown classes")
  }

  @Test func linksToFoldersAreFollowedOnce() throws {
    try write("elsewhere/1.jpg", "")
    try write("pets/dog/2.jpg", "")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: scratch.path("pets/cat"), withDestinationPath: scratch.path("elsewhere"))
    try files.createSymbolicLink(atPath: scratch.path("pets/dog/loop"), withDestinationPath: scratch.path("pets/dog"))
    #expect(try load("pets").images.map(\.name) == ["cat/1.jpg", "dog/2.jpg"])
  }

  // MARK: COCO

  @Test(arguments: ["val2017", "annotations/val2017", "images/val2017", "annotations"])
  func cocoFindsItsPictures(_ folder: String) throws {
    try writeCOCO()
    try write("\(folder)/1.jpg", "")
    let data = try load("annotations/instances_val2017.json")
    #expect(data.name == "coco instances_val2017")
    #expect(data.images.map(\.name) == ["1.jpg", "2.jpg"])
    #expect(FileManager.default.fileExists(atPath: data.images[0].path))
    #expect(data.images[0].objects.map(\.box) == [BoundingBox(left: 1.5, top: 2, right: 4.5, bottom: 6)])
    #expect(data.images[0].classes == [1, 2])
    #expect(data.images[1].objects.isEmpty && data.images[1].classes == [0])
    #expect(
      data.notes.filter { !$0.contains("missing") } == [
        "1 picture is left out for want of an annotation; the first is 3.jpg.",
        "1 crowd annotation is left out of the boxes; their classes are kept.",
        "1 box has no area and is left out.",
      ])
    #expect(data.notes.count { $0.hasPrefix("1 picture is missing on disk") } == 1)
  }

  @Test func cocoTakesAFolderOfPictures() throws {
    try writeCOCO()
    let file = "annotations/instances_val2017.json"
    #expect(
      sentence { try load(file) }
        == "annotations/val2017: not found; expected the folder of the pictures of annotations/instances_val2017.json")
    #expect(
      sentence { try load(file, DataSetOptions(images: scratch.path("gone"))) }
        == "gone: not found; expected the folder of the pictures")
    // Pictures that are missing are kept, so that a run reports them.
    let data = try load(file, DataSetOptions(images: scratch.url.path))
    #expect(data.images.map(\.path) == [scratch.path("1.jpg"), scratch.path("2.jpg")])
    #expect(data.notes.contains("2 pictures are missing on disk; the first is \(scratch.path("1.jpg"))."))
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
    try write("coco.json", json)
    let options = DataSetOptions(images: scratch.url.path)
    #expect(sentence { try load("coco.json", options) } == "coco.json: \(expected)")
  }

  // MARK: Manifests

  @Test func csvManifests() throws {
    try write("sub/my \"cat\".jpg", "")
    try write(
      "boxes.csv",
      "\u{FEFF}image,class,left,top,right,bottom,difficult\r\n\"sub/my \"\"cat\"\".jpg\",\"cat, tabby\",1,2,3.5,4,1\r\n\r\n"
        + "/data/b.jpg,1,,,,,\r\n\"sub/my \"\"cat\"\".jpg\",DOG,0,0,1,1,0")
    let data = try load("boxes.csv")
    #expect(data.name == "manifest boxes.csv")
    #expect(data.images.map(\.name) == ["/data/b.jpg", "sub/my \"cat\".jpg"])
    #expect(data.images.map(\.path) == ["/data/b.jpg", scratch.path("sub/my \"cat\".jpg")])
    #expect(data.images.map(\.classes) == [[1], [0, 1]])
    #expect(
      data.images[1].objects == [
        LabelledObject(
          classIndex: 0, box: BoundingBox(left: 1, top: 2, right: 3.5, bottom: 4), isDifficult: true),
        LabelledObject(classIndex: 1, box: BoundingBox(left: 0, top: 0, right: 1, bottom: 1)),
      ])
    #expect(data.notes == ["1 picture is missing on disk; the first is /data/b.jpg."])
    try write("classes.csv", "image,class\na.jpg,2\n")
    #expect(try load("classes.csv").images.map(\.classes) == [[2]])
  }

  @Test func jsonlManifests() throws {
    try write(
      "boxes.jsonl",
      """
      {"image": "a.jpg", "classes": [2, "dog"]}

      {"image": "b.jpg", "objects": [{"class": "cat", "box": [1, 2, 3, 4.5], "difficult": true}]}
      {"image": "a.jpg", "objects": [{"class": 0, "box": [0, 0, 1, 1]}]}
      {"image": "c.jpg"}
      """)
    let data = try load("boxes.jsonl")
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
      "line 2: expected 2 fields as in the header, of which image and class are not empty, found a.jpg"
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
    try write(name, text)
    #expect(sentence { try load(name) } == "\(name): \(expected)")
  }

  // MARK: Any format

  @Test(arguments: ["nothing", "picture.txt", "flat"])
  func unrecognisedPathsSayWhatEachFormatNeeds(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: scratch.path("nothing"), withIntermediateDirectories: true)
    try write("picture.txt", "")
    try write("flat/1.jpg", "")
    #expect(
      sentence { try load(name) }
        == "\(name): not recognised as a data set; expected a folder of pictures and a labels file (imagenet), or a folder per "
        + "class with pictures (folder), or a folder with JPEGImages and Annotations (voc), or a .json file with images and "
        + "annotations (coco), or a .csv or .jsonl file (manifest)")
  }

  @Test func pathsMustFitTheFormat() throws {
    try write("flat/1.txt", "")
    #expect(sentence { try load("gone") } == "gone: not found; expected a data set")
    #expect(
      sentence { try load("gone", format: .voc) }
        == "gone: not found; expected a folder with JPEGImages and Annotations")
    #expect(
      sentence { try load("flat", format: .coco) }
        == "flat: expected a .json file with images and annotations, found a folder")
    #expect(
      sentence { try load("flat/1.txt", format: .folder) }
        == "flat/1.txt: expected a folder per class with pictures, found a file")
    #expect(sentence { try load("flat", format: .voc) } == "flat/Annotations: not found; expected a folder")
    #expect(
      sentence { try load("flat", format: .folder) }
        == "flat: expected a folder per class with pictures, found no labelled picture")
    try write("bytes.csv", Data([0xFF, 0xFE, 0]))
    #expect(sentence { try load("bytes.csv") } == "bytes.csv: expected text in UTF-8, found other bytes")
  }

  @Test func unknownClassesAreAnErrorOrLeftOut() throws {
    let names = ["u", "v", "w", "x", "y", "z", "u", "dog"]
    try write("m.csv", "image,class\n" + names.enumerated().map { "\($0).jpg,\($1)\n" }.joined())
    #expect(
      sentence { try load("m.csv") }
        == "m.csv: 6 classes are not among the network's 3: u, v, w, x, y, …; give a class file that says which class each "
        + "name means, or skip unknown classes")
    let data = try load("m.csv", DataSetOptions(skipsUnknownClasses: true))
    #expect(data.images.map(\.classes) == [[], [], [], [], [], [], [], [1]])
    #expect(
      data.notes.last == "7 labels are left out, of classes that the network does not have: u, v, w, x, y and 1 more.")
  }

  @Test func picturesOfACOCOFileHaveDifferentNames() throws {
    let pictures = "[{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 2, \"file_name\": \"a\"}]"
    let annotations = (1...2).map { "{\"image_id\": \($0), \"category_id\": 1, \"bbox\": [0, 0, 1, 1]}" }
    try write(
      "coco.json",
      "{\"images\": \(pictures), \"annotations\": [\(annotations.joined(separator: ","))], "
        + "\"categories\": [{\"id\": 1, \"name\": \"dog\"}]}")
    #expect(
      sentence { try load("coco.json", DataSetOptions(images: scratch.url.path)) }
        == "coco.json: expected pictures of different names, found two called a")
  }

  // MARK: Helpers

  private func load(
    _ name: String, _ options: DataSetOptions = DataSetOptions(), format: DataSetFormat? = nil,
    classes: ClassNames? = nil
  ) throws -> DataSet {
    try DataSet.load(scratch.path(name), format: format, options: options, classes: classes ?? pets)
  }

  private func sentence(_ body: () throws -> some Any) -> String {
    do {
      _ = try body()
      return "no error"
    } catch let error as any RelevanceKitError {
      return error.description.replacingOccurrences(of: scratch.url.path + "/", with: "")
    } catch {
      return "another error: \(error)"
    }
  }

  private func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

  private func write(_ name: String, _ data: Data) throws {
    let url = scratch.url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  /// The network's classes with WordNet identifiers.
  private func synsets() throws -> ClassNames {
    try write("synsets.txt", "n00000000 cat\nn00000001 dog, domestic dog\nn00000002 horse\n")
    return try ClassNames(contentsOf: scratch.path("synsets.txt"), count: 3)
  }

  private func annotation(_ objects: [(name: String, sides: [Double], difficult: Int)]) -> String {
    "<annotation>"
      + objects.map { object in
        "<object><name>\(object.name)</name><difficult>\(object.difficult)</difficult><bndbox>"
          + zip(["xmin", "ymin", "xmax", "ymax"], object.sides).map { "<\($0)>\($1)</\($0)>" }.joined()
          + "</bndbox></object>\n"
      }.joined() + "</annotation>"
  }

  private func writeVOC() throws {
    try write(
      "VOC2012/Annotations/a.xml", annotation([("dog", [1, 2, 10, 20], 0), ("cat", [45.5, 1, 50, 1], 1)]))
    try write("VOC2012/Annotations/b.xml", annotation([]))
    try write("VOC2012/Annotations/c.xml", annotation([("horse", [1, 1, 2, 2], 0)]))
    for picture in ["a.jpg", "b.png"] { try write("VOC2012/JPEGImages/\(picture)", "") }
    try write("VOC2012/ImageSets/Main/val.txt", "b\na\nnowhere\n")
    try write("VOC2012/ImageSets/Main/trainval.txt", "a\n")
    try write("VOC2012/ImageSets/Main/dog_val.txt", "a  1\nb -1\n")
  }

  private func writeImageNet() throws { for name in ["a", "b", "c"] { try write("val/\(name).JPEG", "") } }

  private func writeCOCO() throws {
    try write(
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

/// A COCO file of one annotation, of which a part may be wrong.
private func annotated(image: Int = 1, category: Int = 1, box: String = "[0, 0, 1, 1]") -> String {
  """
  {"images": [{"id": 1, "file_name": "1.jpg"}], "categories": [{"id": 1, "name": "dog"}],
   "annotations": [{"image_id": \(image), "category_id": \(category), "bbox": \(box)}]}
  """
}
