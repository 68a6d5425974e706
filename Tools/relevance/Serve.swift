import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Starts the explorer, which is a program of its own: whoever depends on the package or installs the tools needs no HTTP server for it.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Opens a page on which one asks a network why it sees what it sees, by clicking.",
    discussion: """
      Starts relevance-explorer, which Tools/explore builds and Tools/install --explorer installs; all arguments are handed to it. It \
      serves this machine only. relevance-explorer --help lists its options.

      Examples:
        relevance serve squeezenet1.1 --images photos/ --open
        relevance serve model.onnx vgg16.onnx --images photo.jpg --index concept-index
      """)

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("Networks and options of relevance-explorer.", valueName: "argument"))
  var arguments: [String] = []

  private static let program = "relevance-explorer"

  func run() throws {
    if arguments == ["--help"] || arguments == ["-h"] { throw CleanExit.helpRequest(Self.self) }
    guard let path = Self.place else { throw ServeError.notInstalled }
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    try Console.flush()
    execv(path, &words)
    throw ServeError.doesNotStart(path, reason: String(cString: strerror(errno)))
  }

  /// Beside this program, or on the PATH.
  private static var place: String? {
    let own = Bundle.main.executablePath.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return ([own].compactMap { $0 } + path).map { "\($0)/\(program)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// The explorer cannot be started.
private enum ServeError: RelevanceKitError {
  case notInstalled
  case doesNotStart(String, reason: String)

  var category: ErrorCategory { .missingInput }

  var description: String {
    switch self {
    case .notInstalled:
      "relevance-explorer is not installed; expected it beside relevance or on the PATH: Tools/install --explorer installs it, Tools/explore "
        + "builds and opens it"
    case .doesNotStart(let path, let reason): "\(path) cannot be started: \(reason)"
    }
  }
}
