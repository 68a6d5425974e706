import Foundation
import RelevanceKit

extension Explorer {
  /// The page that `relevance explain --save html` writes for a request. It needs no other files.
  ///
  /// - Parameter tool: the path of the program `relevance`.
  /// - Throws: `ServiceError` with the program's message if it fails.
  public func page(_ question: Question, tool: String) throws -> Data {
    let entry = try models.entry(question.model)
    let folder = try Scratch.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (file, fit) = try writeImage(of: question, to: folder)
    // The values are parsed here first, because the program would read some of them as names of files.
    _ = try models.table(for: question, entry)
    let methods = try (question.methods.isEmpty ? [question.method ?? "lrp"] : question.methods).map {
      try MethodCatalog.standard.method(parsing: $0)
    }
    let target = try question.explained(labels: entry.model.labels)
    var arguments = [
      "explain", entry.path, file, "--fit=\(fit)", "--output=\(folder.appendingPathComponent("out").path)",
      "--save=html", "--quiet",
    ]
    arguments.append("--target=\(try resolved(target, for: question))")
    arguments += methods.map { "--method=\($0)" }
    arguments += try question.conditions().map { "--through=\($0)" }
    if !question.exclusive { arguments.append("--no-exclusive") }
    if let rules = question.rules {
      let table = folder.appendingPathComponent("rules.yaml")
      try Data(rules.utf8).write(to: table)
      arguments.append("--rules=\(table.path)")
    } else if let table = question.table {
      arguments.append("--rules=\(table)")
    }
    try Program.run(tool, arguments)
    let page = folder.appendingPathComponent("out/image/explanation.html")
    guard let data = FileManager.default.contents(atPath: page.path) else {
      throw ServiceError(.broken, "\(tool) wrote no page")
    }
    return data
  }

  /// Writes the file of the image or, if it is painted over, the network's input.
  private func writeImage(of question: Question, to folder: URL) throws -> (path: String, fit: String) {
    if let edits = question.edits, !edits.strokes.isEmpty {
      let path = folder.appendingPathComponent("image.png").path
      try inputImage(of: question).writePNG(to: path)
      return (path, Question.Fit.native.rawValue)
    }
    let source = try images.source(imageID(of: question))
    let isPNG = source.data.starts(with: [0x89, 0x50])
    let file = folder.appendingPathComponent(isPNG ? "image.png" : "image.jpg")
    try source.data.write(to: file)
    return (file.path, question.fit.rawValue)
  }

  /// The target with a rank: for the program, `top:3` means three targets.
  private func resolved(_ target: Target, for question: Question) throws -> Target {
    guard case .top = target else { return target }
    return try with(question) { run, _ in try run.trace.explain(target, by: .lrp, ledger: false).target }
  }
}
