// swift-tools-version: 6.0
import PackageDescription

// Another package of the same build, whose targets have common names. Target names must be unique among all packages of a build.
let names = [
  "Support", "Tensors", "Networks", "ONNXFormat", "Execution", "Propagation", "Explanations", "Imaging", "Figures",
  "Evaluation", "ToolSupport", "TestSupport",
]

let package = Package(
  name: "Neighbor",
  products: [.library(name: "Neighbor", targets: names)],
  targets: names.map { .target(name: $0, path: "Sources/\($0)") }
)
