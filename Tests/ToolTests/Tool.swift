import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The result of running a built command.
struct Outcome {
  let status: Int32
  let output: String
  let errors: String

  /// The lines on standard error.
  var errorLines: [String] {
    errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }
}

/// The built command, and a small model for it.
struct Workbench {
  let scratch: Fixtures.Scratch

  /// Creates a folder with `model/`, a convolution from 3×8×9 pixels to 288 classes, with preprocessing and labels;
  /// `bare.onnx`, the same network without them; `map.onnx`, the same network with 4 classes at 8×9 positions; and
  /// `input.npy`.
  init() throws {
    scratch = try Fixtures.Scratch()
    let files = FileManager.default
    try files.createDirectory(atPath: scratch.path("model"), withIntermediateDirectories: true)
    let operatorFolder = Fixtures.path("operators/conv-3x3")
    // Each of the convolution's outputs is a class.
    let map = try ONNXFile(contentsOf: operatorFolder + "/model.onnx").graph
    let flatten = Node(name: "classes", operation: .flatten(axis: 1), inputs: [map.output])
    let graph = try Graph(name: map.name, nodes: map.nodes + [flatten], output: Node.ID(map.nodes.count))
    for copy in ["model/model.onnx", "bare.onnx"] {
      _ = try ONNXWriter().write(NeuralNetwork(graph), to: scratch.path(copy))
    }
    try files.copyItem(atPath: operatorFolder + "/model.onnx", toPath: scratch.path("map.onnx"))
    try files.copyItem(atPath: operatorFolder + "/input.npy", toPath: scratch.path("input.npy"))
    try write(
      #"{"id2label": {"0": "tabby, tabby cat", "1": "dog", "2": "dog", "5": "coffee mug", "7": "coffeepot"}}"#,
      to: "model/config.json")
    try write(
      """
      {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.5, 0.5], "do_resize": false, "do_rescale": true,
      "do_center_crop": true, "crop_size": {"height": 8, "width": 9}}
      """, to: "model/preprocessor_config.json")
  }

  func path(_ name: String) -> String { scratch.path(name) }

  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }

  /// Runs the command in the folder.
  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try run(arguments, environment: environment)
  }

  /// Creates a folder with copies of `input.npy`.
  func fill(_ folder: String, _ names: [String]) throws {
    try FileManager.default.createDirectory(atPath: path(folder), withIntermediateDirectories: true)
    for name in names {
      try FileManager.default.copyItem(atPath: path("input.npy"), toPath: path("\(folder)/\(name).npy"))
    }
  }

  func run(
    _ arguments: [String], environment: [String: String] = [:], tool: String = "relevance", input: String = ""
  ) throws -> Outcome {
    try run(arguments, environment: environment, tool: tool, input: Data(input.utf8))
  }

  /// Runs a command in the folder.
  ///
  /// - Parameters:
  ///   - arguments: the arguments.
  ///   - environment: environment variables to add.
  ///   - tool: the name of the command.
  ///   - input: the content of standard input.
  ///   - output: a file for standard output, such as `/dev/full`.
  ///   - onTerminal: whether standard error is a terminal.
  func run(
    _ arguments: [String], environment: [String: String] = [:], tool: String = "relevance", input: Data,
    output outputPath: String? = nil, onTerminal: Bool = false
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = Self.executable(named: tool)
    process.arguments = arguments
    process.currentDirectoryURL = scratch.url
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Use files: pipes would have to be read while the process runs.
    let folder = try Fixtures.Scratch()
    func open(_ name: String) throws -> FileHandle {
      _ = FileManager.default.createFile(atPath: folder.path(name), contents: nil)
      return try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path(name)))
    }
    process.standardOutput = try open("output")
    if let outputPath { process.standardOutput = FileHandle(forWritingAtPath: outputPath) }
    process.standardError = try open("errors")
    var terminal: Int32 = -1
    if onTerminal {
      var other: Int32 = -1
      try #require(openpty(&terminal, &other, nil, nil, nil) == 0)
      _ = fcntl(terminal, F_SETFL, O_NONBLOCK)  // the command may print nothing
      process.standardError = FileHandle(fileDescriptor: other, closeOnDealloc: true)
    }
    defer { if terminal >= 0 { close(terminal) } }
    try input.write(to: URL(fileURLWithPath: folder.path("input")))
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.path("input")))
    try process.run()
    // A process that writes to a terminal blocks until its output is read.
    var seen: [UInt8] = []
    func readTerminal() {
      var bytes = [UInt8](repeating: 0, count: 4096)
      while terminal >= 0, case let count = read(terminal, &bytes, bytes.count), count > 0 {
        seen += bytes.prefix(count)
      }
    }
    while onTerminal && process.isRunning {
      readTerminal()
      usleep(10_000)
    }
    process.waitUntilExit()
    readTerminal()
    func text(_ name: String) throws -> String { try String(contentsOfFile: folder.path(name), encoding: .utf8) }
    let output = try text("output")
    var errors = try text("errors")
    if onTerminal { errors = String(decoding: seen, as: UTF8.self).replacing("\r\n", with: "\n") }
    try #require(process.terminationReason == .exit, "the command crashed: \(errors)")
    return Outcome(status: process.terminationStatus, output: output, errors: errors)
  }

  /// All files and folders below a folder, including hidden ones, sorted by path.
  func contents(of name: String) -> [String] {
    (FileManager.default.enumerator(atPath: path(name))?.allObjects as? [String] ?? []).sorted()
  }

  /// The built command.
  static func executable(named name: String) -> URL { BuiltTool.url(named: name) }
}
