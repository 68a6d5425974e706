import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// A data set with a folder per class.
@Suite struct FolderTests {
  private let disk: DataSetFolder

  init() throws { disk = try DataSetFolder() }

  @Test func foldersAreClasses() throws {
    for name in ["cat/1.jpg", "Dog/deep/2.PNG", "Dog/notes.txt", "Dog/.hidden.jpg", "tabby/3.jpeg", "dog/4.bmp"] {
      try disk.write("pets/\(name)", "")
    }
    let data = try disk.load("pets")
    #expect(data.name == "folder pets")
    #expect(data.images.map(\.name) == ["Dog/deep/2.PNG", "cat/1.jpg", "tabby/3.jpeg"])
    #expect(data.images.map(\.classes) == [[1], [0], [0]])
    #expect(data.notes == ["1 image is neither JPEG nor PNG and left out; the first is dog/4.bmp."])
  }

  @Test func unknownFoldersAreInAlphabeticalOrder() throws {
    for name in ["b/1.jpg", "a/2.jpg", "B/3.jpg"] { try disk.write("letters/\(name)", "") }
    let data = try disk.load("letters")
    #expect(data.images.map(\.name) == ["B/3.jpg", "a/2.jpg", "b/1.jpg"])
    #expect(data.images.map(\.classes) == [[0], [1], [2]])
    #expect(
      data.notes == [
        "No folder has the name of a class of the network; the 3 folders are its classes in alphabetical order, as in "
          + "torchvision."
      ])
    try disk.write("letters/c/4.jpg", "")
    #expect(
      disk.sentence { try disk.load("letters") }
        == "letters: 4 classes are not among the network's 3: B, a, b, c; provide a class file that maps each name to "
        + "a class, or skip unknown classes")
  }

  @Test func linksToFoldersAreFollowedOnce() throws {
    try disk.write("elsewhere/1.jpg", "")
    try disk.write("pets/dog/2.jpg", "")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: disk.path("pets/cat"), withDestinationPath: disk.path("elsewhere"))
    try files.createSymbolicLink(atPath: disk.path("pets/dog/loop"), withDestinationPath: disk.path("pets/dog"))
    #expect(try disk.load("pets").images.map(\.name) == ["cat/1.jpg", "dog/2.jpg"])
  }
}
