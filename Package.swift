// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "RelevanceKit",
  platforms: [.macOS(.v15)],
  products: [
    // The modules that `import RelevanceKit` brings are named too: `diagnose-api-breaking-changes` looks at no others.
    .library(
      name: "RelevanceKit",
      targets: [
        "RelevanceKit", "Evaluation", "Explanations", "Execution", "Figures", "Imaging", "Networks", "ONNXFormat",
        "Propagation", "Tensors",
      ]),
    .executable(name: "relevance", targets: ["relevance"]),
    .executable(name: "convert-model", targets: ["convert-model"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CLAPACKE", pkgConfig: "lapacke", providers: [.apt(["liblapacke-dev"])]),
    .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

    .target(name: "COnnx", dependencies: ["CProtobufC"], exclude: ["onnx.proto"]),
    .target(name: "CKernels"),
    .target(name: "CRelevance", dependencies: ["CKernels"], cSettings: [.headerSearchPath("../CKernels")]),
    .target(name: "CImaging", dependencies: ["CJPEG", "CPNG"]),

    .target(name: "Tensors", dependencies: ["COpenBLAS", "CLAPACKE"]),
    .target(name: "Networks", dependencies: ["Tensors"]),
    .target(name: "ONNXFormat", dependencies: ["Networks", "COnnx"]),
    .target(name: "Execution", dependencies: ["Networks", "CKernels"]),
    .target(name: "Propagation", dependencies: ["Execution", "CRelevance", .product(name: "Yams", package: "Yams")]),
    .target(name: "Explanations", dependencies: ["Propagation"]),
    .target(name: "Imaging", dependencies: ["Tensors", "CImaging"]),
    .target(name: "Figures", dependencies: ["Imaging"]),
    .target(name: "Evaluation", dependencies: ["Explanations", "Figures"]),
    .target(
      name: "RelevanceKit",
      dependencies: [
        "Tensors", "Networks", "ONNXFormat", "Execution", "Propagation", "Explanations", "Imaging", "Figures",
        "Evaluation",
      ]),

    .target(
      name: "ToolSupport",
      dependencies: ["RelevanceKit", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Tools/support"),
    .executableTarget(name: "relevance", dependencies: ["ToolSupport"], path: "Tools/relevance"),
    .executableTarget(name: "convert-model", dependencies: ["ToolSupport"], path: "Tools/convert-model"),

    .target(name: "TestSupport", dependencies: ["RelevanceKit"], path: "Tests/TestSupport"),
    .testTarget(name: "CKernelsTests", dependencies: ["TestSupport", "CKernels", "CRelevance"]),
    .testTarget(name: "TensorsTests", dependencies: ["TestSupport"]),
    .testTarget(name: "NetworksTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ONNXFormatTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ExecutionTests", dependencies: ["TestSupport"]),
    .testTarget(name: "PropagationTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ExplanationsTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ImagingTests", dependencies: ["TestSupport"]),
    .testTarget(name: "FiguresTests", dependencies: ["TestSupport"]),
    .testTarget(name: "EvaluationTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ToolTests", dependencies: ["TestSupport", "relevance", "convert-model"]),
    .testTarget(name: "DocumentationTests", dependencies: ["TestSupport", "relevance", "convert-model"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
