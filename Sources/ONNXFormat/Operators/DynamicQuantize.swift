import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// DynamicQuantizeLinear, whose three outputs are integers, their scale and their zero point. If they are only used
  /// together, the first output becomes the real numbers themselves, with scale 1 and zero point 0.
  func dynamicQuantize() throws -> Imported {
    let x = try operand(0, "x")
    guard isDequantized else { return .assembly { try quantizedSpelledOut(x, in: &$0) } }
    return .assembly { graph in
      func one(_ literal: Literal, _ label: String) -> Operand {
        .constant(ConstantTensor(literal, name: "\(name).\(label)", file: model.file))
      }
      let zero = IntegerTensor(shape: [], elements: [0], kind: .integer(.uint8))
      return [
        try graph.add(DynamicQuantize(), [x], named: name),
        one(.floats(Tensor(shape: [], elements: [1])), "scale"), one(.integers(zero), "zero"),
      ]
    }
  }
}

extension NodeReader {
  /// The definition, for outputs that are used separately. No gradient passes through the rounding.
  private func quantizedSpelledOut(_ x: Operand, in graph: inout GraphImporter) throws -> [Operand] {
    func number(_ value: Float) -> Operand { constant(Tensor(shape: [], elements: [value]), "\(value)") }
    func extreme(_ function: Reduction.Function, _ limit: any PairwiseFunction, _ label: String) throws -> Operand {
      let all = try graph.add(Reduction(function, axes: nil, keepsAxes: false), [x], named: "\(name).\(label)")
      return try graph.add(limit, [all, number(0)], named: "\(name).\(label)_or_0")
    }
    let (lowest, highest) = (
      try extreme(.minimum, Minimum(), "lowest"), try extreme(.maximum, Maximum(), "highest")
    )
    let extent = try graph.add(Subtract(), [highest, lowest], named: "\(name).extent")
    let step = try graph.add(Divide(), [extent, number(255)], named: "\(name).step")
    // If all elements are 0, any scale is correct.
    let scale = try graph.add(Maximum(), [step, number(.leastNormalMagnitude)], named: "\(name).scale")
    let lowestStep = try graph.add(Divide(), [lowest, scale], named: "\(name).lowest_step")
    func integers(_ x: Operand, plus offset: Operand?, _ label: String) throws -> Operand {
      var whole = try graph.add(Round(), [x], named: "\(name).\(label)_rounded")
      if let offset { whole = try graph.add(Add(), [whole, offset], named: "\(name).\(label)_shifted") }
      return try graph.add(Clip(lowest: 0, highest: 255), [whole], named: label == "y" ? name : "\(name).\(label)")
    }
    let turned = try graph.add(Negate(), [lowestStep], named: "\(name).turned")
    let zero = try integers(turned, plus: nil, "zero")
    let steps = try graph.add(Divide(), [x, scale], named: "\(name).steps")
    return [try integers(steps, plus: zero, "y"), scale, zero]
  }
}

extension FileGraph {
  /// The first outputs of the DynamicQuantizeLinear nodes whose outputs are only used in products `scale · (q − zero)`.
  func dequantizedNodes() -> Set<String> {
    let candidates = nodes.filter { $0.op == "DynamicQuantizeLinear" }
    guard !candidates.isEmpty else { return [] }
    var users: [String: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in Set(node.inputs) { users[input, default: []].append(index) }
    }
    return Set(candidates.compactMap { node in isDequantized(node, users) ? node.outputs[0] : nil })
  }

  /// The indices of an operator's inputs for the scale, if it has one, and the zero point.
  private static let takers: [String: (scale: Int?, zero: Int)] = [
    "MatMulInteger": (nil, 2), "ConvInteger": (nil, 2), "DequantizeLinear": (1, 2),
    "com.microsoft.DequantizeLinear": (1, 2), "com.microsoft.MatMulIntegerToFloat": (2, 4),
    "MatMulIntegerToFloat": (2, 4),
  ]

  private func isDequantized(_ node: Node, _ users: [String: [Int]]) -> Bool {
    let made = texts(node.message.pointee.n_output, node.message.pointee.output)
    guard made.count == 3, !made.contains(""), !made.contains(where: outputs.contains) else { return false }
    var takers: Set<Int> = []
    /// Products of sums of the integers with the scale, or with the product of the scale and a constant.
    var scaling: Set<Int> = []
    for index in users[made[0]] ?? [] {
      let taken = texts(nodes[index].message.pointee.n_input, nodes[index].message.pointee.input)
      guard let places = Self.takers[nodes[index].op], taken.first == made[0],
        taken.filter({ $0 == made[0] }).count == 1,
        taken.count > places.zero, taken[places.zero] == made[2], places.scale.map({ taken[$0] == made[1] }) ?? true
      else { return false }
      takers.insert(index)
      guard places.scale == nil else { continue }
      guard let sum = nodes[index].outputs.first, !outputs.contains(sum) else { return false }
      for cast in users[sum] ?? [] {
        guard nodes[cast].op == "Cast", let real = nodes[cast].outputs.first, !outputs.contains(real),
          let products = users[real]
        else { return false }
        for product in products {
          let factors = nodes[product].inputs
          guard nodes[product].op == "Mul", factors.count == 2, let scale = factors.first(where: { $0 != real }) else {
            return false
          }
          scaling.insert(product)
          guard scale != made[1] else { continue }
          guard let maker = makers[scale]?.first, nodes[maker].op == "Mul", !outputs.contains(scale),
            nodes[maker].inputs.filter({ $0 == made[1] }).count == 1
          else { return false }
          scaling.insert(maker)
          // Any other use of the scaled scale would miss the scale.
          let others = Set(users[scale] ?? [])
          guard others.allSatisfy({ nodes[$0].op == "Mul" }), others.isSubset(of: products) else { return false }
        }
      }
    }
    return Set(users[made[2]] ?? []).isSubset(of: takers)
      && Set(users[made[1]] ?? []).isSubset(of: takers.union(scaling))
  }
}
