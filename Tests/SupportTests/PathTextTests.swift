import RelevanceSupport
import Testing

@Suite struct PathTextTests {
  @Test(arguments: [
    ("m", ".", "m"), ("", ".", ""), ("/", "/", "/"), ("//", "/", "/"), ("/m", "/", "m"), ("a/m", "a", "m"),
    ("a//m/", "a", "m"), ("/a/b.onnx", "/a", "b.onnx"), (".", ".", "."), ("..", ".", ".."), ("é/ü", "é", "ü"),
    ("a/\u{301}", "a", "\u{301}"),
  ])
  func folderAndName(path: String, folder: String, name: String) {
    let parts = PathText.parts(of: path)
    #expect(parts.folder == folder)
    #expect(Array(parts.name.utf8) == Array(name.utf8))
  }

  @Test(arguments: [
    ("a.png", "a", "png"), ("b/a.tar.gz", "a.tar", "gz"), (".hidden", ".hidden", ""), ("a", "a", ""), ("a.", "a.", ""),
    ("a.b/c", "c", ""), ("x.y/", "x", "y"),
  ])
  func stemAndExtension(path: String, stem: String, fileExtension: String) {
    #expect(PathText.stem(of: path) == stem)
    #expect(PathText.fileExtension(of: path) == fileExtension)
  }

  @Test func joined() {
    #expect(PathText.join("a", "b/c") == "a/b/c")
    #expect(PathText.join("/", "b") == "/b")
    #expect(PathText.join("", "b") == "b")
  }
}
