import ArgumentParser
import Dispatch
import ExplorerService
import Foundation
import RelevanceKit

@main
struct RelevanceExplorer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relevance-explorer",
    abstract: "Serves an interactive page that explains predictions.",
    discussion: """
      By default, the page is available on this machine only. It loads nothing from other hosts. The printed address \
      contains a token; anyone with the token can use the page. Programs can use the same service: \
      GET /api/openapi.json describes it, and requests need the header "Authorization: Bearer TOKEN".

      Examples:
        relevance-explorer squeezenet1.1 --images photos/ --open
        relevance-explorer model.onnx vgg16.onnx --images photo.jpg --index concept-index
      """,
    version: RelevanceKitPackage.version)

  @Argument(
    help: ArgumentHelp(
      "Models: .onnx files, folders with model.onnx, or names of fetched models. (default: all fetched models)",
      valueName: "model"), completion: .file(extensions: ["onnx"]))
  var models: [String] = []

  @Option(
    help: ArgumentHelp(
      "An image (JPEG or PNG), or a folder of images. Repeatable. Clients cannot read other files.",
      valueName: "dir"), completion: .directory)
  var images: [String] = []

  @Option(
    help: ArgumentHelp(
      "A concept index from relevance concepts index. The page then shows example images for channels. Repeatable.",
      valueName: "dir"), completion: .directory)
  var index: [String] = []

  @Option(help: "The page's initial choice for fitting images to the network's input, as in relevance explain.")
  var fit = Question.Fit.crop

  @Option(help: ArgumentHelp("The port. 0 selects a free port.", valueName: "n"))
  var port = 0

  @Option(
    help: ArgumentHelp(
      "The address to listen on. Addresses other than this machine's loopback addresses require a token.",
      valueName: "address"))
  var host = "127.0.0.1"

  @Option(
    help: ArgumentHelp(
      "An additional host name or address by which browsers may reach the service. Repeatable.", valueName: "name")
  )
  var allowHost: [String] = []

  @Option(help: ArgumentHelp("The token: at least 16 letters and digits. (default: a random token)", valueName: "text"))
  var token: String?

  @Flag(help: "Admit all requests from this machine without a token.")
  var noToken = false

  @Flag(help: "Open the page in the browser.")
  var open = false

  @Option(help: ArgumentHelp("The number of threads. (default: one per processor)", valueName: "n"))
  var threads: Int?

  @Option(help: ArgumentHelp("Memory for cached runs of the network, in MB.", valueName: "mb"))
  var memory = 1024

  @Option(help: ArgumentHelp("The largest size of an uploaded image file, in MB.", valueName: "mb"))
  var uploadLimit = 32

  func validate() throws {
    if !(0...65535).contains(port) { throw ValidationError("--port is \(port); expected 0 to 65535") }
    if !(16...1_000_000).contains(memory) { throw ValidationError("--memory is \(memory); expected 16 to 1000000 MB") }
    if !(1...1024).contains(uploadLimit) {
      throw ValidationError("--upload-limit is \(uploadLimit); expected 1 to 1024 MB")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected a number from 1 to 1024")
    }
    if let token, token.count < 16 || !token.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) {
      throw ValidationError("--token is too short or has other characters; expected at least 16 letters and digits")
    }
    if noToken, token != nil { throw ValidationError("--token and --no-token exclude each other") }
    if noToken, !Access.isLoopback(host) {
      throw ValidationError("--no-token is for this machine only, but --host is \(host); expected 127.0.0.1 or ::1")
    }
  }

  func run() async throws {
    var options = Explorer.Options()
    options.models = models.isEmpty ? Model.fetchedNames : models
    guard !options.models.isEmpty else {
      throw ValidationError(
        "no model is given and none is fetched; pass a .onnx file, or run Tools/models/fetch squeezenet1.1")
    }
    (options.images, options.indexes, options.threads) = (images, index, threads)
    options.fit = fit
    (options.memory, options.bytesLimit) = (memory << 20, uploadLimit << 20)
    let explorer = try Explorer(options)
    let token = noToken ? nil : self.token ?? Access.randomToken()
    let server = Server(explorer, host: host, port: port, token: token, allowedHosts: allowHost, tool: Self.tool())
    let opens = open
    Ending.install()
    try await server.run { port in
      let name = host.contains(":") ? "[\(host)]" : host
      let shown = name == "0.0.0.0" ? "127.0.0.1" : name == "[::]" ? "[::1]" : name
      let address = "http://\(shown):\(port)/" + (token.map { "?token=\($0)" } ?? "")
      FileHandle.standardOutput.write(Data((address + "\n").utf8))
      FileHandle.standardError.write(Data("relevance-explorer: open the address above; Ctrl-C ends the server\n".utf8))
      if opens { Self.show(address) }
    }
  }

  /// The path of the program `relevance`, which writes pages: beside this program or on the PATH.
  private static func tool() -> String? {
    let own = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0]).deletingLastPathComponent()
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/relevance" }
    let given = ProcessInfo.processInfo.environment["RELEVANCE_TOOL"].map { [$0] } ?? []
    return (given + [own.appendingPathComponent("relevance").path] + path).first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  private static func show(_ address: String) {
    #if os(macOS)
      let name = "open"
    #else
      let name = "xdg-open"
    #endif
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name, address]
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try? process.run()
  }

  /// Prints every failure as one line on standard error and exits with a status for its kind.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
    } catch let error as any RelevanceKitError {
      let status: Int32 =
        switch error.category {
        case .usage: 64
        case .badData: 65
        case .missingInput: 66
        case .cannotWrite: 73
        }
      fail(error.description, status)
    } catch let error as ServiceError { fail(error.message, error.kind == .missing ? 66 : 65) } catch let error
      as ServerError
    { fail(error.description, 69) } catch {
      let code = exitCode(for: error)
      if code == .success { exit(withError: error) }
      fail(message(for: error), code == .failure ? 70 : code.rawValue)
    }
  }

  private static func fail(_ line: String, _ status: Int32) -> Never {
    let line = line.split(whereSeparator: \.isNewline).joined(separator: " ")
    FileHandle.standardError.write(Data("relevance-explorer: \(line)\n".utf8))
    Foundation.exit(status)
  }
}

extension Question.Fit: ExpressibleByArgument {}

/// Ends the process immediately on a signal. Nothing needs to be finished first.
enum Ending {
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  static func install() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        Scratch.end()
        _exit(0)
      }
      source.resume()
      sources.append(source)
    }
    signal(SIGPIPE, SIG_IGN)
  }
}
