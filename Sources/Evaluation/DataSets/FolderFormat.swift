/// torchvision's `ImageFolder`: a folder per class, with images at any depth.
struct FolderFormat {
  private let path: String
  private let classes: ClassNames

  init(_ path: String, _ classes: ClassNames) { (self.path, self.classes) = (path, classes) }

  func dataSet() throws -> UnresolvedDataSet {
    let folders = try Files.folders(in: path)
    var dataSet = UnresolvedDataSet(name: "folder \(Files.lastName(of: path))", path: path)
    let isInOrder =
      try folders.count == classes.count && folders.allSatisfy { try classes.index(of: $0, in: path) == nil }
    if isInOrder {
      dataSet.notes.append(
        "No folder has the name of a class of the network; the \(folders.count) folders are its classes in "
          + "alphabetical order, as in torchvision.")
    }
    var files: [String] = []
    for (number, folder) in folders.enumerated() {
      let found = try Files.allFiles(below: "\(path)/\(folder)").map { "\(folder)/\($0)" }
      files += found
      for name in found where Files.isImage(name) {
        let label = isInOrder ? ClassReference.numbered(number) : .named(folder)
        dataSet.images.append(.init(name: name, path: "\(path)/\(name)", classes: [label]))
      }
    }
    dataSet.noteOtherImages(files)
    return dataSet
  }
}
