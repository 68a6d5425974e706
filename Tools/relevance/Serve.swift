import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Starts the explorer. It is a separate program, so that neither the package nor the tools depend on an HTTP server.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves an interactive page that explains predictions.",
    discussion: """
      Starts relevance-explorer with the same arguments. Tools/explore builds it, and Tools/install --explorer \
      installs it. It serves this machine only. relevance-explorer --help lists its options.

      Examples:
        relevance serve squeezenet1.1 --images photos/ --open
        relevance serve model.onnx vgg16.onnx --images photo.jpg --index concept-index
      """)

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("Networks and options for relevance-explorer.", valueName: "argument"))
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
      "relevance-explorer is not installed; expected it beside relevance or on the PATH; run Tools/install --explorer to "
        + "install it, or Tools/explore to build and open it"
    case .doesNotStart(let path, let reason): "\(path) cannot be started: \(reason)"
    }
  }
}
