import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance explain` on the command line.
@Suite struct ExplainTests {
  /// The parts of `report.json` that are compared.
  struct Report: Decodable {
    struct Prediction: Decodable {
      let classIndex: Int
      let label: String?
      let logit: Float
      let probability: Double
    }
    struct Node: Decodable {
      let node: String
      let rule: String
      let relevanceIn: Double
      let relevanceOut: Double
      let absorbed: Double
    }
    struct Entry: Decodable {
      let target: String
      let label: String?
      let method: String
      let score: Float
      let signedSum: Double
      let sum: Double
      let absorbed: Double
      let ledger: [Node]
      let files: String
    }
    struct Input: Decodable {
      let input: String
      let shape: [Int]
      let predictions: [Prediction]
      let explanations: [Entry]
    }
    let model: String
    let table: String
    let inputs: [Input]
    let warnings: [String]

    init(_ path: String) throws {
      self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }

  @Test func writesMapsAndAReport() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", "model", "input.npy", "--target", "class:5", "--target", "label:tabby", "--method", "lrp", "--method",
      "clrp1", "--method", "clrp2", "--output", "out")
    #expect(outcome.status == 0)
    let names = ["class0", "class5"].flatMap { target in ["clrp1", "clrp2", "lrp"].map { "\(target).\($0)" } }
    #expect(
      bench.contents(of: "out") == ["input"] + names.flatMap { ["input/\($0).npy", "input/\($0).png"] } + [
        "input/maps.png", "report.json",
      ])

    let report = try Report(bench.path("out/report.json"))
    #expect(report.model == "model" && report.table == "default")
    let input = try #require(report.inputs.first)
    #expect(report.inputs.count == 1 && input.input == "input.npy" && input.shape == [1, 3, 8, 9])
    let model = try Model(contentsOf: bench.path("model"))
    let trace = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
      .trace(NumPyFile.read(bench.path("input.npy")))
    let ranking = trace.predictions().prefix(5)
    #expect(input.predictions.map(\.classIndex) == ranking.map(\.classIndex))
    #expect(input.predictions.map(\.logit) == ranking.map(\.logit))

    #expect(input.explanations.map(\.files).sorted() == names.map { "input/\($0)" })
    for entry in input.explanations {
      let target = Target.class(Int(entry.target.dropFirst("class:".count))!)
      #expect(entry.label == (target == .class(5) ? "coffee mug" : "tabby, tabby cat"))
      let map = try NumPyFile.read(bench.path("out/\(entry.files).npy"))
      let method = try #require(MethodCatalog.standard.methods.first { $0.name == entry.method })
      let expected = try trace.explain(target, by: method)
      #expect(map.shape == [3, 8, 9])
      #expect(map == expected.relevance.reshaped(to: map.shape))
      #expect(entry.score == expected.score)
      let tolerance = Tolerance.singlePrecision * Double(abs(entry.score))
      #expect(abs(entry.sum - map.sum()) <= tolerance)
      #expect(abs(entry.signedSum - expected.signedRelevance.sum()) <= tolerance)
      #expect(entry.ledger.prefix(2).map(\.node) == ["classes", "y"])
      #expect(entry.ledger.map(\.rule) == ["rearrange", "zB"] + (method.isContrastive ? ["max(0, ·)"] : []))
      #expect(abs(entry.absorbed - entry.ledger.reduce(0) { $0 + $1.relevanceIn - $1.relevanceOut }) <= tolerance)
      let image = try RGBImage(contentsOf: bench.path("out/\(entry.files).png"))
      #expect(image.width == 9 && image.height == 8)
    }
    #expect(outcome.errors.isEmpty == report.warnings.isEmpty)
    #expect(outcome.output.contains("class:5 (coffee mug) by clrp1: out/input/class5.clrp1.*"))
  }

  @Test(arguments: [
    ("npy", ["input", "input/class5.lrp.npy"]), ("png", ["input", "input/class5.lrp.png", "input/maps.png"]),
    ("json", ["report.json"]),
    ("npy,json", ["input", "input/class5.lrp.npy", "report.json"]), ("html", ["input", "input/explanation.html"]),
  ])
  func savesRequestedFiles(list: String, files: [String]) throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", "model", "input.npy", "--target", "class:5", "--method", "lrp", "--save", list, "--output", "a/b")
    #expect(outcome.status == 0)
    #expect(bench.contents(of: "a/b") == files)
  }

  /// By default, explains the best class by CLRP1 and writes to `explanations`.
  @Test func hasDefaults() throws {
    let bench = try Workbench()
    #expect(try bench.run("explain", "model", "input.npy").status == 0)
    let report = try Report(bench.path("explanations/report.json"))
    let best = try #require(report.inputs.first?.predictions.first).classIndex
    #expect(report.inputs.first?.explanations.map(\.files) == ["input/class\(best).clrp1"])
  }

  @Test func explainsTheBestClasses() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", "model", "input.npy", "--target", "top:3", "--method", "lrp", "--save", "json")
    #expect(outcome.status == 0)
    let input = try #require(try Report(bench.path("explanations/report.json")).inputs.first)
    #expect(input.explanations.map(\.target) == input.predictions.prefix(3).map { "class:\($0.classIndex)" })
  }

  /// Images are prepared as the model's files specify, and have an overlay. A tensor can lack the batch axis.
  @Test func takesImagesAndTensors() throws {
    let bench = try Workbench()
    let image = try RGBImage(width: 9, height: 8, pixels: (0..<216).map { UInt8($0 * 7 % 256) })
    try image.writePNG(to: bench.path("image.png"))
    let preprocessing = try Model(contentsOf: bench.path("model")).preprocessing
    let tensor = try preprocessing.tensor(from: image)
    try NumPyFile.write(tensor.reshaped(to: [3, 8, 9]), to: bench.path("tensor.npy"))
    let outcome = try bench.run(
      "explain", "model", "image.png", "tensor.npy", "--target", "class:5", "--method", "lrp", "--output", "out")
    #expect(outcome.status == 0)
    #expect(
      bench.contents(of: "out") == [
        "image", "image/class5.lrp.npy", "image/class5.lrp.overlay.png", "image/class5.lrp.png",
        "image/maps.png",
        "report.json", "tensor", "tensor/class5.lrp.npy", "tensor/class5.lrp.png", "tensor/maps.png",
      ])
    let maps = try ["image", "tensor"].map { try NumPyFile.read(bench.path("out/\($0)/class5.lrp.npy")) }
    #expect(maps[0] == maps[1])
    #expect(try Report(bench.path("out/report.json")).inputs.map(\.input) == ["image.png", "tensor.npy"])
  }

  /// Without preprocessing beside the model, ImageNet's is used, with a note.
  @Test func assumptionsAreNoted() throws {
    let bench = try Workbench()
    try RGBImage(width: 9, height: 8, filledWith: .white).writePNG(to: bench.path("image.png"))
    let outcome = try bench.run("explain", "bare.onnx", "image.png", "--fit", "native")
    #expect(outcome.status == 0)
    #expect(
      outcome.errorLines.first
        == "note: no preprocessor_config.json beside the model; using ImageNet's usual preprocessing, resized to 8×9")
  }

  @Test func takesRuleTables() throws {
    let bench = try Workbench()
    try bench.write("name: mine\nrules: [{op: Conv, rule: zPlus}]", to: "mine.yaml")
    for (rules, name, rule) in [("paper", "paper", "zB"), ("mine.yaml", "mine", "zPlus")] {
      let outcome = try bench.run(
        "explain", "model", "input.npy", "--rules", rules, "--save", "json", "--output", name)
      #expect(outcome.status == 0)
      let report = try Report(bench.path("\(name)/report.json"))
      #expect(report.table == name)
      #expect(report.inputs.first?.explanations.first?.ledger.dropFirst().first?.rule == rule)
    }
  }

  /// Every method, with and without parameters, and every unit has its own file and an entry in the report.
  @Test func writesEveryMethodAndTarget() throws {
    let bench = try Workbench()
    var arguments = ["explain", "model", "input.npy", "--target", "class:5", "--save", "npy,json", "--output", "out"]
    let parameters = [
      "clrp1:against=7+0,strength=1.5", "clrp1:against=logits", "clrp2:head=layer", "integrated-gradients:steps=4",
      "smoothgrad:samples=2,deviation=0.5,seed=3", "random:seed=9", "grad-cam:layer=y",
    ]
    for method in MethodCatalog.general.map(\.name) + parameters { arguments += ["--method", method] }
    let outcome = try bench.run(arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try Report(bench.path("out/report.json"))
    let entries = try #require(report.inputs.first).explanations
    #expect(entries.map(\.method) == MethodCatalog.general.map(\.name) + parameters)
    #expect(Set(entries.map(\.files)).count == entries.count)
    for entry in entries { #expect(try NumPyFile.read(bench.path("out/\(entry.files).npy")).shape.rank == 3) }
    #expect(bench.contents(of: "out").contains("input/class5.clrp1-against-7+0-strength-1.5.npy"))

    let units = try bench.run(
      "explain", "model", "input.npy", "--target", "unit:y/2@3,4", "--target", "unit:y/2", "--method", "lrp",
      "--method",
      "clrp2", "--save", "npy", "--output", "units")
    #expect(units.status == 0, "\(units.errors)")
    #expect(
      bench.contents(of: "units") == [
        "input", "input/unit-y-2-3-4.clrp2.npy", "input/unit-y-2-3-4.lrp.npy", "input/unit-y-2.clrp2.npy",
        "input/unit-y-2.lrp.npy",
      ])
  }

  /// After an input that fails, the others are explained, and the status is that of the failure.
  @Test func continuesAfterAnInputThatFails() throws {
    let bench = try Workbench()
    try bench.write("no image", to: "text.jpg")
    let outcome = try bench.run("explain", "model", "text.jpg", "missing.png", "input.npy", "--output", "out")
    #expect(outcome.status == 65)
    #expect(
      outcome.errorLines == [
        "relevance: text.jpg: not an image: expected JPEG or PNG, found text",
        "relevance: missing.png: no such file; expected a .jpg, .png or .npy file",
      ])
    #expect(try Report(bench.path("out/report.json")).inputs.map(\.input) == ["input.npy"])
    #expect(bench.contents(of: "out").filter { $0.hasPrefix("text") || $0.hasPrefix("missing") }.isEmpty)
  }

  /// From image to map on a real network: the map that the command writes is that of the oracle.
  @Test(.enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"))
  func explainsCatAndCoffee() throws {
    let bench = try Workbench()
    // The image of the oracle's input: blue, green and red minus their means.
    let input = try Fixtures.tensor("inputs/squeezenet-cat-coffee-64x80.npy")
    let (height, width) = (input.shape[2], input.shape[3])
    let pixels = (0..<height * width).flatMap { position in
      zip([2, 1, 0], [123.68, 116.779, 103.939]).map { channel, mean in
        UInt8((Double(input.elements[channel * height * width + position]) + mean).rounded())
      }
    }
    try RGBImage(width: width, height: height, pixels: pixels).writePNG(to: bench.path("small.png"))
    let outcome = try bench.run(
      "explain", "squeezenet1.1", "small.png", "--fit", "native", "--target", "label:tabby", "--target", "class:968",
      "--method", "lrp", "--output", "out", environment: ["RELEVANCEKIT_MODELS": FetchedModel.folder.path])
    #expect(outcome.status == 0)
    for target in [281, 968] {
      let map = try NumPyFile.read(bench.path("out/small/class\(target).lrp.npy"))
      let reference = try Fixtures.tensor("maps/squeezenet1.1.default.class\(target).lrp.npz")
      #expect(map.shape == reference.shape || map.shape == TensorShape(Array(reference.shape.dimensions.dropFirst())))
      #expect(map.reshaped(to: reference.shape).relativeDistance(from: reference) <= Tolerance.map)
    }
    let overlay = try RGBImage(contentsOf: bench.path("out/small/class281.lrp.overlay.png"))
    #expect(overlay.width == width && overlay.height == height)
    let report = try Report(bench.path("out/report.json"))
    #expect(report.inputs.first?.explanations.map(\.target) == ["class:281", "class:968"])
  }

  /// Text, JSON and page name the layer of class activation maps, and the relevance of class token and position
  /// embedding.
  @Test func tokensHaveRemarks() throws {
    struct Constant: Decodable {
      let kind, node: String
      let amount, share: Double
    }
    struct Entry: Decodable {
      let remarks: [String]?
      let constants: [Constant]?
      let score: Double
    }
    struct Input: Decodable { let explanations: [Entry] }
    struct Report: Decodable { let inputs: [Input] }
    let bench = try Workbench()
    let place = "grad-cam uses layer block4_norm1 (LayerNormalization): 8×8 tokens; the first token"
    func explain(_ methods: String...) throws -> (text: String, entries: [Entry], page: String) {
      let outcome = try bench.run(
        [
          "explain", Fixtures.path("digits/vit"), Fixtures.path("digits/scenes/005.png"), "--save", "json,html",
          "--output", "out",
        ]
          + methods.flatMap { ["--method", $0] })
      #expect(outcome.status == 0)
      let report = try JSONDecoder().decode(
        Report.self, from: Data(contentsOf: URL(fileURLWithPath: bench.path("out/report.json"))))
      let page = try String(contentsOfFile: bench.path("out/005/explanation.html"), encoding: .utf8)
      return (outcome.output, report.inputs[0].explanations, page)
    }
    let both = try explain("grad-cam", "lrp")
    #expect(both.text.contains("    " + place) && both.page.contains("<p>G" + place.dropFirst()))
    #expect(both.entries[0].remarks?.count == 1 && both.entries[0].constants == nil)
    let constants = try #require(both.entries[1].constants)
    #expect(constants.map(\.kind) == ["position embedding", "class token"])
    #expect(constants.map(\.node) == ["position", "with_class"])
    for constant in constants { #expect(abs(constant.share * both.entries[1].score - constant.amount) <= 1e-6) }
    let taken = "of the score of class:8 is assigned to the image, "
    #expect(both.text.contains(taken) && both.page.contains(taken) && both.entries[1].remarks?.count == 1)
    // The sums of a contrast contain no shares, so the remark states those of LRP, once.
    #expect(try explain("clrp1").entries[0].remarks?.first?.hasPrefix("by lrp, ") == true)
    #expect(try explain("clrp1", "lrp").entries.map { $0.remarks?.count } == [nil, 1])
  }
}
