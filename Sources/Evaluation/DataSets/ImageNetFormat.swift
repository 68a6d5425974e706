import Foundation
import RelevanceSupport

/// A flat folder of images, a file that labels them, and ILSVRC's boxes.
///
/// The labels file has one of these formats:
/// - lines with an image and a class, `ILSVRC2012_val_00000001.JPEG 65`, separated by the first tab, comma or space;
///   the first line can be a header;
/// - `LOC_val_solution.csv`, which also contains boxes: `ILSVRC2012_val_00000001,n01751748 111 108 441 193`;
/// - a JSON object, `{"ILSVRC2012_val_00000001.JPEG": 65}`.
///
/// Images are named with or without their extension. Names that are not in the folder are ignored, so that a labels
/// file can be used with a part of its images.
struct ImageNetFormat {
  private typealias Label = (image: String, classes: [ClassReference], objects: [UnresolvedDataSet.Object])
  private let path: String
  private let labels: String
  private let boxes: String?

  init(_ path: String, _ options: DataSetOptions) throws {
    guard let labels = options.labels else {
      throw SimpleError(
        "\(path): the format imagenet needs a folder and a labels file, such as LOC_val_solution.csv, or lines with an "
          + "image and its class", .usage)
    }
    (self.path, self.labels, boxes) = (path, labels, options.boxes)
  }

  func dataSet() throws -> UnresolvedDataSet {
    let files = try Files.names(in: path)
    let names = files.filter(Files.isImage)
    var dataSet = UnresolvedDataSet(name: "imagenet \(Files.lastName(of: path))", path: path)
    var images = names.map { UnresolvedDataSet.Image(name: $0, path: "\(path)/\($0)") }
    let positions = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    let stems = Dictionary(names.enumerated().map { (Files.stem(of: $1), $0) }, uniquingKeysWith: { first, _ in first })
    var absent: [String] = []
    for label in try readLabels() {
      let name = Files.lastName(of: label.image)
      guard let position = positions[name] ?? stems[name] else {
        absent.append(label.image)
        continue
      }
      images[position].classes += label.classes
      images[position].objects += label.objects
    }
    let isLabeled = { (image: UnresolvedDataSet.Image) in !image.classes.isEmpty || !image.objects.isEmpty }
    dataSet.noteWithoutAnnotation(images.filter { !isLabeled($0) }.map(\.name), of: "a label")
    dataSet.note(absent, "label", "without an image in the folder; the first is for")
    dataSet.noteOtherImages(files)
    dataSet.images = images.filter(isLabeled)
    if let boxes { try addBoxes(in: boxes, to: &dataSet) }
    return dataSet
  }

  private func addBoxes(in folder: String, to dataSet: inout UnresolvedDataSet) throws {
    let files = try Files.allFiles(below: folder).filter { Files.fileExtension(of: $0) == "xml" }
    let annotations = Dictionary(files.map { (Files.stem(of: $0), $0) }, uniquingKeysWith: { first, _ in first })
    var without: [String] = []
    for index in dataSet.images.indices {
      guard let file = annotations[Files.stem(of: dataSet.images[index].name)] else {
        without.append(dataSet.images[index].name)
        continue
      }
      // The boxes of a solution file are the same.
      dataSet.images[index].objects = try AnnotationXML(contentsOf: "\(folder)/\(file)").objects.map {
        .init(label: .named($0.name), box: $0.box(.zero), isDifficult: $0.isDifficult)
      }
    }
    dataSet.note(without, "image", "without an annotation file; the first is")
  }

  private func readLabels() throws -> [Label] {
    let text = try Files.text(labels, expected: "labels")
    if text.first(where: { !$0.isWhitespace }) == "{" {
      let classes: [String: ClassReference] = try Files.decoded(Data(text.utf8), labels)
      return classes.map { ($0.key, [$0.value], []) }.sorted { $0.0 < $1.0 }
    }
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
      .map { (number: $0 + 1, text: $1.trimmingCharacters(in: .whitespaces)) }.filter { !$0.text.isEmpty }
    if !lines.isEmpty, lines.allSatisfy({ $0.text.decimal != nil }) {
      throw SimpleError(
        "\(labels): numbers without names follow the order of the challenge's development kit, not that of a network; "
          + "expected LOC_val_solution.csv, or lines such as \"ILSVRC2012_val_00000001.JPEG n01751748\"")
    }
    if lines.first?.text.filter({ !$0.isWhitespace }) == "ImageId,PredictionString" {
      return try lines.dropFirst().map { try solution($0.text, line: $0.number) }
    }
    let labeled = try lines.map { line in
      let end = line.text.firstIndex(of: "\t") ?? line.text.firstIndex { $0 == "," || $0.isWhitespace }
      let name = end.map { line.text[$0...].dropFirst().trimmingCharacters(in: .whitespaces) } ?? ""
      guard let end, !name.isEmpty else {
        throw SimpleError.invalid(
          labels, place: "line \(line.number)", expected: "an image and its class", found: line.text)
      }
      return (image: String(line.text[..<end]), name: name)
    }
    let headers: Set = ["label", "class", "class_id", "category", "target", "synset", "wnid"]
    let hasHeader = labeled.first.map { headers.contains($0.name.lowercased()) } ?? false
    return labeled.dropFirst(hasHeader ? 1 : 0).map { ($0.image, [.named($0.name)], []) }
  }

  /// A line of `LOC_val_solution.csv`: groups of a class and a box.
  private func solution(_ line: String, line number: Int) throws -> Label {
    let fields = line.split(separator: ",", maxSplits: 1)
    let words = fields.count == 2 ? fields[1].split(whereSeparator: \.isWhitespace) : []
    let objects = stride(from: 0, to: words.count - 4, by: 5).compactMap { start -> UnresolvedDataSet.Object? in
      let sides = words[start + 1..<start + 5].compactMap { Double($0) }.filter(\.isFinite)
      guard sides.count == 4 else { return nil }
      let object = AnnotationXML.Object(name: String(words[start]), isDifficult: false, sides: sides)
      return .init(label: .named(object.name), box: object.box(.zero))
    }
    guard !words.isEmpty, objects.count * 5 == words.count else {
      throw SimpleError.invalid(
        labels, place: "line \(number)", expected: "an image, and classes with four numbers each", found: line)
    }
    return (String(fields[0]), [], objects)
  }
}
