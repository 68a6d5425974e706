// swift-tools-version: 6.0
import PackageDescription

// A package like those of RelevanceKit's users, with a custom rule and a custom method, and a service for many callers.
// Tools/test-dependency also builds it with the usual kind of dependency, `.package(url: …, from: …)`.
let package = Package(
  name: "dependent",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "RelevanceKit", path: "../.."),
    .package(name: "Neighbor", path: "Neighbor"),
  ],
  targets: [
    .executableTarget(
      name: "Dependent",
      dependencies: [
        .product(name: "RelevanceKit", package: "RelevanceKit"), .product(name: "Neighbor", package: "Neighbor"),
      ]),
    .executableTarget(name: "Service", dependencies: [.product(name: "RelevanceKit", package: "RelevanceKit")]),
    // The article "Use it in a Swift service" shows this program.
    .executableTarget(name: "Tutorial", dependencies: [.product(name: "RelevanceKit", package: "RelevanceKit")]),
  ]
)
