import Foundation
import HTTPTypes
import Hummingbird

/// A file of the page. The files are embedded in the program.
struct Asset: Sendable {
  let path: String
  let type: String
  let bytes: [UInt8]

  var response: Response {
    Response(
      status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  static let all = [
    Asset(path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.index_html),
    Asset(path: "/explorer.css", type: "text/css; charset=utf-8", bytes: PackageResources.explorer_css),
    script("explorer", PackageResources.explorer_js), script("state", PackageResources.state_js),
    script("service", PackageResources.service_js), script("maps", PackageResources.maps_js),
    script("images", PackageResources.images_js), script("layers", PackageResources.layers_js),
    script("rules", PackageResources.rules_js), script("exports", PackageResources.exports_js),
    script("page", PackageResources.page_js), script("work", PackageResources.work_js),
    Asset(path: "/api/openapi.json", type: "application/json", bytes: PackageResources.openapi_json),
  ]

  private static func script(_ name: String, _ bytes: [UInt8]) -> Asset {
    Asset(path: "/\(name).js", type: "text/javascript; charset=utf-8", bytes: bytes)
  }
}
