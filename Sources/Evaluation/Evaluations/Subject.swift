import Execution
import Explanations
import Imaging
import Networks
import Propagation
import Tensors

/// What is evaluated: explanations of a network's decisions by some methods.
public struct Subject: Sendable {
  /// How the network is explained.
  public let explainer: Explainer
  /// How pictures become its input.
  public let preprocessing: Preprocessing
  /// The methods that are compared, in the order of the tables.
  public let methods: [any Method]

  /// Is told what is doubtful about a picture, in a sentence that names it; see `Trace.boxViolations`.
  private let note: (@Sendable (String) -> Void)?

  /// Makes a subject.
  ///
  /// - Parameters:
  ///   - explainer: how the network is explained.
  ///   - preprocessing: how pictures become its input.
  ///   - methods: the methods that are compared.
  ///   - note: is told of pictures that leave the box of rule z^B, in a sentence that names them; nil if nobody wants to know.
  public init(
    _ explainer: Explainer, preprocessing: Preprocessing, methods: [any Method],
    note: (@Sendable (String) -> Void)? = nil
  ) {
    self.note = note
    self.explainer = explainer
    self.preprocessing = preprocessing
    self.methods = methods
  }

  /// What results depend on.
  var configuration: [String: [String]] {
    [
      "methods": methods.map(\.description),
      "rules": [explainer.plan.table.name, explainer.plan.fingerprint.hexadecimal],
      "network": [explainer.network.fingerprint.hexadecimal],
      "preprocessing": preprocessing.parts,
    ]
  }

  /// A name under which what follows from the pictures alone, or also from the network, can be kept for another run.
  public func cacheName(for data: DataSet, withNetwork: Bool) -> String {
    var fingerprint = data.fingerprint
    for part in preprocessing.parts { fingerprint.add(part) }
    if withNetwork { fingerprint.add(explainer.network.fingerprint.hexadecimal) }
    return fingerprint.hexadecimal
  }

  /// The network's input for a picture on disk, where the picture's pixels are in it, and how many pixels the picture has.
  func input(_ image: LabelledImage) throws -> (tensor: Tensor, placement: PixelPlacement, area: Double) {
    let (picture, orientation) = try Image.read(image.path)
    return (
      try preprocessing.tensor(from: picture),
      preprocessing.placement(ofWidth: picture.width, height: picture.height, storedAs: orientation),
      Double(picture.width * picture.height)
    )
  }

  /// A run of a picture; what is wrong with it names the file.
  func trace(_ tensor: Tensor, of name: String) throws -> Trace {
    do {
      let trace = try explainer.trace(tensor)
      if let note { trace.boxViolations.forEach { note("\(name): \($0)") } }
      return trace
    } catch let error as any RelevanceKitError {
      throw EvaluationError.doesNotFit(name, reason: error.description)
    }
  }

  /// The saliency maps of targets by each method, all from one run.
  ///
  /// - Parameter item: which item of the evaluation it is: random maps differ between items and targets.
  func maps(of targets: [Target], in trace: Trace, item: Int) throws -> [[SaliencyMap]] {
    try methods.map { try maps(of: targets, by: $0, in: trace, item: item) }
  }

  /// The same by one method.
  func maps(of targets: [Target], by method: any Method, in trace: Trace, item: Int) throws -> [SaliencyMap] {
    guard let random = method as? RandomMap else {
      return try trace.explain(targets, by: method, ledger: false).map { explanation in
        guard explanation.relevance.withUnsafeElements({ $0.allSatisfy(\.isFinite) }) else {
          throw EvaluationError.notFinite(method: method.description)
        }
        return SaliencyMap(explanation)
      }
    }
    var seeds = SplitMix64(state: random.seed &+ UInt64(item) &* 0x9E37_79B9)
    return try targets.map { SaliencyMap(try trace.explain($0, by: RandomMap(seed: seeds.next()), ledger: false)) }
  }
}

/// A picture or a network that cannot be evaluated.
public enum EvaluationError: RelevanceKitError, Equatable {
  /// The network does not take the picture.
  case doesNotFit(String, reason: String)
  /// The data set has no picture that the evaluation could use.
  case nothingToEvaluate(needs: String)
  /// Too few pictures that the network is sure of.
  case tooFewCandidates(found: Int, classes: Int, needs: Int)
  /// A map that cannot be scored.
  case notFinite(method: String)
  /// A grid of more cells than a picture has rows or columns.
  case tooManyCells(Int, width: Int, height: Int)
  /// A picture of another class than the network has.
  case noSuchClass(String, Int, classes: Int)

  public var category: ErrorCategory { .badData }

  public var description: String {
    switch self {
    case .doesNotFit(let name, let reason): "\(name): \(reason)"
    case .nothingToEvaluate(let needs): "expected at least one picture with \(needs) in the data set, found none"
    case .tooFewCandidates(let found, let classes, let needs):
      "expected pictures of at least \(needs) classes that the network is sure of, found \(found) of \(classes)"
    case .notFinite(let method): "the map by \(method) has values that are not finite (NaN or infinite)"
    case .tooManyCells(let cells, let width, let height):
      "a picture of \(width)×\(height) pixels has no \(cells)×\(cells) cells"
    case .noSuchClass(let name, let index, let classes):
      "\(name): class \(index) is not among the network's \(classes) classes"
    }
  }
}

/// A number by which things can be told apart that should be equal: FNV-1a. (G. Fowler, L. Noll, K.-P. Vo)
struct Fingerprint {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(UInt64(byte)) }
    // So that “ab”, “c” differs from “a”, “bc”.
    add(256)
  }

  mutating func add(_ tensor: Tensor) {
    tensor.withUnsafeElements { for element in $0 { add(UInt64(element.bitPattern)) } }
    add(tensor.shape.description)
  }

  var hexadecimal: String { String(value, radix: 16) }
}

extension Preprocessing {
  /// All that a picture's tensor depends on.
  fileprivate var parts: [String] {
    [resize.map { "\($0)" } ?? "no resize", "\(resampling)", crop.map { "\($0.width)×\($0.height)" } ?? "no crop"]
      + ([rescaleFactor] + mean + standardDeviation).map { "\($0)" } + [flipsChannelOrder ? "BGR" : "RGB"]
  }
}

extension Network {
  /// Of operators, names and weights.
  fileprivate var fingerprint: Fingerprint {
    var fingerprint = Fingerprint()
    for node in graph.nodes {
      fingerprint.add(node.name)
      fingerprint.add("\(node.operation.kind)")
      for tensor in node.operation.parameters { fingerprint.add(tensor) }
    }
    return fingerprint
  }
}

extension RulePlan {
  /// Of what each node's rule is.
  fileprivate var fingerprint: Fingerprint {
    var fingerprint = Fingerprint()
    for id in network.graph.ids { fingerprint.add(self[id].map { "\($0.rule)" } ?? "none") }
    return fingerprint
  }
}

extension DataSet {
  /// Of the pictures' names, classes and boxes; not of their pixels.
  var fingerprint: Fingerprint {
    var fingerprint = Fingerprint()
    for image in images {
      fingerprint.add(image.name)
      fingerprint.add("\(image.classes)")
      for object in image.objects {
        let box = object.box
        fingerprint.add("\(object.classIndex) \(box.left) \(box.top) \(box.right) \(box.bottom)")
      }
    }
    return fingerprint
  }
}
