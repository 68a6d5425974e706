import ArgumentParser
import RelevanceKit

/// A target as it is written on the command line: `top:K`, `class:N[@Y,X]`, `label:NAME[@Y,X]`, `region:N`,
/// `region:NAME`, `box:K`,
/// `unit:NODE/CHANNEL[@Y,X]` or `cosine:FILE.npy`.
enum TargetArgument: CustomStringConvertible {
  case top(Int)
  case fixed(Target)
  case label(String, position: [Int]?)
  case labeledRegion(String)
  /// The cosine to the reference in a file.
  case cosine(path: String)

  /// Reads a target.
  ///
  /// - Throws: `ValidationError` that lists the expected forms.
  init(parsing argument: String) throws {
    let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
    switch (parts.first, parts.count == 2 ? Int(parts[1]) : nil) {
    case ("top", let count?) where count > 0: self = .top(count)
    case ("label", _) where parts.count == 2: self = Self.label(parts[1])
    case ("cosine", _) where parts.count == 2: self = .cosine(path: parts[1])
    case ("region", nil) where parts.count == 2: self = .labeledRegion(parts[1])
    default:
      guard let target = Target(argument) else {
        let hint =
          Int(argument) != nil
          ? "class:\(argument)? One of " : argument.contains(":") ? "" : "label:\(argument)? One of "
        throw ValidationError("expected \(hint)\(Self.forms)")
      }
      self = .fixed(target)
    }
  }

  /// A name, which may be followed by a position. Names may contain any characters.
  private static func label(_ text: String) -> TargetArgument {
    if let at = text.lastIndex(of: "@"), at > text.startIndex,
      case .class(_, let position?)? = Target("class:0" + text[at...])
    {
      return .label(String(text[..<at]), position: position)
    }
    return .label(text, position: nil)
  }

  /// The accepted forms.
  static let forms =
    "top:K, class:N[@Y,X], label:NAME[@Y,X], region:N, box:K, unit:NODE/CHANNEL[@Y,X] or cosine:FILE.npy"

  var description: String {
    switch self {
    case .top(let count): "top:\(count)"
    case .fixed(let target): target.description
    case .label(let name, let position):
      "label:\(name)" + (position.map { "@" + $0.map(String.init).joined(separator: ",") } ?? "")
    case .labeledRegion(let name): "region:\(name)"
    case .cosine(let path): "cosine:\(path)"
    }
  }

  /// The outputs of a file that targets need in addition to the explained one.
  static func outputs(of targets: [TargetArgument]) -> FurtherOutputs {
    var further = FurtherOutputs(passesOverOthers: true)
    for case .fixed(let target) in targets {
      switch target {
      case .unit(let name, _, _): further.names.append(name)
      case .box: further.boxes = true
      default: break
      }
    }
    return further
  }

  /// Whether other classes compete with the target. At a detector's box hardly any do.
  var isOfClasses: Bool {
    switch self {
    case .cosine, .fixed(.unit), .fixed(.cosine), .fixed(.box): false
    default: true
    }
  }

  /// Resolves names and files, which do not depend on an input, so that errors are found before the network runs.
  ///
  /// - Throws: `RelevanceKitError` for an unknown name or a file that cannot be read.
  func resolved(_ labels: Labels?) throws -> TargetArgument {
    switch self {
    case .top, .fixed: self
    case .label(let name, let position): .fixed(.class(try Self.index(of: name, labels), at: position))
    case .labeledRegion(let name): .fixed(.region(try Self.index(of: name, labels)))
    case .cosine(let path): .fixed(.cosine(Reference(try NumPyFile.read(path), name: path)))
    }
  }

  private static func index(of name: String, _ labels: Labels?) throws -> Int {
    guard let labels else { throw TargetError.noLabels(name) }
    let classes = labels.classes(named: name)
    guard let index = classes.first else {
      throw TargetError.unknownLabel(name, suggestions: labels.suggestions(for: name))
    }
    guard classes.count == 1 else { throw TargetError.ambiguousLabel(name, classes: classes) }
    return index
  }

  /// The targets for one trace.
  func targets(in trace: Trace) -> [Target] {
    switch self {
    case .top(let count): Array(Target.ranked(in: trace).prefix(count))
    case .fixed(let target): [target]
    case .label, .labeledRegion, .cosine: preconditionFailure("labels and files must be resolved first")
    }
  }
}

/// A target that does not exist.
enum TargetError: RelevanceKitError {
  case noLabels(String)
  case unknownLabel(String, suggestions: [String])
  case ambiguousLabel(String, classes: [Int])

  var category: ErrorCategory { .usage }

  var description: String {
    switch self {
    case .noLabels(let name):
      "label:\(name): the model has no labels; put a config.json with id2label beside it, or use class:N"
    case .unknownLabel(let name, let suggestions):
      "label:\(name): no class has this name"
        + (suggestions.isEmpty
          ? "; config.json beside the model lists all names"
          : "; did you mean \(suggestions.map { "\"\($0)\"" }.joined(separator: ", "))?")
    case .ambiguousLabel(let name, let classes):
      "label:\(name): several classes have this name; use \(classes.map { "class:\($0)" }.joined(separator: " or "))"
    }
  }
}
