import RelevanceNetworks

extension GraphImporter {
  /// Places the imported form of a file's node, whose name is `own`, in the graph. Returns an operand for each output
  /// that is supported.
  mutating func place(_ imported: Imported, named own: String, outputs: [String] = []) throws -> [Operand] {
    switch imported {
    case .constant(let tensor): return [.constant(tensor)]
    case .node(let operation, let operands): return [try add(operation, operands, named: own)]
    case .assembly(let make): return try make(&self)
    case .chain(let operation, let operands):
      var result = operands[0]
      for operand in operands[1...] { result = try add(operation, [result, operand], named: own) }
      return [result]
    case .sequence(let operations, var result):
      let layer = operations.firstIndex { $0.isWeighted } ?? operations.count - 1
      for (index, operation) in operations.enumerated() {
        let name = index == layer ? own : "\(own).\(operation.kind.name.lowercased())"
        result = try add(operation, [result], named: name)
      }
      return [result]
    case .recipe(let recipe):
      let layer = recipe.steps.firstIndex { $0.operation.isWeighted } ?? recipe.steps.count - 1
      var results: [Operand] = []
      let count = computedCount
      for (index, step) in recipe.steps.enumerated() {
        let name = index == layer ? own : "\(own).\(step.operation.kind.name.lowercased())"
        let operands = step.values.map { value in
          switch value {
          case .operand(let operand): operand
          case .step(let step): results[step]
          }
        }
        results.append(try add(step.operation, operands, named: name))
      }
      settle(results[results.count - 1], since: count)
      return [results[results.count - 1]]
    case .outputs(let operations, let operands):
      return try zip(operations, outputs).map { operation, output in
        try add(operation, operands, named: operations.count == 1 || output.isEmpty ? own : output)
      }
    }
  }
}
