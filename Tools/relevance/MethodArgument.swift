import ArgumentParser
import RelevanceKit

/// A method as it is written on the command line: its name, and parameters: `clrp1:strength=2,against=386`.
extension Method: ExpressibleByArgument {
  public init?(argument: String) { try? self.init(parsing: argument) }

  /// Reads a method; the error says what is expected.
  init(parsing argument: String) throws {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let method = Method.all.first(where: { $0.name == parts[0] }) else {
      let hint = Suggestion.nearest(to: parts[0], among: Method.allValueStrings).map { "\($0)? One of " } ?? "one of "
      throw ValidationError(
        "found method \(parts[0]); expected \(hint)\(Method.allValueStrings.joined(separator: ", "))")
    }
    var parameters = try Parameters(parts.count == 2 ? parts[1] : nil, of: method.name)
    switch method {
    case .clrp1:
      var dual = Dual.others
      if let text = parameters.take("against") {
        switch text {
        case "others": dual = .others
        case "logits": dual = .logits
        default:
          let classes = text.split(separator: "+", omittingEmptySubsequences: false).map { Int($0) }
          guard classes.allSatisfy({ $0 != nil && $0! >= 0 }) else {
            throw parameters.error("against", text, expected: "others, logits, or numbers of classes joined by +")
          }
          dual = .classes(classes.compactMap { $0 })
        }
      }
      self = .clrp1(against: dual, strength: try parameters.number("strength", 1, atLeast: 0))
    case .clrp2:
      let text = parameters.take("head") ?? Head.composite.rawValue
      guard let head = Head(rawValue: text) else {
        throw parameters.error(
          "head", text, expected: Head.allCases.map(\.rawValue).joined(separator: " or "))
      }
      self = .clrp2(head: head, strength: try parameters.number("strength", 1, atLeast: 0))
    case .gradCAM: self = .gradCAM(layer: parameters.take("layer"))
    case .guidedGradCAM: self = .guidedGradCAM(layer: parameters.take("layer"))
    case .integratedGradients:
      self = .integratedGradients(
        baseline: try parameters.number("baseline", 0), steps: try parameters.count("steps", 32))
    case .smoothGrad:
      self = .smoothGrad(
        samples: try parameters.count("samples", 25), deviation: try parameters.number("deviation", 0.15, atLeast: 0),
        seed: UInt64(try parameters.count("seed", 0, atLeast: 0)))
    case .random: self = .random(seed: UInt64(try parameters.count("seed", 0, atLeast: 0)))
    default: self = method
    }
    try parameters.expectNoMore()
  }

  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { all.map(\.name) }

  /// `name=value` pairs that are taken one by one.
  private struct Parameters {
    private let method: String
    private var values: [(name: String, text: String)] = []
    private var known: [String] = []

    init(_ text: String?, of method: String) throws {
      self.method = method
      guard let text else { return }
      for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else {
          throw ValidationError("method \(method): found \"\(pair)\"; expected name=value")
        }
        values.append((parts[0], parts[1]))
      }
    }

    mutating func take(_ name: String) -> String? {
      known.append(name)
      guard let index = values.firstIndex(where: { $0.name == name }) else { return nil }
      return values.remove(at: index).text
    }

    mutating func number(_ name: String, _ usual: Float, atLeast least: Float = -.infinity) throws -> Float {
      guard let text = take(name) else { return usual }
      guard let number = Float(text), number.isFinite, number >= least else {
        throw error(name, text, expected: least == -.infinity ? "a number" : "a number of at least \(Int(least))")
      }
      return number
    }

    mutating func count(_ name: String, _ usual: Int, atLeast least: Int = 1) throws -> Int {
      guard let text = take(name) else { return usual }
      guard let number = Int(text), (least...1_000_000).contains(number) else {
        throw error(name, text, expected: "a whole number from \(least) to 1000000")
      }
      return number
    }

    func error(_ name: String, _ text: String, expected: String) -> ValidationError {
      ValidationError("method \(method): found \(name) \"\(text)\"; expected \(expected)")
    }

    func expectNoMore() throws {
      guard let rest = values.first else { return }
      throw ValidationError(
        "method \(method): found \(rest.name); expected \(known.isEmpty ? "no parameters" : known.joined(separator: ", "))"
      )
    }
  }
}
