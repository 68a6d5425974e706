import RelevanceSupport
import RelevanceTensors

/// The properties of a graph that are known before it runs, for inputs of one shape. Computed once and passed on.
package struct Analysis: Sendable {
  package let inputShape: TensorShape
  /// The shape, the value if it is known, and the element kind of every node's output.
  package let inferred: [Inferred]
  /// For each node, whether the graph alone guarantees that its values are ≥ 0.
  ///
  /// Where this holds, rules that are defined for rectified inputs need no case for negative values.
  package let isNonNegative: [Bool]

  /// The shape of every node's output.
  ///
  /// - Complexity: O(nodes).
  package var shapes: [TensorShape] { inferred.map(\.shape) }

  package subscript(id: Node.ID) -> Inferred { inferred[id.index] }

  package func operands(of node: Node) -> [Inferred] { node.inputs.map { inferred[$0.index] } }

  /// Whether a node's values are rounded to integers or wrap like integers.
  package func isStepwise(_ node: Node) -> Bool { node.operation.isStepwise(of: operands(of: node).map(\.kind)) }

  init(of graph: Graph, forInput inputShape: TensorShape) throws {
    self.inputShape = inputShape
    let inferred = try graph.inferred(forInput: inputShape)
    var nonNegative: [Bool] = []
    for (index, node) in graph.nodes.enumerated() {
      // Values that wrap can have any sign of their type.
      if node.operation.isStepwise(of: node.inputs.map { inferred[$0.index].kind }) {
        let kind = inferred[index].kind
        nonNegative.append(kind.integerType?.isSigned == false || kind == .truth)
      } else {
        nonNegative.append(node.operation.isNonNegative(node.inputs.map { nonNegative[$0.index] }))
      }
    }
    (self.inferred, isNonNegative) = (inferred, nonNegative)
  }
}

extension NeuralNetwork {
  /// The properties that are known before the network runs on inputs of a shape. Computed once per shape.
  ///
  /// - Throws: The errors of `Graph.shapes(forInput:)`.
  package func analysis(forInput shape: TensorShape) throws -> Analysis {
    try analyses.value(for: shape) { try Analysis(of: graph, forInput: shape) }
  }
}

extension Graph {
  /// The maximum number of elements, in total, of constants that are computed from others. Some published graphs
  /// compute weights with 103 million elements. Beyond the maximum, a node is computed when the network runs.
  package static let largestComputedCount = 1 << 28

  /// Shape, value and kind of every node's output for an input of the given shape.
  ///
  /// - Throws: The errors of `shapes(forInput:)`.
  func inferred(forInput inputShape: TensorShape) throws -> [Inferred] {
    try inferences.value(for: inputShape) { try infer(forInput: inputShape) { throw $0 }.map { $0! } }
  }

  /// The same; nil for nodes whose operands do not fit, and for the nodes after them.
  package func partlyInferred(forInput inputShape: TensorShape) -> [Inferred?] { infer(forInput: inputShape) { _ in } }

  private func infer(
    forInput inputShape: TensorShape, report: (GraphError) throws -> Void
  ) rethrows -> [Inferred?] {
    var inferred: [Inferred?] = []
    inferred.reserveCapacity(nodes.count)
    var computed = 0
    for node in nodes {
      if let input = node.operation as? Input {
        if !input.shape.admits(inputShape) {
          try report(.inputShape(name: node.name, expected: input.shape, found: inputShape))
        }
        inferred.append(Inferred(inputShape, input.elements))
        continue
      }
      let operands = node.inputs.compactMap { inferred[$0.index] }
      do {
        guard operands.count == node.inputs.count else { throw Misfit("its operands are unknown") }
        let result = try node.operation.inferred(from: operands, largest: Self.largestComputedCount - computed)
        if !(node.operation is Constant) { computed += result.literal?.shape.count ?? 0 }
        inferred.append(result)
      } catch {
        try report(
          .shape(
            node: node.name, operator: node.kind.name,
            reason: (error as? any RelevanceKitError)?.description ?? "\(error)"))
        inferred.append(nil)
      }
    }
    return inferred
  }

  /// The shape of every node's output for an input of the given shape.
  ///
  /// - Throws: `RelevanceKitError` if the input does not fit the declaration, or if a node's operands do not fit. The
  ///   error names the first such node.
  public func shapes(forInput inputShape: TensorShape) throws -> [TensorShape] {
    try inferred(forInput: inputShape).map(\.shape)
  }
}
