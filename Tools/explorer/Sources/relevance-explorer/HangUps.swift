import NIOCore
import NIOHTTPTypes
import Synchronization

/// Detects closed connections and cancels their computations.
///
/// Hummingbird's `consumeWithCancellationOnInboundClose` closes the connection together with the computation, sometimes
/// before the response is written.
enum HangUps {
  private struct Connection {
    var isGone = false
    var next = 0
    var actions: [Int: @Sendable () -> Void] = [:]
  }

  private static let connections = Mutex<[ObjectIdentifier: Connection]>([:])

  /// The result of a computation, which is canceled if the client closes the connection.
  static func cancelable<Result: Sendable>(
    on channel: any Channel, _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let id = ObjectIdentifier(channel)
    let task = Task { try await work() }
    let number: Int? = connections.withLock { connections in
      guard let connection = connections[id], !connection.isGone else { return nil }
      connections[id]!.next += 1
      connections[id]!.actions[connection.next] = { task.cancel() }
      return connection.next
    }
    guard let number else {
      task.cancel()
      throw CancellationError()
    }
    defer { connections.withLock { _ = $0[id]?.actions.removeValue(forKey: number) } }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  fileprivate static func begin(_ channel: any Channel) {
    connections.withLock { $0[ObjectIdentifier(channel)] = Connection() }
  }

  fileprivate static func hangUp(_ channel: any Channel) {
    let actions = connections.withLock { connections in
      connections[ObjectIdentifier(channel)]?.isGone = true
      return connections[ObjectIdentifier(channel)]?.actions.values.map { $0 } ?? []
    }
    for action in actions { action() }
  }

  fileprivate static func end(_ channel: any Channel) {
    hangUp(channel)
    connections.withLock { $0[ObjectIdentifier(channel)] = nil }
  }

  /// Observes a connection.
  final class Handler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    func handlerAdded(context: ChannelHandlerContext) { HangUps.begin(context.channel) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case ChannelEvent.inputClosed? = event as? ChannelEvent { HangUps.hangUp(context.channel) }
      context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
      HangUps.end(context.channel)
      context.fireChannelInactive()
    }
  }
}
