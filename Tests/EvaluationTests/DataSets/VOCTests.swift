import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// PASCAL VOC's files on disk.
@Suite struct VOCTests {
  private let disk: DataSetFolder

  init() throws { disk = try DataSetFolder() }

  @Test func vocHasBoxesOfPixelsFromOne() throws {
    try writeVOC()
    let data = try disk.load("VOC2012")
    #expect(data.name == "voc VOC2012 val")
    #expect(data.images.map(\.name) == ["JPEGImages/a.jpg", "JPEGImages/b.png"])
    #expect(data.images[0].path == disk.path("VOC2012/JPEGImages/a.jpg"))
    #expect(
      data.images[0].objects == [
        LabeledObject(classIndex: 1, box: BoundingBox(left: 0, top: 1, right: 10, bottom: 20)),
        LabeledObject(
          classIndex: 0, box: BoundingBox(left: 44.5, top: 0, right: 50, bottom: 1), isDifficult: true),
      ])
    #expect(data.images[0].classes == [0, 1])
    #expect(data.images[1].objects.isEmpty)
    #expect(data.notes == ["1 image is without an annotation and left out; the first is nowhere."])
  }

  @Test func vocSplits() throws {
    try writeVOC()
    #expect(try disk.load("VOC2012", DataSetOptions(split: "trainval")).images.map(\.name) == ["JPEGImages/a.jpg"])
    #expect(try disk.load("VOC2012", DataSetOptions(split: "dog_val")).images.map(\.name) == ["JPEGImages/a.jpg"])
    try FileManager.default.removeItem(atPath: disk.path("VOC2012/ImageSets"))
    let all = try disk.load("VOC2012")
    #expect(all.name == "voc VOC2012")
    #expect(all.images.map(\.name) == ["JPEGImages/a.jpg", "JPEGImages/b.png", "JPEGImages/c.jpg"])
    #expect(all.notes == ["1 image is missing on disk; the first is \(disk.path("VOC2012/JPEGImages/c.jpg"))."])
  }

  /// Foundation's parser terminates the process at invalid names.
  @Test(arguments: ["", "<?xml version=\"1.0\" encoding=\"utf-8\"?>", "<?xml version=\"1.0\" encoding=\"us-ascii\"?>"])
  func vocAnnotationsAreInUTF8(head: String) throws {
    try writeVOC()
    let file = URL(fileURLWithPath: disk.path("VOC2012/Annotations/a.xml"))
    try
      (Data("\(head)<annotation><filena".utf8) + [0xFF] + Data("e>a</filena".utf8) + [0xFF]
      + Data("e></annotation>".utf8)).write(to: file)
    #expect(
      disk.sentence { try disk.load("VOC2012") }
        == "VOC2012/Annotations/a.xml: expected text in UTF-8, found other bytes")
  }

  @Test(arguments: ["ISO-8859-1", "windows-1252"]) func vocAnnotationsCanDeclareTheirEncoding(name: String) throws {
    try writeVOC()
    let file = URL(fileURLWithPath: disk.path("VOC2012/Annotations/a.xml"))
    let text = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(text.firstRange(of: "<annotation>"))
    let changed =
      "<?xml version='1.0' encoding='\(name)'?>\n<annotation><folder>Größe</folder>" + text[start.upperBound...]
    try #require(changed.data(using: .isoLatin1)).write(to: file)
    #expect(try disk.load("VOC2012").images[0].classes == [0, 1])
  }

  @Test func vocSplitMustExist() throws {
    try writeVOC()
    #expect(
      disk.sentence { try disk.load("VOC2012", DataSetOptions(split: "test")) }
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
    try disk.write("VOC2012/Annotations/a.xml", xml)
    #expect(disk.sentence { try disk.load("VOC2012") } == "VOC2012/Annotations/a.xml: \(expected)")
  }

  /// Each entity expands to ten of the previous one: parsing must neither exhaust memory nor read files.
  @Test(arguments: [String.Encoding.utf8, .utf16])
  func entitiesAreNotExpanded(_ encoding: String.Encoding) throws {
    try writeVOC()
    let entities = (1...9).map { "<!ENTITY e\($0) \"\(String(repeating: "&e\($0 - 1);", count: 10))\">" }.joined()
    let head = encoding == .utf8 ? "" : "<?xml version=\"1.0\" encoding=\"UTF-16\"?>"
    let xml =
      head + "<!DOCTYPE annotation [<!ENTITY e0 \"dog\"><!ENTITY f SYSTEM \"file:///etc/passwd\">\(entities)]>"
      + "<annotation><object><name>&e9;&f;</name></object></annotation>"
    try xml.data(using: encoding)!.write(to: URL(fileURLWithPath: disk.path("VOC2012/Annotations/a.xml")))
    #expect(
      disk.sentence { try disk.load("VOC2012") }
        == "VOC2012/Annotations/a.xml: expected an annotation, found a document type declaration")
  }

  @Test func partsOfAnObjectAreNotObjects() throws {
    try writeVOC()
    let part = "<part><name>head</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></part>"
    try disk.write(
      "VOC2012/Annotations/a.xml",
      "<annotation><object><name> dog </name><bndbox><xmax>10</xmax><xmin>1</xmin><ymax>20</ymax><ymin>2</ymin></bndbox>"
        + part + "</object></annotation>")
    #expect(
      try disk.load("VOC2012").images[0].objects == [
        LabeledObject(classIndex: 1, box: BoundingBox(left: 0, top: 1, right: 10, bottom: 20))
      ])
  }

  private func writeVOC() throws {
    try disk.write(
      "VOC2012/Annotations/a.xml", disk.annotation([("dog", [1, 2, 10, 20], 0), ("cat", [45.5, 1, 50, 1], 1)]))
    try disk.write("VOC2012/Annotations/b.xml", disk.annotation([]))
    try disk.write("VOC2012/Annotations/c.xml", disk.annotation([("horse", [1, 1, 2, 2], 0)]))
    for image in ["a.jpg", "b.png"] { try disk.write("VOC2012/JPEGImages/\(image)", "") }
    try disk.write("VOC2012/ImageSets/Main/val.txt", "b\na\nnowhere\n")
    try disk.write("VOC2012/ImageSets/Main/trainval.txt", "a\n")
    try disk.write("VOC2012/ImageSets/Main/dog_val.txt", "a  1\nb -1\n")
  }
}
