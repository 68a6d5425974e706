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
        "RelevanceKit", "RelevanceEvaluation", "RelevanceExplanations", "RelevanceExecution", "RelevanceFigures",
        "RelevanceImaging", "RelevanceNetworks", "RelevanceONNXFormat",
        "RelevancePropagation", "RelevanceSupport", "RelevanceTensors",
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
    .systemLibrary(
      name: "CRelevanceOpenBLAS", path: "Sources/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CRelevanceLAPACKE", path: "Sources/CLAPACKE", pkgConfig: "lapacke",
      providers: [.apt(["liblapacke-dev"]), .brew(["lapack"])]),
    .systemLibrary(
      name: "CRelevanceProtobufC", path: "Sources/CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]),
    .systemLibrary(
      name: "CRelevanceJPEG", path: "Sources/CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CRelevancePNG", path: "Sources/CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),

    .target(
      name: "CRelevanceONNX", dependencies: ["CRelevanceProtobufC"], path: "Sources/COnnx", exclude: ["onnx.proto"]),
    .target(name: "CRelevanceKernels", path: "Sources/CKernels"),
    .target(name: "CRelevancePlatform", path: "Sources/CPlatform"),
    .target(name: "CRelevanceToolStart", path: "Sources/CToolStart"),
    .target(
      name: "CRelevancePropagation", dependencies: ["CRelevanceKernels"], path: "Sources/CRelevance",
      cSettings: [.headerSearchPath("../CKernels")]),
    .target(name: "CRelevanceImaging", dependencies: ["CRelevanceJPEG", "CRelevancePNG"], path: "Sources/CImaging"),

    .target(
      name: "RelevanceSupport",
      dependencies: [
        "CRelevancePlatform",
        // Apple's systems have it as System.
        .product(name: "SystemPackage", package: "swift-system", condition: .when(platforms: [.linux, .android])),
      ], path: "Sources/Support"),
    .target(
      name: "RelevanceTensors", dependencies: ["RelevanceSupport", "CRelevanceLAPACKE", "CRelevanceOpenBLAS"],
      path: "Sources/Tensors"),
    .target(
      name: "RelevanceNetworks", dependencies: ["RelevanceSupport", "RelevanceTensors"], path: "Sources/Networks"),
    .target(
      name: "RelevanceONNXFormat",
      dependencies: [
        "CRelevancePlatform", "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "RelevanceExecution",
        "CRelevanceONNX",
      ], path: "Sources/ONNXFormat"),
    .target(
      name: "RelevanceExecution",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "CRelevanceKernels", "CRelevancePlatform",
      ], path: "Sources/Execution"),
    .target(
      name: "RelevancePropagation",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "RelevanceExecution", "CRelevancePropagation",
        .product(name: "Yams", package: "Yams"),
      ], path: "Sources/Propagation"),
    .target(
      name: "RelevanceExplanations",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "RelevanceExecution", "RelevancePropagation",
        "RelevanceImaging",
      ], path: "Sources/Explanations"),
    .target(
      name: "RelevanceImaging", dependencies: ["RelevanceSupport", "RelevanceTensors", "CRelevanceImaging"],
      path: "Sources/Imaging"),
    .target(name: "RelevanceFigures", dependencies: ["RelevanceSupport", "RelevanceImaging"], path: "Sources/Figures"),
    .target(
      name: "RelevanceEvaluation",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "RelevanceExecution", "RelevancePropagation",
        "RelevanceExplanations", "RelevanceImaging", "RelevanceFigures",
      ], path: "Sources/Evaluation"),
    .target(
      name: "RelevanceKit",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "RelevanceONNXFormat", "RelevanceExecution",
        "RelevancePropagation", "RelevanceExplanations", "RelevanceImaging",
        "RelevanceFigures", "RelevanceEvaluation",
      ]),

    .target(
      name: "RelevanceToolSupport",
      dependencies: [
        "CRelevancePlatform", "CRelevanceToolStart", "RelevanceKit",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/support"),
    .executableTarget(
      name: "relevance",
      dependencies: [
        "RelevanceKit", "RelevanceToolSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/relevance"),
    .executableTarget(
      name: "convert-model",
      dependencies: [
        "RelevanceKit", "RelevanceToolSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/convert-model"),

    // Used by the tests alone, which read compressed fixtures.
    .systemLibrary(
      name: "CRelevanceZlib", path: "Tests/CRelevanceZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "RelevanceTestSupport", dependencies: ["RelevanceKit", "CRelevanceZlib"], path: "Tests/TestSupport"),
    .testTarget(
      name: "CKernelsTests", dependencies: ["RelevanceTestSupport", "CRelevanceKernels", "CRelevancePropagation"]),
    .testTarget(name: "SupportTests", dependencies: ["RelevanceSupport", "RelevanceTestSupport"]),
    .testTarget(
      name: "TensorsTests",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceKit", "RelevanceTestSupport", "CRelevanceOpenBLAS",
      ]),
    .testTarget(name: "NetworksTests", dependencies: ["RelevanceKit", "RelevanceTestSupport"]),
    .testTarget(
      name: "ONNXFormatTests",
      dependencies: [
        "RelevanceSupport", "RelevanceTensors", "RelevanceNetworks", "RelevanceONNXFormat", "RelevanceExecution",
        "RelevanceKit", "RelevanceTestSupport",
      ]),
    .testTarget(name: "ExecutionTests", dependencies: ["RelevanceExecution", "RelevanceKit", "RelevanceTestSupport"]),
    .testTarget(
      name: "PropagationTests", dependencies: ["RelevanceExecution", "RelevanceKit", "RelevanceTestSupport"]),
    .testTarget(
      name: "ExplanationsTests",
      dependencies: [
        "RelevanceKit", "RelevanceTestSupport", .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .testTarget(
      name: "ImagingTests",
      dependencies: ["RelevanceSupport", "RelevanceTensors", "RelevanceImaging", "RelevanceTestSupport"]),
    .testTarget(
      name: "FiguresTests",
      dependencies: ["RelevanceTensors", "RelevanceImaging", "RelevanceFigures", "RelevanceTestSupport"]),
    .testTarget(name: "EvaluationTests", dependencies: ["RelevanceKit", "RelevanceTestSupport"]),
    .testTarget(
      name: "ToolTests", dependencies: ["RelevanceKit", "RelevanceTestSupport", "convert-model", "relevance"]),
    .testTarget(
      name: "DocumentationTests", dependencies: ["RelevanceKit", "RelevanceTestSupport", "convert-model", "relevance"],
      // Examples are compiled as users of the package compile them.
      packageAccess: false),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
