import RelevanceKit
import RelevanceToolSupport

/// The receptive field of an argument `NODE` or `NODE@Y,X`, in words.
struct ReceptiveFieldReport {
  let lines: [String]

  /// - Throws: `RelevanceKitError` if there is no such node or position.
  init(of argument: String, in network: NeuralNetwork, inputShape: TensorShape) throws {
    let (node, position) = Self.parts(of: argument, network)
    let fields = try network.receptiveFields(of: node, forInput: inputShape)
    if let position {
      lines = [Self.line(node, position, try fields.field(at: position))]
      return
    }
    let middle = Self.line(node, fields.middle, try fields.field(at: fields.middle))
    lines = (fields.extents.reduce(1, *) > 1 ? [Self.summary(node, fields)] : []) + [middle]
  }

  /// The node and the position. Names may contain any characters, so a node with the whole name takes precedence.
  private static func parts(of argument: String, _ network: NeuralNetwork) -> (node: String, position: [Int]?) {
    guard network.graph.node(named: argument) == nil, let at = argument.lastIndex(of: "@") else {
      return (argument, nil)
    }
    let numbers = argument[argument.index(after: at)...].split(separator: ",", omittingEmptySubsequences: false)
    let position = numbers.compactMap { Int($0) }
    return position.count == numbers.count ? (String(argument[..<at]), position) : (argument, nil)
  }

  private static func summary(_ node: String, _ fields: ReceptiveFields) -> String {
    let positions = "\(node): \(product(fields.extents)) positions"
    guard let layout = fields.layout() else {
      return positions + "; their receptive fields have no constant size and stride"
    }
    return positions
      + ", each with a receptive field of \(product(layout.size)); stride \(product(layout.stride)), the "
      + "first starts at \(list(layout.start))"
  }

  private static func line(_ node: String, _ position: [Int], _ field: ReceptiveField) -> String {
    let place = node + (position.isEmpty ? "" : "@\(list(position))")
    guard field.count > 0 else { return "\(place): no part of the input" }
    let names = field.extents.count == 2 ? ["rows", "columns"] : field.extents.indices.map { "axis \($0 + 1):" }
    let ranges = zip(names, field.bounds).map { "\($0) \($1.lowerBound)–\($1.upperBound - 1)" }
    let share = "\((1000 * field.share).rounded() / 10) %"
    let parts = [
      "\(place): \(ranges.joined(separator: ", ")): \(product(field.size)) of \(product(field.extents))",
      "\(field.count) positions (\(share))" + (field.fillsBounds ? "" : " with gaps between them"),
    ]
    return (parts + (field.isCut ? ["cut by the border"] : [])).joined(separator: "; ")
  }

  private static func product(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: "×") }
  private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }
}

extension Inspect {
  /// Prints the requested receptive fields.
  func showFields(of model: Model) throws {
    let reports = try receptiveField.map {
      try ReceptiveFieldReport(of: $0, in: model.network, inputShape: model.exampleInputShape)
    }
    for line in reports.flatMap(\.lines) { Console.result(line.printable) }
  }
}
