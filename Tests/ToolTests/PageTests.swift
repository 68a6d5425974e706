import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The page that `relevance explain --save html` writes.
@Suite struct PageTests {
  private static let hostile = #"</script><img src=x onerror="window.intruded=1"><!-- & 'quoted'"#

  /// A page of two targets and three methods for a small image, with an HTML injection in the name of class 5.
  private static func page(_ bench: Workbench, _ options: String...) throws -> String {
    let encoder = JSONEncoder()
    // The page contains the checksum of this file.
    encoder.outputFormatting = .sortedKeys
    let labels = try encoder.encode(["id2label": ["5": hostile, "7": "coffeepot"]])
    try bench.write(String(decoding: labels, as: UTF8.self), to: "model/config.json")
    let image = try RGBImage(width: 9, height: 8, pixels: (0..<216).map { UInt8($0 * 7 % 256) })
    try image.writePNG(to: bench.path("a <b> & 'c'.png"))
    let outcome = try bench.run(
      [
        "explain", "model", "a <b> & 'c'.png", "--target", "class:5", "--target", "class:7", "--method", "lrp",
        "--method",
        "clrp1", "--method", "gradient", "--output", "out",
      ] + (options.isEmpty ? ["--save", "html"] : options))
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try String(contentsOfFile: bench.path("out/a <b> & 'c'/explanation.html"), encoding: .utf8)
  }

  @Test func isTheOnlyFile() throws {
    let bench = try Workbench()
    let page = try Self.page(bench)
    #expect(bench.contents(of: "out") == ["a <b> & 'c'", "a <b> & 'c'/explanation.html"])
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    // The page does not depend on time or place.
    #expect(try Self.page(bench) == page)
  }

  @Test func isWellFormed() throws {
    let outline = try HTMLOutline(Self.page(try Workbench()))
    #expect(outline.problems == [])
    #expect(Set(outline.identifiers).count == outline.identifiers.count)
    #expect(outline.count(of: "h1") == 1 && outline.count(of: "title") == 1 && outline.count(of: "main") == 1)
    #expect(outline.count(of: "script") == 2)
    // The input image, and one image for each map.
    #expect(outline.count(of: "img") == 7)
    for image in outline.elements(named: "img") {
      #expect(image.contains(" alt=\"") && image.contains(" src=\"data:image/png;base64,"))
    }
  }

  @Test func loadsNothing() throws {
    let page = try Self.page(try Workbench())
    for text in ["http:", "https:", "<link", "@import", "url(", "<iframe", "fetch(", "XMLHttpRequest", "import("] {
      #expect(!page.contains(text), "\(text)")
    }
    #expect(
      page.contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-"))
  }

  /// Names come from untrusted files.
  @Test func namesAreText() throws {
    let page = try Self.page(try Workbench())
    #expect(!page.contains("<img src=x") && !page.contains("<b>") && !page.contains("onerror=\"window"))
    #expect(page.contains("&lt;/script&gt;&lt;img src=x onerror=&quot;window.intruded=1&quot;&gt;"))
    #expect(page.contains(#"\u003c/script\u003e\u003cimg src=x onerror=\"window.intruded=1\""#))
    #expect(page.components(separatedBy: "</script>").count == 3)
    #expect(page.contains("'a &lt;b&gt; &amp; '\\''c'\\''.png'".replacingOccurrences(of: "'", with: "&#39;")))
  }

  /// The images for browsers without scripts are the same as those in files.
  @Test func hasTheImagesOfTheFiles() throws {
    let bench = try Workbench()
    let page = try Self.page(bench, "--save", "html,png", "--scale", "common")
    let sources = HTMLOutline(page).elements(named: "img").compactMap { image in
      image.components(separatedBy: "base64,").last?.components(separatedBy: "\"").first
    }
    let images = try sources.compactMap { Data(base64Encoded: $0) }.map {
      try RGBImage(decoding: $0, name: "image")
    }
    let names = ["class5", "class7"].flatMap { target in ["lrp", "clrp1", "gradient"].map { "\(target).\($0)" } }
    let files = try names.map { try RGBImage(contentsOf: bench.path("out/a <b> & 'c'/\($0).png")) }
    #expect(Array(images.dropFirst()) == files)
  }

