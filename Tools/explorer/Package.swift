// swift-tools-version: 6.0
import PackageDescription

// A separate package, so that packages that depend on RelevanceKit neither download nor build an HTTP server.
let package = Package(
  name: "relevance-explorer",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "relevance-explorer", targets: ["relevance-explorer"])],
  dependencies: [
    .package(name: "RelevanceKit", path: "../.."),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.20.0"),
  ],
  targets: [
    // Requests about images and their answers, independent of HTTP.
    .target(
      name: "ExplorerService", dependencies: [.product(name: "RelevanceKit", package: "RelevanceKit")]),
    .executableTarget(
      name: "relevance-explorer",
      dependencies: [
        "ExplorerService",
        .product(name: "RelevanceKit", package: "RelevanceKit"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      ],
      // The page is embedded in the program, which is one file.
      resources: [.embedInCode("Web")]),
    .testTarget(name: "ExplorerServiceTests", dependencies: ["ExplorerService"]),
  ],
  swiftLanguageModes: [.v6]
)
