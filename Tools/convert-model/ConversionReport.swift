import RelevanceKit

/// The changes of a conversion, one row for each.
struct ConversionReport {
  let rows: [String]

  init(of source: ONNXFile, to network: NeuralNetwork) {
    var survivors: [String: String] = [:]
    var kept: Set<String> = []
    for node in network.graph.nodes {
      kept.insert(node.name)
      for alias in node.aliases { survivors[alias] = node.name }
    }
    var removed = Count()
    var computed = Count()
    var merged: [String] = []
    for node in source.nodes where !kept.contains(node.name) && kept.isDisjoint(with: node.outputs) {
      if ["Identity", "Dropout"].contains(node.op) {
        removed.add(node.op)
      } else if let survivor = survivors[node.name] {
        let verb = node.op == "BatchNormalization" ? "folded \(node.name) into" : "merged \(node.name) into"
        merged.append("\(verb) \(survivor)")
      } else {
        computed.add(node.op)
      }
    }
    rows = removed.rows("removed") + computed.rows("made constant") + merged
  }

  /// The number of occurrences of each operator, in the order of first occurrence.
  private struct Count {
    private var order: [String] = []
    private var counts: [String: Int] = [:]

    mutating func add(_ name: String) {
      if counts[name] == nil { order.append(name) }
      counts[name, default: 0] += 1
    }

    func rows(_ verb: String) -> [String] { order.map { "\(verb) \(counts[$0]!) \($0)" } }
  }

  /// A number of bytes as text with a unit.
  static func size(_ bytes: Int) -> String {
    switch bytes {
    case ..<10_000: "\(bytes) bytes"
    case ..<10_000_000: "\(bytes / 1000) kB"
    default: "\(bytes / 1_000_000) MB"
    }
  }
}
