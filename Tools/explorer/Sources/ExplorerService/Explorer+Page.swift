import Foundation
import RelevanceKit

extension Explorer {
  /// The page that `relevance explain --save html` writes for a question: it needs no other file.
  ///
  /// - Parameter tool: the program `relevance`.
  /// - Throws: `ServiceError` with what the program says if it fails.
  public func page(_ question: Question, tool: String) throws -> Data {
    let entry = try models.entry(question.model)
    let folder = try Self.scratchFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (file, fit) = try writeImage(of: question, to: folder)
    var arguments = [
      "explain", entry.path, file, "--fit", fit, "--output", folder.appendingPathComponent("out").path, "--save",
      "html",
      "--quiet",
    ]
    if let target = question.target { arguments += ["--target", target] }
    for method in question.methods.isEmpty ? [question.method ?? "lrp"] : question.methods {
      arguments += ["--method", method]
    }
    for condition in question.through { arguments += ["--through", condition] }
    if !question.exclusive { arguments.append("--no-exclusive") }
    if let rules = question.rules {
      let table = folder.appendingPathComponent("rules.yaml")
      try Data(rules.utf8).write(to: table)
      arguments += ["--rules", table.path]
    } else if let table = question.table {
      arguments += ["--rules", table]
    }
    try Self.run(tool, arguments)
    let page = folder.appendingPathComponent("out/image/explanation.html")
    guard let data = FileManager.default.contents(atPath: page.path) else {
      throw ServiceError(.broken, "\(tool) wrote no page")
    }
    return data
  }

  /// The image's own file, or, painted over, what the network sees of it.
  private func writeImage(of question: Question, to folder: URL) throws -> (path: String, fit: String) {
    if let edits = question.edits, !edits.strokes.isEmpty {
      let path = folder.appendingPathComponent("image.png").path
      try picture(of: question).writePNG(to: path)
      return (path, Question.Fit.native.rawValue)
    }
    let source = try images.source(image(of: question))
    let isPNG = source.data.starts(with: [0x89, 0x50])
    let file = folder.appendingPathComponent(isPNG ? "image.png" : "image.jpg")
    try source.data.write(to: file)
    return (file.path, question.fit.rawValue)
  }

  private static func run(_ tool: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let pipe = Pipe()
    (process.standardInput, process.standardOutput, process.standardError) = (
      FileHandle.nullDevice, FileHandle.nullDevice, pipe
    )
    try process.run()
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ServiceError(.unanswerable, said.split(separator: "\n").last.map(String.init) ?? "\(tool) failed")
    }
  }
}
