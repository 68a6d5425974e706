import RelevanceSupport

/// PASCAL VOC: `Annotations/<name>.xml`, `JPEGImages/<name>.jpg`, `ImageSets/Main/<split>.txt`.
struct VOCFormat {
  private let path: String
  private let split: String?

  init(_ path: String, split: String?) throws {
    self.path = path
    let folder = "\(path)/ImageSets/Main"
    func has(_ split: String) -> Bool { Files.isFolder("\(folder)/\(split).txt") == false }
    if let split {
      guard has(split) else {
        let there = ((try? Files.names(in: folder)) ?? []).filter { !$0.contains("_") }.map(Files.stem)
        throw SimpleError.missing(
          "\(folder)/\(split).txt",
          expected: there.isEmpty ? "a list of images" : "one of the splits " + there.joined(separator: ", "))
      }
      self.split = split
    } else {
      self.split = ["val", "trainval"].first(where: has)
    }
  }

  func dataSet() throws -> UnresolvedDataSet {
    let annotations = "\(path)/Annotations"
    let annotated = Set(
      try Files.names(in: annotations).filter { Files.fileExtension(of: $0) == "xml" }.map(Files.stem))
    let files = try Files.names(in: "\(path)/JPEGImages").filter(Files.isImage)
    let images = Dictionary(files.map { (Files.stem(of: $0), $0) }, uniquingKeysWith: { first, _ in first })
    let names = try split.map(names(inSplit:)) ?? annotated.union(images.keys).sorted()
    let title = "voc \(Files.lastName(of: path))\(split.map { " \($0)" } ?? "")"
    var dataSet = UnresolvedDataSet(name: title, path: path)
    dataSet.noteWithoutAnnotation(names.filter { !annotated.contains($0) }, of: "an annotation")
    dataSet.images = try names.filter(annotated.contains).map { name in
      let file = "JPEGImages/\(images[name] ?? "\(name).jpg")"
      let objects = try AnnotationXML(contentsOf: "\(annotations)/\(name).xml").objects
      return .init(
        name: file, path: "\(path)/\(file)",
        objects: objects.map { .init(label: .named($0.name), box: $0.box(.one), isDifficult: $0.isDifficult) })
    }
    dataSet.noteMissingImages()
    return dataSet
  }

  /// The images of a split, each once. In the lists of one class, `-1` marks images without the class.
  private func names(inSplit split: String) throws -> [String] {
    let text = try Files.text("\(path)/ImageSets/Main/\(split).txt", expected: "a list of images")
    var seen: Set<Substring> = []
    return text.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let name = words.first, words.dropFirst().first != "-1", seen.insert(name).inserted else { return nil }
      return String(name)
    }
  }
}
