import RelevanceKit

/// What depends on what, found by running a network on inputs of which one element is another: an oracle that knows nothing of operators.
package struct PerturbedInputs {
  private let network: NeuralNetwork
  private let node: Node.ID
  private let executor: Executor
  private let input: Tensor
  private let reference: [Float]

  /// - Parameters:
  ///   - input: what is changed.
  ///   - node: the node that is looked at; nil means the graph's output.
  package init(_ network: NeuralNetwork, _ input: Tensor, node: Node.ID? = nil) throws {
    self.network = network
    self.node = node ?? network.graph.output
    self.input = input
    executor = Executor(network, threads: 1)
    reference = try executor.trace(input).value(of: self.node).elements
  }

  /// For each element of the node's output whether it changes with an element of the input for any of some changes of its value; runs
  /// that are refused count for nothing.
  package func changed(by element: Int, _ changes: [@Sendable (Float) -> Float]) -> [Bool] {
    var result = [Bool](repeating: false, count: reference.count)
    for change in changes {
      var elements = input.elements
      elements[element] = change(elements[element])
      guard let trace = try? executor.trace(Tensor(shape: input.shape, elements: elements)) else { continue }
      let values = trace.value(of: node).elements
      for index in values.indices where values[index].bitPattern != reference[index].bitPattern { result[index] = true }
    }
    return result
  }
}
