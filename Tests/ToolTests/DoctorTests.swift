import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance doctor`: its output and files.
@Suite struct DoctorTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  @Test func aModelWithItsFiles() throws {
    let outcome = try bench.run("doctor", "model", "input.npy")
    #expect(outcome.status == 0 && outcome.errors == "")
    for line in [
      "1×3×8×9: batch × channels × height × width (from the model)",
      "no resize, 8×9 from the center (rounding as in huggingFace)",
      "0…1, minus 0.5, divided by 0.25, 0.5, 0.5: -2…2", "classes: tabby, tabby cat; dog; dog; … (from",
      "table default has a rule for every node",
      "to do:   nothing", "image:   input.npy: 1×3×8×9",
    ] { #expect(outcome.output.contains(line), "\(line)") }
  }

  @Test func assumptionsAreWritten() throws {
    let outcome = try bench.run("doctor", "bare.onnx", "--write")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("assumed: ImageNet's usual preprocessing, resized to 8×9"))
    #expect(outcome.output.contains("no names found, shown as numbers"))
    #expect(
      outcome.output.contains(
        "add these files beside the model, or create them with --write and edit them: preprocessor_config.json (how images are prepared); config.json (id2label: the classes' names)"
      ))
    #expect(outcome.output.split(separator: "\n").count <= 12)
    let settings = try Preprocessing(contentsOf: bench.path("preprocessor_config.json"))
    #expect(settings.resize == .exact(width: 9, height: 8) && settings.mean == Preprocessing.imageNet.mean)
    #expect(settings.cropRounding == .torchvision)
    #expect(try Labels(contentsOf: bench.path("config.json"))?[287] == "class 287")
    // The written files are read.
    let again = try bench.run("doctor", "bare.onnx", "--write")
    #expect(again.status == 0 && again.output.contains("to do:   nothing"))
    #expect(again.output.contains("preprocessor_config.json specifies the preprocessing; it is not changed"))
  }

  /// Caffe lists its means as blue, green, red; the file lists them as red, green, blue.
  @Test(arguments: [("[104, 117, 123]", true), ("[123, 117, 104]", false)]) func meansInTheOtherOrder(
    means: String, isDoubtful: Bool
  ) throws {
    try bench.write(
      """
      {"do_resize": true, "size": {"height": 8, "width": 9}, "do_rescale": true, "rescale_factor": 1.0, "do_normalize": true,
       "image_mean": \(means), "image_std": [1, 1, 1], "do_flip_channel_order": true}
      """, to: "preprocessor_config.json")
    let outcome = try bench.run("doctor", "bare.onnx")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("doubt:   the means are subtracted from red") == isDoubtful)
  }

  @Test func existingFilesAreNotChanged() throws {
    try bench.write("{}", to: "config.json")
    let outcome = try bench.run("doctor", "bare.onnx", "--write")
    #expect(outcome.status == 73)
    #expect(
      outcome.errors.contains(
        "config.json: the file exists with different content; it is not changed"))
    #expect(try String(contentsOfFile: bench.path("config.json"), encoding: .utf8) == "{}")
  }

  @Test func networksThatTakeNoImages() throws {
    var builder = GraphBuilder(item: [6, 5, 5])
    builder.add("mean", .mean(axes: [2, 3], keepsAxes: false))
    _ = try ONNXWriter().write(builder.network(), to: bench.path("six.onnx"))
    #expect(try bench.run("doctor", "six.onnx").output.contains("images:  none: an image has 1, 3 or 4 channels"))
    try RGBImage(width: 5, height: 5, pixels: [UInt8](repeating: 9, count: 75)).writePNG(to: bench.path("a.png"))
    let outcome = try bench.run("predict", "six.onnx", "a.png")
    #expect(
      outcome.status == 65 && outcome.errors.contains("a.png: the network takes 6 channels; expected a tensor (.npy)"))
  }
}
