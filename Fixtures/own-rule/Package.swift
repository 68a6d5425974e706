// swift-tools-version: 6.0
import PackageDescription

// A package as a user of RelevanceKit has it, with a rule of its own.
let package = Package(
  name: "own-rule",
  dependencies: [.package(name: "RelevanceKit", path: "../..")],
  targets: [
    .executableTarget(
      name: "OwnRule", dependencies: [.product(name: "RelevanceKit", package: "RelevanceKit")])
  ]
)
