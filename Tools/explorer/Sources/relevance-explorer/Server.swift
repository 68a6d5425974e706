import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// The reason why the service could not start.
struct ServerError: Error, CustomStringConvertible { let description: String }

/// The HTTP server.
struct Server {
  let explorer: Explorer
  let host: String
  let port: Int
  let token: String?
  let allowedHosts: [String]
  /// The path of the program `relevance`, or nil if it is not installed.
  let tool: String?

  /// The largest number of open connections; further ones wait.
  private static let connections = 256
  /// The time in seconds after which an idle connection is closed.
  static let patience = 15

  init(_ explorer: Explorer, host: String, port: Int, token: String?, allowedHosts: [String], tool: String?) {
    (self.explorer, self.host, self.port, self.token) = (explorer, host, port, token)
    (self.allowedHosts, self.tool) = (allowedHosts, tool)
  }

  /// Serves until the process ends.
  ///
  /// - Parameter begun: receives the port when the service listens.
  func run(_ begun: @escaping @Sendable (Int) -> Void) async throws {
    let access = Access(host: host, token: token, allowed: allowedHosts)
    let router = Router(context: Context.self)
    router.addMiddleware { Guard(access: access) }
    addPage(to: router)
    addQuestions(to: router)
    addWork(to: router)
    var logger = Logger(label: "relevance-explorer")
    logger.logLevel = .critical
    let application = Application(
      router: router,
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [HangUps.Handler()], idleTimeout: .seconds(Int64(Self.patience)),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(host, port: port),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.connections)),
      onServerRunning: { channel in
        access.port.store(channel.localAddress?.port ?? 0, ordering: .releasing)
        begun(access.port.load(ordering: .acquiring))
      }, logger: logger)
    do { try await application.run() } catch let error as IOError {
      throw ServerError(
        description:
          "cannot listen on \(host):\(port): \(String(cString: strerror(error.errnoCode))); use --port 0 for a free port"
      )
    } catch { throw ServerError(description: "cannot listen on \(host):\(port): \(error)") }
  }
}
