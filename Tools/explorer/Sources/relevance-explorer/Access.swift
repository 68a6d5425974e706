import Foundation
import HTTPTypes
import Hummingbird
import Synchronization

/// Decides which requests are admitted.
///
/// A page of another site can make a browser send requests to this service, also under another host name that resolves
/// to this machine (DNS rebinding). Therefore the token is in a cookie that pages of other sites cannot send, and
/// `Host`, `Origin` and `Sec-Fetch-Site` must match this service.
final class Access: Sendable {
  let token: String?
  /// The names that `Host` may have.
  private let hosts: Set<String>
  /// Whether `Host` may be any numeric address, because the service listens on all addresses.
  private let takesAddresses: Bool
  /// The port on which the service listens; 0 before it listens.
  let port = Atomic(0)

  init(host: String, token: String?, allowed: [String]) {
    self.token = token
    takesAddresses = host == "0.0.0.0" || host == "::"
    hosts = Set((["127.0.0.1", "localhost", "::1", host] + allowed).map { $0.lowercased() })
  }

  var cookieName: String { "relevance-explorer-\(port.load(ordering: .acquiring))" }

  static func isLoopback(_ host: String) -> Bool {
    ["localhost", "::1"].contains(host.lowercased()) || host.hasPrefix("127.") && isAddress(host)
  }

  static func randomToken() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in
      let text = String(generator.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
  }

  private static func isAddress(_ host: String) -> Bool {
    var four = in_addr()
    var six = in6_addr()
    return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
  }

  /// The reason to refuse a request before its body is read, or nil.
  func objection(to request: Request) -> (status: HTTPResponse.Status, message: String)? {
    // With a second host, or a host in the target, it would be unclear which one counts.
    guard request.headers[.host] == nil, request.head.path?.hasPrefix("/") == true else {
      return (
        .badRequest, "the request has several hosts or an absolute URL as target; expected a path and one Host"
      )
    }
    guard let authority = request.head.authority, isOurs(authority) else {
      return (
        .init(code: 421, reasonPhrase: "Misdirected Request"),
        "the request is for \(Self.printable(request.head.authority ?? "no host")); expected one of this service's names"
      )
    }
    if let origin = request.headers[.origin] {
      guard origin.lowercased().hasPrefix("http://"), isOurs(String(origin.dropFirst(7))) else {
        return (
          .forbidden, "the request comes from a page of \(Self.printable(origin)); expected a page of this service"
        )
      }
    }
    if let site = request.headers[.secFetchSite], !["same-origin", "none"].contains(site) {
      // A page of another site may only link to the explorer's page.
      let isVisit = request.method == .get && request.headers[.secFetchMode] == "navigate" && request.uri.path == "/"
      guard isVisit else { return (.forbidden, "the request comes from a page of another site") }
    }
    return nil
  }

  /// Whether a request has the token.
  func admits(_ request: Request) -> Bool {
    guard let token else { return true }
    if let bearer = request.headers[.authorization], bearer.hasPrefix("Bearer ") {
      return Self.areEqual(String(bearer.dropFirst(7)), token)
    }
    return request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.contains { pair in
      let parts = pair.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      return parts.count == 2 && parts[0] == cookieName && Self.areEqual(parts[1], token)
    }
  }

  /// Whether the query contains the token, which a cookie then replaces.
  func hasToken(_ request: Request) -> Bool {
    guard let token, let given = request.uri.queryParameters["token"] else { return false }
    return Self.areEqual(String(given), token)
  }

  private func isOurs(_ authority: String) -> Bool {
    var (name, port) = (authority.lowercased(), "80")
    if name.hasPrefix("["), let end = name.firstIndex(of: "]") {
      let rest = name[name.index(after: end)...]
      if rest.hasPrefix(":") { port = String(rest.dropFirst()) } else if !rest.isEmpty { return false }
      name = String(name[name.index(after: name.startIndex)..<end])
    } else if let colon = name.lastIndex(of: ":") {
      port = String(name[name.index(after: colon)...])
      name = String(name[..<colon])
    }
    return port == "\(self.port.load(ordering: .acquiring))"
      && (hosts.contains(name) || takesAddresses && Self.isAddress(name))
  }

  /// Whether two texts are equal, compared in constant time.
  private static func areEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func printable(_ text: String) -> String {
    String(text.prefix(80).map { $0.isASCII && !$0.isWhitespace && $0 >= " " ? $0 : "?" })
  }
}

extension HTTPField.Name {
  static let host = HTTPField.Name("Host")!
  static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
  static let secFetchMode = HTTPField.Name("Sec-Fetch-Mode")!
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
  static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
}