  /// The page contains the command to reproduce it, and the checksums of `sha256sum`.
  @Test func canBeReproduced() throws {
    let bench = try Workbench()
    let page = try Self.page(bench, "--save", "html", "--threads", "1")
    #expect(page.contains("relevance explain model "))
    #expect(page.contains("<dt>RelevanceKit</dt><dd>\(RelevanceKitPackage.version)</dd>"))
    #expect(page.contains("OpenBLAS") && page.contains("<dt>Threads</dt><dd>1</dd>"))
    #expect(page.contains("<dt>Instruction set of other loops</dt><dd>\(InstructionSet.preferred.rawValue)</dd>"))
    let lines = page.components(separatedBy: "\n").map { $0.replacingOccurrences(of: "<pre tabindex=\"0\">", with: "") }
      .filter { $0.prefix(64).allSatisfy(\.isHexDigit) && $0.dropFirst(64).hasPrefix("  ") }
    #expect(lines.count == 4, "the model, its two companions and the input")
    for line in lines {
      let path = line.dropFirst(66).replacingOccurrences(of: "</pre>", with: "")
        .replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">")
        .replacingOccurrences(of: "&#39;", with: "'").replacingOccurrences(of: "&amp;", with: "&")
      #expect(try Self.sha256sum(path, in: bench) == line.prefix(64))
    }
  }

  /// The page contains the warnings of the report.
  @Test func warns() throws {
    let bench = try Workbench()
    let trace = try Explainer(
      NeuralNetwork(contentsOf: bench.path("bare.onnx")), rules: .default(pixelRange: .imageNet)
    )
    .trace(NumPyFile.read(bench.path("input.npy")))
    let worst = try #require(trace.predictions().last).classIndex
    let outcome = try bench.run(
      "explain", "bare.onnx", "input.npy", "--target", "class:\(worst)", "--save", "html", "--output", "out")
    #expect(outcome.status == 0)
    let page = try String(contentsOfFile: bench.path("out/input/explanation.html"), encoding: .utf8)
    #expect(page.contains("<li>input.npy: the logit of class \(worst) is not positive"))
    #expect(page.contains("The input is a tensor without an image"))
    #expect(HTMLOutline(page).problems == [])
  }

  /// Uses a page in a browser, and checks that an injection in a name does not run.
  @Test(.enabled(if: Browser.isInstalled, "there is no Chromium, or no Python"))
  func worksInABrowser() throws {
    let bench = try Workbench()
    _ = try Self.page(bench)
    let outcome = try Browser.check(bench.path("out/a <b> & 'c'/explanation.html"))
    #expect(outcome.status == 0, "\(outcome.text)")
  }

  @Test(
    .enabled(if: Browser.isInstalled && FetchedModel.hasSqueezeNet, "there is no Chromium, no Python or no SqueezeNet"))
  func aRealPageWorksInABrowser() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", "squeezenet1.1", Fixtures.path("cat-and-coffee.png"), "--target", "class:282", "--target", "class:967",
      "--method", "lrp", "--method", "clrp1", "--method", "clrp2", "--save", "html", "--output", "out",
      environment: ["RELEVANCEKIT_MODELS": FetchedModel.folder.path])
    #expect(outcome.status == 0)
    let path = bench.path("out/cat-and-coffee/explanation.html")
    // 1.5 MB for 224×224 pixels; these are 227×227.
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count < 1_540_000)
    let check = try Browser.check(path)
    #expect(check.status == 0, "\(check.text)")
  }

  private static func sha256sum(_ path: String, in bench: Workbench) throws -> Substring {
    try Browser.run("/usr/bin/env", ["sha256sum", "-z", path], folder: bench.scratch.url).text.prefix(64)
  }
}

/// The tags of a page, and errors in their nesting.
struct HTMLOutline {
  private(set) var tags: [String] = []
  private(set) var problems: [String] = []

  init(_ page: String) {
    let void: Set = ["meta", "img", "input", "br", "!DOCTYPE"]
    var open: [String] = []
    var rest = Substring(page)
    while let start = rest.firstIndex(of: "<") {
      rest = rest[start...].dropFirst()
      guard let end = rest.firstIndex(of: ">") else {
        problems.append("a tag without an end")
        return
      }
      let tag = String(rest[..<end])
      rest = rest[end...].dropFirst()
      if tag.filter({ $0 == "\"" }).count % 2 != 0 { problems.append("an attribute without an end: \(tag.prefix(80))") }
      let name = String(tag.prefix { !$0.isWhitespace })
      if name.hasPrefix("/") {
        let opened = open.popLast()
        if opened != String(name.dropFirst()) { problems.append("\(name) ends \(opened ?? "nothing")") }
        continue
      }
      tags.append(tag)
      guard !void.contains(name) else { continue }
      open.append(name)
      // Scripts and styles contain no markup.
      if name == "script" || name == "style", let close = rest.range(of: "</\(name)") {
        rest = rest[close.lowerBound...]
      }
    }
    problems += open.map { "\($0) without an end" }
  }

  func elements(named name: String) -> [String] { tags.filter { $0.hasPrefix(name + " ") || $0 == name } }
  func count(of name: String) -> Int { elements(named: name).count }
  var identifiers: [String] {
    tags.compactMap { tag in
      tag.components(separatedBy: " id=\"").dropFirst().first?.components(separatedBy: "\"").first
    }
  }
}
