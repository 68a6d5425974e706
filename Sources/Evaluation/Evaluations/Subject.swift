import RelevanceExplanations
import Foundation
import RelevanceImaging
import RelevanceSupport
import RelevanceTensors

/// What is evaluated: explanations of a network's decisions by some methods.
public struct Subject: Sendable {
  /// How the network is explained.
  package let explainer: Explainer
  /// The methods that are compared, in the order of the tables.
  let methods: [any AttributionMethod]

  /// Is told what is doubtful about an image, in a sentence that names it; see `Trace.boxViolations`.
  private let note: (@Sendable (String) -> Void)?
  /// Where what is made before the first item is kept; nil if it is not.
  package var keeper: (any EvaluationKeeper)?

  /// Makes a subject.
  ///
  /// - Parameters:
  ///   - explainer: how the network is explained, and how images become its input.
  ///   - methods: the methods that are compared.
  ///   - note: is told of images that leave the box of rule z^B, in a sentence that names them; nil if nobody wants to
  ///     know.
  public init(
    _ explainer: Explainer, methods: [any AttributionMethod], note: (@Sendable (String) -> Void)? = nil
  ) {
    (self.note, self.explainer, self.methods) = (note, explainer, methods)
  }

  var preprocessing: Preprocessing { explainer.preprocessing }

  /// Prepares to evaluate images, each an item; `configuration` is what results depend on besides the subject and the
  /// data.
  func prepared<Evaluation: ItemwiseEvaluation>(
    _ evaluation: Evaluation.Type, _ images: [LabeledImage], of data: DataSet, _ configuration: [String: [String]],
    record: @escaping @Sendable (_ image: LabeledImage, _ item: Int) throws -> Evaluation.Record
  ) -> PreparedEvaluation {
    PreparedEvaluation(
      evaluation, configuration: self.configuration(on: data, configuration), items: images.map(\.name)
    ) { try record(images[$0], $0) }
  }

  /// What results depend on: the network, its methods, the data, and what an evaluation adds.
  func configuration(on data: DataSet, _ own: [String: [String]]) -> [String: [String]] {
    own.merging(
      [
        "methods": methods.map(\.description),
        "rules": [explainer.plan.table.name, explainer.plan.fingerprint.hexadecimal],
        "network": [explainer.network.fingerprint.hexadecimal], "preprocessing": preprocessing.parts,
        "data": [data.name, data.fingerprint.hexadecimal],
      ]) { own, _ in own }
  }

  /// What is made of the images before the first item, or was kept by an earlier run.
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

  /// A name under which what follows from the images alone, or also from the network, can be kept for another run.
  func cacheName(for data: DataSet, withNetwork: Bool) -> String {
    var fingerprint = data.fingerprint
    for part in preprocessing.parts { fingerprint.add(part) }
    if withNetwork { fingerprint.add(explainer.network.fingerprint.hexadecimal) }
    return fingerprint.hexadecimal
  }

  /// The network's input for an image on disk, where the image's pixels are in it, and how many pixels the image has.
  func input(_ image: LabeledImage) throws -> (tensor: Tensor, placement: PixelPlacement, area: Double) {
    let reading = try RGBImage.read(image.path)
    let upright = reading.upright
    return (
      try preprocessing.tensor(from: upright),
      preprocessing.placement(ofWidth: upright.width, height: upright.height, storedAs: reading.orientation),
      Double(upright.width * upright.height)
    )
  }

  /// An image as the network's input, and its run.
  func run(_ image: LabeledImage) throws -> (tensor: Tensor, trace: Trace) {
    let tensor = try input(image).tensor
    return (tensor, try trace(tensor, of: image.path))
  }

  /// A run of an image; what is wrong with it names the file.
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
  /// - Parameter item: which item of the evaluation it is: random maps differ between items and targets.
  func maps(of targets: [Target], in trace: Trace, item: Int) throws -> [[SaliencyMap]] {
    try methods.map { try maps(of: targets, by: $0, in: trace, item: item) }
  }

  /// The same by one method.
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
  /// The classes of an image, all of which the network has.
  func checked(_ classes: [Int], of image: LabeledImage) throws -> [Int] {
    if let outside = classes.last, outside >= self.classes {
      throw EvaluationError("\(image.path): class \(outside) is not among the network's \(self.classes) classes")
    }
    return classes
  }
}

extension Tensor {
  /// Throws unless an image has the shape of what is to replace its pixels.
  func checkReplaces(_ replaced: Tensor, of image: LabeledImage) throws {
    guard shape == replaced.shape else {
      throw EvaluationError("\(image.path): the mean image has shape \(shape), this image \(replaced.shape)")
    }
  }
}

/// Keeps for other runs what is made of the images before the first item, and shows how far that is.
package protocol EvaluationKeeper: Sendable {
  /// What was kept under a name; nil if nothing was.
  func kept(_ name: String) throws -> Data?
  func keep(_ data: Data, as name: String) throws
  /// Does some work, which says how many of `total` parts are done.
  func showing<Value>(_ title: String, total: Int, _ work: ((Int) -> Void) throws -> Value) throws -> Value
}

extension DataSet {
  /// The images that have something, which has a name.
  func images(with needs: String, where has: (LabeledImage) -> Bool = { _ in true }) throws -> [LabeledImage] {
    let found = images.filter(has)
    guard !found.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: needs) }
    return found
  }
}

/// An image or a network that cannot be evaluated.
package struct EvaluationError: RelevanceKitError {
  package let description: String
  package var category: ErrorCategory { .badData }

  package init(_ description: String) { self.description = description }

  static func nothingToEvaluate(needs: String) -> Self {
    Self("expected at least one image with \(needs) in the data set, found none")
  }
}
