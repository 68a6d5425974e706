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
        "Propagation", "Support", "Tensors",
      ]),
    .executable(name: "relevance", targets: ["relevance"]),
    .executable(name: "convert-model", targets: ["convert-model"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.4.0"),
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
    .target(name: "CPlatform"),
    .target(name: "CToolStart"),
    .target(name: "CRelevance", dependencies: ["CKernels"], cSettings: [.headerSearchPath("../CKernels")]),
    .target(name: "CImaging", dependencies: ["CJPEG", "CPNG"]),

    .target(
      name: "Support",
      dependencies: [
        "CPlatform",
        // Apple's systems have it as System.
        .product(name: "SystemPackage", package: "swift-system", condition: .when(platforms: [.linux, .android])),
      ]),
    .target(name: "Tensors", dependencies: ["Support", "CLAPACKE", "COpenBLAS"]),
    .target(name: "Networks", dependencies: ["Support", "Tensors"]),
    .target(
      name: "ONNXFormat", dependencies: ["CPlatform", "Support", "Tensors", "Networks", "Execution", "COnnx"]),
    .target(name: "Execution", dependencies: ["Support", "Tensors", "Networks", "CKernels", "CPlatform"]),
    .target(
      name: "Propagation",
      dependencies: [
        "Support", "Tensors", "Networks", "Execution", "CRelevance", .product(name: "Yams", package: "Yams"),
      ]),
    .target(
      name: "Explanations",
      dependencies: ["Support", "Tensors", "Networks", "Execution", "Propagation", "Imaging"]),
    .target(name: "Imaging", dependencies: ["Support", "Tensors", "CImaging"]),
    .target(name: "Figures", dependencies: ["Support", "Imaging"]),
    .target(
      name: "Evaluation",
      dependencies: [
        "Support", "Tensors", "Networks", "Execution", "Propagation", "Explanations", "Imaging", "Figures",
      ]),
    .target(
      name: "RelevanceKit",
      dependencies: [
        "Support", "Tensors", "Networks", "ONNXFormat", "Execution", "Propagation", "Explanations", "Imaging",
        "Figures", "Evaluation",
      ]),

    .target(
      name: "ToolSupport",
      dependencies: [
        "CPlatform", "CToolStart", "RelevanceKit",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/support"),
    .executableTarget(
      name: "relevance",
      dependencies: [
        "RelevanceKit", "ToolSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/relevance"),
    .executableTarget(
      name: "convert-model",
      dependencies: [
        "RelevanceKit", "ToolSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/convert-model"),

    .target(name: "TestSupport", dependencies: ["RelevanceKit"], path: "Tests/TestSupport"),
    .testTarget(name: "CKernelsTests", dependencies: ["TestSupport", "CKernels", "CRelevance"]),
    .testTarget(name: "SupportTests", dependencies: ["Support", "TestSupport"]),
    .testTarget(
      name: "TensorsTests", dependencies: ["Support", "Tensors", "RelevanceKit", "TestSupport", "COpenBLAS"]),
    .testTarget(name: "NetworksTests", dependencies: ["RelevanceKit", "TestSupport"]),
    .testTarget(
      name: "ONNXFormatTests",
      dependencies: ["Support", "Tensors", "Networks", "ONNXFormat", "Execution", "RelevanceKit", "TestSupport"]),
    .testTarget(name: "ExecutionTests", dependencies: ["Execution", "RelevanceKit", "TestSupport"]),
    .testTarget(name: "PropagationTests", dependencies: ["Execution", "RelevanceKit", "TestSupport"]),
    .testTarget(
      name: "ExplanationsTests",
      dependencies: [
        "RelevanceKit", "TestSupport", .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .testTarget(name: "ImagingTests", dependencies: ["Support", "Tensors", "Imaging", "TestSupport"]),
    .testTarget(name: "FiguresTests", dependencies: ["Tensors", "Imaging", "Figures", "TestSupport"]),
    .testTarget(name: "EvaluationTests", dependencies: ["RelevanceKit", "TestSupport"]),
    .testTarget(name: "ToolTests", dependencies: ["RelevanceKit", "TestSupport", "convert-model", "relevance"]),
    .testTarget(
      name: "DocumentationTests", dependencies: ["RelevanceKit", "TestSupport", "convert-model", "relevance"],
      // Examples are compiled as users of the package compile them.
      packageAccess: false),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
