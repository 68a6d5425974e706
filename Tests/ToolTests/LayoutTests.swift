import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Models in the folders and caches of other tools.
@Suite struct LayoutTests {
  private let bench: Workbench
  private let files = FileManager.default
  init() throws { bench = try Workbench() }

  private func folder(_ name: String) throws {
    try files.createDirectory(atPath: bench.path(name), withIntermediateDirectories: true)
  }

  /// Writes a model whose weights are large enough for a separate file.
  private func writeWithWeights(to name: String) throws {
    var builder = GraphBuilder(input: [1, 3, 8, 9])
    builder.add("flat", .flatten(axis: 1))
    builder.add("fc", .seededLinear(inputs: 216, outputs: 4, seed: 1))
    _ = try ONNXWriter().write(builder.network(), to: bench.path(name))
  }

  @Test func theFolderOnnx() throws {
    try folder("repository/onnx")
    try files.copyItem(atPath: bench.path("bare.onnx"), toPath: bench.path("repository/onnx/model.onnx"))
    for name in ["config.json", "preprocessor_config.json"] {
      try files.copyItem(atPath: bench.path("model/\(name)"), toPath: bench.path("repository/\(name)"))
    }
    let expected = try bench.run("predict", "model", "input.npy").output
    for path in ["repository", "repository/onnx", "repository/onnx/model.onnx"] {
      let outcome = try bench.run("predict", path, "input.npy")
      #expect(outcome.status == 0 && outcome.errors == "" && outcome.output == expected)
    }
  }

  /// The layout of Hugging Face's cache, with links, and with the text files that replace links where they are not
  /// supported.
  @Test(arguments: [true, false]) func linksIntoBlobs(hasLinks: Bool) throws {
    try folder("cache/blobs")
    try folder("cache/snapshots/1")
    try writeWithWeights(to: "cache/blobs/model.onnx")
    let expected = try bench.run("predict", "cache/blobs/model.onnx", "input.npy").output
    let blobs = ["model.onnx": "aaa", "model.onnx.data": "bbb", "config.json": "ccc"]
    try files.copyItem(atPath: bench.path("model/config.json"), toPath: bench.path("cache/blobs/config.json"))
    for (name, blob) in blobs {
      try files.moveItem(atPath: bench.path("cache/blobs/\(name)"), toPath: bench.path("cache/blobs/\(blob)"))
      let link = "cache/snapshots/1/\(name)"
      if hasLinks {
        try files.createSymbolicLink(atPath: bench.path(link), withDestinationPath: "../../blobs/\(blob)")
      } else {
        try bench.write("../../blobs/\(blob)", to: link)
      }
    }
    let outcome = try bench.run("predict", "cache/snapshots/1", "input.npy")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count == 5)
    #expect(outcome.output.contains("class:0  tabby, tabby cat"))
    #expect(
      outcome.output.split(separator: "\n").map { $0.prefix(26) }
        == expected.split(separator: "\n").map { $0.prefix(26) })
  }

  /// A link that leaves the model's folder is rejected, unless the model itself is such a link.
  @Test func otherLinksAreRefused() throws {
    try folder("a")
    try folder("b")
    try writeWithWeights(to: "a/model.onnx")
    try files.moveItem(atPath: bench.path("a/model.onnx.data"), toPath: bench.path("b/secret"))
    try files.createSymbolicLink(atPath: bench.path("a/model.onnx.data"), withDestinationPath: "../b/secret")
    let outcome = try bench.run("predict", "a", "input.npy")
    #expect(outcome.status == 65 && outcome.errors.contains("expected a file inside the model's folder"))
  }

  @Test func largeFilePointers() throws {
    let pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\nsize 97781\n"
    try folder("p")
    try bench.write(pointer, to: "p/model.onnx")
    let outcome = try bench.run("predict", "p", "input.npy")
    #expect(outcome.status == 65)
    #expect(
      outcome.errors
        == "relevance: p/model.onnx: it is a Git LFS pointer to a file of 97781 bytes; expected the file; run git lfs pull\n"
    )
    try writeWithWeights(to: "p/model.onnx")
    try bench.write(pointer, to: "p/model.onnx.data")
    let data = try bench.run("predict", "p", "input.npy")
    #expect(data.status == 65 && data.errors.contains("is a Git LFS pointer to a file of 97781 bytes"))
    try bench.write(pointer, to: "a.png")
    #expect(
      try bench.run("predict", "model", "a.png").errors.contains("a Git LFS pointer, which git lfs pull replaces"))
  }

  @Test func timm() throws {
    try folder("timm")
    try files.copyItem(atPath: bench.path("bare.onnx"), toPath: bench.path("timm/model.onnx"))
    try bench.write(
      """
      {"architecture": "resnet", "num_classes": 288, "label_names": ["n1", "n2"], "label_descriptions": {"n2": "goldfish"},
      "pretrained_cfg": {"input_size": [3, 8, 9], "crop_mode": "squash", "crop_pct": 1.0, "interpolation": "bicubic",
      "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 0.5]}}
      """, to: "timm/config.json")
    let model = try Model(contentsOf: bench.path("timm"))
    #expect(model.preprocessing.resize == .exact(width: 9, height: 8) && model.preprocessing.resampling == .bicubic)
    #expect(model.preprocessing.standardDeviation == [0.25, 0.5, 0.5] && model.notes.isEmpty)
    #expect(
      model.labels?.names == [0: "n1", 1: "goldfish"] && model.preprocessingFile?.hasSuffix("timm/config.json") == true)
  }

  /// timm lists names as an object if some classes have none.
  @Test func timmNamesWithGaps() throws {
    try bench.write(
      #"{"architecture": "resnet", "label_names": {"0": "n1", "4": "n2"}, "label_descriptions": {"n2": "goldfish"}}"#,
      to: "model/config.json")
    #expect(try Labels(contentsOf: bench.path("model/config.json"))?.names == [0: "n1", 4: "goldfish"])
  }

  /// A setting that is not supported gives a note.
  @Test func unsupportedTimmPreprocessingIsNoted() throws {
    try folder("timm")
    try files.copyItem(atPath: bench.path("bare.onnx"), toPath: bench.path("timm/model.onnx"))
    try bench.write(
      #"{"architecture": "resnet", "label_names": ["n1"], "pretrained_cfg": {"crop_mode": "border"}}"#,
      to: "timm/config.json")
    let model = try Model(contentsOf: bench.path("timm"))
    #expect(model.preprocessingFile == nil)
    let note = try #require(model.notes.first)
    #expect(
      note.hasSuffix(
        #"crop_mode: expected "center" or "squash", found "border"; the preprocessing of this file is ignored"#))
  }

  @Test func namesThatAreNumbers() throws {
    let mark = "\u{FEFF}"
    try bench.write(mark + #"{"id2label": {"0": 7, "1": 2.5, "2": "two"}}"#, to: "model/config.json")
    #expect(try Labels(contentsOf: bench.path("model/config.json"))?.names == [0: "7", 1: "2.5", 2: "two"])
    for wrong in ["true", "[1]", "{}"] {
      try bench.write("{\"id2label\": {\"0\": \(wrong)}}", to: "model/config.json")
      #expect(throws: (any Error).self) { _ = try Labels(contentsOf: bench.path("model/config.json")) }
    }
    try bench.write(#"{"id2label": null}"#, to: "model/config.json")
    #expect(try Labels(contentsOf: bench.path("model/config.json")) == nil)
  }
}
