import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance units` on the command line, for a network whose units depend on the corners of the image.
@Suite struct UnitsTests {
  /// Creates a folder with `corners/`, the network with its preprocessing, and `image.png`.
  private static func bench() throws -> Workbench {
    let bench = try Workbench()
    try FileManager.default.createDirectory(atPath: bench.path("corners"), withIntermediateDirectories: true)
    try ONNXWriter().write(CornerNetwork.network(), to: bench.path("corners/model.onnx"))
    try bench.write(
      """
      {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.25, 0.5, 1], "do_resize": false, "do_rescale": true,
      "do_center_crop": false}
      """, to: "corners/preprocessor_config.json")
    let side = CornerNetwork.side
    let pixels = (0..<side * side * 3).map { UInt8(Seeded.value(41, $0, low: 0, high: 256)) }
    try RGBImage(width: side, height: side, pixels: pixels).writePNG(to: bench.path("image.png"))
    return bench
  }

  /// The result of the library for the image.
  private static func study(
    _ bench: Workbench, at layer: String = "relu2", change: (inout UnitStudy.Options) -> Void = { _ in }
  ) throws -> UnitStudy {
    let model = try Model(contentsOf: bench.path("corners"))
    let explainer = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
    var options = UnitStudy.Options()
    change(&options)
    let image = try model.preprocessing.tensor(from: RGBImage(contentsOf: bench.path("image.png")))
    return try UnitStudy(explainer.trace(image), at: layer, options: options)
  }

  @Test func printsTablesAndMerit() throws {
    let bench = try Self.bench()
    let outcome = try bench.run(
      "units", "corners", "image.png", "--layer", "relu2", "--patch", "3", "--save", "json")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    try GoldenTests.expect(outcome.output, in: "units.txt")
    #expect(bench.contents(of: "units") == ["report.json"])
  }

  /// The parts of `report.json` that are compared.
  private struct Report: Decodable {
    struct Unit: Decodable {
      let target: String
      let activation: Float
      let patchCenter: [Int]?
      let drop: Float?
      let group: Int
    }
    struct Merit: Decodable {
      let ownLargest: Int
      let mostHurtByOwn: Int
      let ablated: Int
      let meanOwnDrop: Double
      let meanOtherDrop: Double
    }
    struct Input: Decodable {
      let input: String
      let layer: String
      let activeUnits: Int
      let units: [Unit]
      let drops: [[Float]]
      let merit: Merit
      let cosines: [[Float]]
    }
    let model: String
    let patch: Int
    let replacement: String
    let inputs: [Input]
  }

  /// Every file contains the result of the library.
  @Test func savesTablesFigureAndReport() throws {
    let bench = try Self.bench()
    let outcome = try bench.run(
      "units", "corners", "image.png", "--layer", "fc", "--top", "6", "--patch", "5", "--replace", "zero",
      "--output", "a/b")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      bench.contents(of: "a/b") == [
        "image", "image/drops.csv", "image/units.csv", "image/units.png", "report.json",
      ])
    let study = try Self.study(bench, at: "fc") {
      $0.count = 6
      $0.patchSide = 5
      $0.replacement = .pixel([-1.6, -1, -0.6])
    }
    let report = try JSONDecoder().decode(
      Report.self, from: Data(contentsOf: URL(fileURLWithPath: bench.path("a/b/report.json"))))
    let input = try #require(report.inputs.first)
    #expect(report.model == "corners" && report.patch == 5 && report.replacement == "zero")
    #expect(input.input == "image.png" && input.layer == "fc" && input.units.count == 6 && input.activeUnits >= 6)
    #expect(input.merit.ablated == 6 && input.merit.meanOtherDrop == study.ablation.meanOtherDrop)
    let matrix = input.drops
    #expect(
      input.merit.mostHurtByOwn
        == matrix.indices.count { unit in matrix[unit][unit] > 0 && matrix.allSatisfy { $0[unit] <= matrix[unit][unit] }
        })
    func lines(_ name: String) throws -> [String] {
      try String(contentsOfFile: bench.path("a/b/image/\(name)"), encoding: .utf8).split(separator: "\n").map(
        String.init)
    }
    let (units, drops) = (try lines("units.csv"), try lines("drops.csv"))
    #expect(
      units[0]
        == "unit,channel,y,x,activation,patch_y,patch_x,patch_top,patch_left,patch_bottom,patch_right,drop,"
        + "largest_other_drop,largest_other_channel,group")
    #expect(drops[0] == "patch_of," + study.units.map { "\"\($0.target)\"" }.joined(separator: ","))
    #expect(units.count == 7 && drops.count == 7)
    for (index, unit) in study.units.enumerated() {
      let entry = input.units[index]
      let (center, patch) = (study.ablation.centers[index]!, study.ablation.patches[index]!)
      #expect(entry.target == unit.target.description && entry.activation == unit.activation)
      #expect(entry.patchCenter == [center.row, center.column])
      let row = (0..<6).map { study.ablation.drops[index, $0] }
      #expect(input.drops[index] == row && entry.drop == row[index])
      #expect(drops[index + 1] == "\"\(unit.target)\"," + row.map { "\($0)" }.joined(separator: ","))
      let other = study.ablation.largestOther(of: index)!
      #expect(
        units[index + 1]
          == "\"\(unit.target)\",\(unit.channel),,,\(unit.activation),\(center.row),\(center.column),"
          + "\(patch.rows.lowerBound),\(patch.columns.lowerBound),\(patch.rows.upperBound - 1),"
          + "\(patch.columns.upperBound - 1),\(row[index]),\(other.drop),\(study.units[other.unit].channel),"
          + "\(study.clusters.groups[index] + 1)")
    }
    // Pairs of 24 pixels enlarged 13 times in frames of 4, below the image and the matrix.
    let image = try RGBImage(contentsOf: bench.path("a/b/image/units.png"))
    let (pair, perRow) = (2 * 312 + 3 * 4, 2)
    let rows = study.clusters.members.reduce(0) { $0 + ($1.count + perRow - 1) / perRow }
    // Titles of groups on the left, and captions of at most two lines above and below.
    let width = min(study.clusters.members.map(\.count).max()!, perRow) * (pair + 8) + 8
    #expect((width...width + 40).contains(image.width))
    let height = 312 + 2 * 8 + rows * (312 + 2 * 4 + 8) + 8
    #expect((height + (rows + 3) * 16...height + (rows + 3) * 50).contains(image.height))
    #expect(
      outcome.output.hasSuffix(
        """
        a/b/image/units.csv, drops.csv: the tables
        a/b/image/units.png: the patches, the drops (full red at \
        \(String(format: "%.3g", study.ablation.drops.largestMagnitude() * 100)) %), and the maps by group: LRP \
        left, CLRP2 right, with the patches at the maxima

        """))
  }

  /// Each input has a folder. The maps of a tensor have no image in the background.
  @Test func severalInputs() throws {
    let bench = try Self.bench()
    // At most as bright as a preprocessed image.
    let tensor = CornerNetwork.input().map { $0 * 0.4 }
    try NumPyFile.write(tensor.reshaped(to: [3, 24, 24]), to: bench.path("tensor.npy"))
    let outcome = try bench.run(
      "units", "corners", "image.png", "missing.png", "tensor.npy", "--layer", "relu2", "--save", "csv,png")
    #expect(outcome.status == 66)
    #expect(outcome.errorLines == ["relevance: missing.png: no such file; expected a .jpg, .png or .npy file"])
    let files = ["", "/drops.csv", "/units.csv", "/units.png"]
    #expect(bench.contents(of: "units") == ["image", "tensor"].flatMap { folder in files.map { folder + $0 } })
    #expect(outcome.output.contains("units/tensor/units.png: the drops ("))
  }

  /// Patches can be replaced by those of a tensor in a file.
  @Test func replacementsFromFiles() throws {
    let bench = try Self.bench()
    try NumPyFile.write(Tensor(shape: [3, 24, 24]), to: bench.path("zeros.npy"))
    let run = { try bench.run(["units", "corners", "image.png", "--layer", "fc", "--save", "csv"] + $0) }
    let zeros = try run(["--replace", "zeros.npy"])
    try NumPyFile.write(Tensor(shape: [1, 3, 24, 24], repeating: 1), to: bench.path("ones.npy"))
    let (mean, ones) = (try run([]), try run(["--replace", "ones.npy"]))
    #expect(zeros.status == 0 && ones.status == 0 && zeros.output == mean.output)
    #expect(zeros.output != ones.output)
  }

  /// The mean pixel is unknown if the preprocessing subtracts no mean.
  @Test func notesThatThereIsNoMean() throws {
    let bench = try Self.bench()
    try bench.write(
      #"{"do_normalize": false, "do_resize": false, "do_center_crop": false}"#, to: "corners/preprocessor_config.json")
    let outcome = try bench.run("units", "corners", "image.png", "--layer", "fc", "--save", "json")
    #expect(outcome.status == 0)
    #expect(
      outcome.errorLines == ["note: the model's preprocessing subtracts no mean; --replace mean is black here"])
  }

  @Test(
    arguments: [
      (64, ["--layer", "rely2"], "rely2: the network has no such node; did you mean relu2?"),
      (
        65, ["--layer", "x"],
        "no relevance can reach the input from node x; expected a node between the input and the logits"
      ),
      (65, ["--layer", "fc", "--top", "9"], "node fc: expected 9 active units, found 8 above zero"),
      (64, ["--layer", "fc", "--top", "1"], "--top is 1; expected at least 2 units to compare"),
      (64, ["--layer", "fc", "--patch", "4"], "--patch is 4; expected an odd number of pixels"),
      (64, ["--layer", "fc", "--replace", "gray"], "--replace is gray; expected mean, zero or a .npy file"),
      (66, ["--layer", "fc", "--replace", "no.npy"], "no.npy: no such file, or no permission to read it"),
      (
        64, ["--layer", "fc", "--replace", "input.npy"],
        "the replacement of patches has shape 1×3×8×9; expected 1×3×24×24, the shape of the input"
      ),
      (64, [], "Missing expected argument '--layer <node>'"),
      (64, ["--layer", "fc", "--save", "npy"], "--save: npy is not one of png, csv, json"),
    ] as [(Int32, [String], String)])
  func mistakesAreOneLine(status: Int32, options: [String], line: String) throws {
    let bench = try Self.bench()
    let outcome = try bench.run(["units", "corners", "image.png"] + options)
    #expect(outcome.errors == "relevance: \(line)\n")
    #expect(outcome.status == status)
    #expect(outcome.output.isEmpty)
    #expect(bench.contents(of: "units").isEmpty)
  }
}
