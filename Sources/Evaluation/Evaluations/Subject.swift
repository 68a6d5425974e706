import RelevanceExplanations
import Foundation
import RelevanceImaging
import RelevanceSupport
import RelevanceTensors

/// The subject of an evaluation: a network and the methods that explain it.
public struct Subject: Sendable {
  /// The explainer of the network.
  package let explainer: Explainer
  /// The methods that are compared, in the order of the tables.
  let methods: [any AttributionMethod]

  /// Receives doubts about an image, as a sentence that names the image; see `Trace.boxViolations`.
  private let note: (@Sendable (String) -> Void)?
  /// Stores intermediate results that are computed before the first item; nil to compute them in each run.
  package var keeper: (any EvaluationKeeper)?

  /// Makes a subject.
  ///
  /// - Parameters:
  ///   - explainer: the explainer, with the preprocessing of images.
  ///   - methods: the methods to compare.
  ///   - note: receives a sentence about each image that exceeds the box of rule z^B; nil to ignore these images.
  public init(
    _ explainer: Explainer, methods: [any AttributionMethod], note: (@Sendable (String) -> Void)? = nil
  ) {
    (self.note, self.explainer, self.methods) = (note, explainer, methods)
  }

  var preprocessing: Preprocessing { explainer.preprocessing }

  /// Prepares an evaluation with one item per image; `configuration` contains the settings that affect the results, in
  /// addition to the subject and the data.
  func prepared<Evaluation: ItemwiseEvaluation>(
    _ evaluation: Evaluation.Type, _ images: [LabeledImage], of data: DataSet, _ configuration: [String: [String]],
    record: @escaping @Sendable (_ image: LabeledImage, _ item: Int) throws -> Evaluation.Record
  ) -> PreparedEvaluation {
    PreparedEvaluation(
      evaluation, configuration: self.configuration(on: data, configuration), items: images.map(\.name)
    ) { try record(images[$0], $0) }
  }

  /// The settings that affect the results: the network, the methods, the data, and the evaluation's own settings.
  func configuration(on data: DataSet, _ own: [String: [String]]) -> [String: [String]] {
    own.merging(
      [
        "methods": methods.map(\.description),
        "rules": [explainer.plan.table.name, explainer.plan.fingerprint.hexadecimal],
        "network": [explainer.network.fingerprint.hexadecimal], "preprocessing": preprocessing.parts,
        "data": [data.name, data.fingerprint.hexadecimal],
      ]) { own, _ in own }
  }

  /// A value that is computed from the images before the first item, or the value that an earlier run stored.
  func kept<Value>(
    _ name: String, _ title: String, total: Int, read: (Data) -> Value?, write: (Value) throws -> Data,
    make: ((Int) -> Void) throws -> Value
  ) throws -> Value {
    guard let keeper else { return try make { _ in } }
    if let data = try keeper.kept(name), let value = read(data) { return value }
    let value = try keeper.showing(title, total: total, make)
    try keeper.keep(write(value), as: name)
    return value
  }

  /// A name for storing values that depend on the images and the preprocessing, and optionally on the network.
  func cacheName(for data: DataSet, withNetwork: Bool) -> String {
    var fingerprint = data.fingerprint
    for part in preprocessing.parts { fingerprint.add(part) }
    if withNetwork { fingerprint.add(explainer.network.fingerprint.hexadecimal) }
    return fingerprint.hexadecimal
  }

  /// The network's input for an image file, the position of the image's pixels in the input, and the number of pixels
  /// of the image.
  func input(_ image: LabeledImage) throws -> (tensor: Tensor, placement: PixelPlacement, area: Double) {
    let reading = try RGBImage.read(image.path)
    let upright = reading.upright
    return (
      try preprocessing.tensor(from: upright),
      preprocessing.placement(ofWidth: upright.width, height: upright.height, storedAs: reading.orientation),
      Double(upright.width * upright.height)
    )
  }

  /// The network's input for an image, and the recorded run.
  func run(_ image: LabeledImage) throws -> (tensor: Tensor, trace: Trace) {
    let tensor = try input(image).tensor
    return (tensor, try trace(tensor, of: image.path))
  }

  /// The recorded run of an image. Errors name the file.
  func trace(_ tensor: Tensor, of name: String) throws -> Trace {
    do {
      let trace = try explainer.trace(tensor)
      if let note { trace.boxViolations.forEach { note("\(name): \($0)") } }
      return trace
    } catch let error as any RelevanceKitError {
      throw EvaluationError("\(name): \(error.description)")
    }
  }

  /// The saliency maps of targets by each method, all from one run.
  ///
  /// - Parameter item: the number of the evaluation's item. Random maps differ between items and targets.
  func maps(of targets: [Target], in trace: Trace, item: Int) throws -> [[SaliencyMap]] {
    try methods.map { try maps(of: targets, by: $0, in: trace, item: item) }
  }

  /// The saliency maps of targets by one method.
  func maps(of targets: [Target], by method: any AttributionMethod, in trace: Trace, item: Int) throws -> [SaliencyMap]
  {
    guard let random = method as? RandomMap else {
      return try trace.explain(targets, by: method, ledger: false).map { explanation in
        guard explanation.relevance.withUnsafeElements({ $0.allSatisfy(\.isFinite) }) else {
          throw EvaluationError("the map by \(method.description) has values that are not finite (NaN or infinite)")
        }
        return try SaliencyMap(explanation)
      }
    }
    var seeds = SplitMix64(state: random.seed &+ UInt64(item) &* 0x9E37_79B9)
    return try targets.map { try SaliencyMap(trace.explain($0, by: RandomMap(seed: seeds.next()), ledger: false)) }
  }
}

extension Trace {
  /// The classes of an image. Throws if the network does not have one of them.
  func checked(_ classes: [Int], of image: LabeledImage) throws -> [Int] {
    if let outside = classes.last, outside >= self.classes {
      throw EvaluationError("\(image.path): class \(outside) is not among the network's \(self.classes) classes")
    }
    return classes
  }
}

extension Tensor {
  /// Throws if an image and the image that replaces its pixels differ in shape.
  func checkReplaces(_ replaced: Tensor, of image: LabeledImage) throws {
    guard shape == replaced.shape else {
      throw EvaluationError(
        "\(image.path): the image has shape \(replaced.shape); expected \(shape), the shape of the replacement")
    }
  }
}

/// Stores values that are computed from the images before the first item, and shows the progress of the computation.
package protocol EvaluationKeeper: Sendable {
  /// The data stored under a name; nil if there is none.
  func kept(_ name: String) throws -> Data?
  func keep(_ data: Data, as name: String) throws
  /// Runs `work`, which reports how many of `total` parts are done, and shows the progress under a title.
  func showing<Value>(_ title: String, total: Int, _ work: ((Int) -> Void) throws -> Value) throws -> Value
}

extension DataSet {
  /// The images that meet a condition; `needs` names it in the error.
  func images(with needs: String, where has: (LabeledImage) -> Bool = { _ in true }) throws -> [LabeledImage] {
    let found = images.filter(has)
    guard !found.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: needs) }
    return found
  }
}

/// A reason why an image or a network cannot be evaluated.
package struct EvaluationError: RelevanceKitError {
  package let description: String
  package var category: ErrorCategory { .badData }

  package init(_ description: String) { self.description = description }

  static func nothingToEvaluate(needs: String) -> Self {
    Self("expected at least one image with \(needs) in the data set, found none")
  }
}
