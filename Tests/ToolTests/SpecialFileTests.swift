import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Pipes, sockets and devices in place of files: commands neither wait for them nor replace them.
@Suite struct SpecialFileTests {
  private let bench: Workbench
  private static let vgg = Fixtures.path("digits/vgg")

  init() throws {
    bench = try Workbench()
    for name in ["p.png", "p.npy", "p.onnx", "p.yaml", "p.json", "p.jsonl", "out.onnx", "out2.onnx.data"] {
      try #require(mkfifo(bench.path(name), 0o600) == 0)
    }
    try RGBImage(width: 9, height: 8, filledWith: .black).writePNG(to: bench.path("a.png"))
  }

  @Test(arguments: [
    "relevance predict model p.png", "relevance predict model p.npy", "relevance explain model p.png",
    "relevance predict p.onnx a.png", "relevance inspect model --rules ./p.yaml", "relevance bench model p.npy",
    "relevance evaluate pointing model p.json", "relevance evaluate merge p.jsonl",
    "relevance predict model a.png --input x=p.npy", "convert-model p.onnx new.onnx",
    "convert-model bare.onnx new.onnx --check p.npy", "relevance inspect model --rules /dev/zero",
    "relevance predict model /dev/null", "relevance predict /dev/null a.png",
    "mv p.json model/config.json; relevance predict model a.png",
    "mv p.json model/preprocessor_config.json; relevance predict model a.png",
    "convert-model '\(Self.vgg)' big.onnx -q && mv p.onnx big.onnx.data && relevance predict big.onnx a.png",
  ]) func inputsThatAreNoFiles(script: String) throws {
    let outcome = try bench.shell(script)
    #expect(outcome.errorLines.count == 1 && outcome.errors.contains("cannot be read: it is not a regular file"))
    #expect(outcome.status == (script.contains("big.onnx.data") ? 65 : 66), "\(outcome.errors)")
  }

  /// Streams that the shell has opened are read, and their content determines their kind.
  @Test(arguments: [
    "relevance predict model <(cat a.png)", "relevance predict model /dev/stdin < a.png",
    "cat a.png | relevance predict model /dev/stdin", "cat input.npy | relevance predict model /dev/stdin",
    "relevance predict model /dev/stdin < input.npy", "relevance predict model <(cat input.npy)",
    "relevance predict model input.npy --input x=<(cat input.npy) || relevance predict model input.npy",
    "relevance explain model <(cat a.png) --save html && grep -q $(sha256sum < a.png | cut -c1-64) explanations/*/explanation.html",
  ]) func openStreamsAreRead(script: String) throws {
    let outcome = try bench.shell(script)
    #expect(outcome.status == 0 && outcome.output.contains("logit"), "\(outcome.errors)")
  }

  @Test(arguments: [
    ("convert-model bare.onnx out.onnx", "it is a pipe"),
    ("convert-model '\(Self.vgg)' out2.onnx", "out2.onnx.data is written beside it, and it is a pipe"),
    ("convert-model bare.onnx /dev/stdout", "/dev contains no regular files"),
    ("convert-model bare.onnx /dev/stdout > file", "/dev contains no regular files"),
    ("convert-model bare.onnx /proc/self/fd/1 > file", "contains no regular files; expected a path elsewhere"),
    ("convert-model bare.onnx >(cat)", "contains no regular files"),
    ("ln -s /dev/null link.onnx; convert-model bare.onnx link.onnx", "it is a device"),
    ("convert-model bare.onnx model", "it is a folder"),
    ("mkdir -p explanations/a; mkfifo explanations/a/maps.png; relevance explain model a.png", "it is a pipe"),
    ("mkdir -p explanations/a/explanation.html; relevance explain model a.png --save html", "it is a folder"),
    ("mkdir -p explanations; mkfifo explanations/report.json; relevance explain model a.png", "it is a pipe"),
    (
      "mkdir lab; mkfifo lab/lab.csv; relevance lab model a.png --layer y --rule z --save csv --output lab",
      "it is a pipe"
    ),
    ("relevance explain model a.png --output p.png", "the folder cannot be created: Not a directory"),
    (
      "mkdir e; mkfifo e/journal.jsonl; relevance evaluate pointing '\(Self.vgg)' "
        + "'\(Fixtures.path("digits/scenes/instances.json"))' --limit 1 --output e", "it is a pipe"
    ),
  ]) func outputsThatAreNoFiles(script: String, reason: String) throws {
    let outcome = try bench.shell(script)
    #expect(outcome.status == 73 && outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    var status = stat()
    #expect(lstat(bench.path("out.onnx"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    #expect(!bench.contents(of: ".").contains { $0.contains(".relevancekit") })
  }

  /// A link to a file is replaced, and the file is kept.
  @Test func linksToFilesAreReplaced() throws {
    let outcome = try bench.shell(
      "echo mine > kept; ln -s kept link.onnx; convert-model bare.onnx link.onnx --inline && cat kept")
    #expect(outcome.status == 0 && outcome.output.hasSuffix("mine\n"), "\(outcome.errors)")
    #expect(try bench.shell("test -L link.onnx || relevance inspect link.onnx").status == 0)
  }

  /// Names of the maximum length.
  @Test func names() throws {
    let longest = String(repeating: "n", count: 250) + ".onnx"
    #expect(try bench.run(["bare.onnx", longest, "--inline"], tool: "convert-model").status == 0)
    let long = String(repeating: "n", count: 245) + ".onnx"
    #expect(try bench.run(["bare.onnx", long], tool: "convert-model").status == 0)
    let tooLong = try bench.run(["bare.onnx", "n" + longest], tool: "convert-model")
    #expect(
      tooLong.status == 73 && tooLong.errors.contains("cannot be written: File name too long"), "\(tooLong.errors)")
    #expect(!bench.contents(of: ".").contains { $0.contains(".relevancekit") })
  }

  #if os(Linux)
    @Test func namesThatAreNotUTF8() throws {
      let outcome = try bench.shell(
        #"""
        folder=$(printf 'd\xff'); mkdir "$folder"; cp a.png "$folder/$(printf 'caf\xe9.png')"; cp -r model "$(printf 'm\xe9')"
        relevance explain "$(printf 'm\xe9')" "$folder" --output "$(printf 'o\xfe')" && ls "$(printf 'o\xfe/caf\xe9/maps.png')"
        relevance predict model "$folder/$(printf 'caf\xe8.png')"
        convert-model bare.onnx "$(printf 'z\xe9.onnx')" --inline -q && relevance predict "$(printf 'z\xe9.onnx')" a.png --fit native -q
        """#)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix(#"d\xFF/caf\xE9.png"#))
      #expect(
        outcome.errors.hasSuffix(#"caf\xE8.png: no such file; did you mean d\xFF/caf\xE9.png?"# + "\n"),
        "\(outcome.errors)")
      let weights = try bench.shell(#"convert-model bare.onnx "$(printf 'z\xe9.onnx')""#)
      #expect(weights.status == 73 && weights.errors.contains("(--inline)"), "\(weights.errors)")
    }
  #endif
}
