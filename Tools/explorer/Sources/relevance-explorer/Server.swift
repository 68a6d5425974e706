import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// The service could not begin.
struct ServerError: Error, CustomStringConvertible { let description: String }

/// The service at a port of this machine.
struct Server {
  let explorer: Explorer
  let host: String
  let port: Int
  let token: String?
  let allowedHosts: [String]
  /// The program `relevance`; nil if it is not there.
  let tool: String?

  /// Connections that are open at a time; others wait.
  private static let connections = 256
  /// How long a connection may be silent, a header incomplete or a body on its way.
  static let patience = 15

  init(_ explorer: Explorer, host: String, port: Int, token: String?, allowedHosts: [String], tool: String?) {
    (self.explorer, self.host, self.port, self.token) = (explorer, host, port, token)
    (self.allowedHosts, self.tool) = (allowedHosts, tool)
  }

  /// Serves until the process ends.
  ///
  /// - Parameter begun: is told the port.
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
          "\(host):\(port): cannot be listened at: \(String(cString: strerror(error.errnoCode))); --port 0 takes a free port"
      )
    } catch { throw ServerError(description: "\(host):\(port): cannot be listened at: \(error)") }
  }
}
