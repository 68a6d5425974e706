import RelevanceKit

/// Dependencies that are found by running a network on inputs in which one element changes. This oracle uses no
/// knowledge of operators.
package struct PerturbedInputs {
  private let network: NeuralNetwork
  private let node: Node.ID
  private let executor: Executor
  private let input: Tensor
  private let reference: [Float]

  /// - Parameters:
  ///   - input: The input that is changed.
  ///   - node: The node whose values are compared. Nil is the graph's output.
  package init(_ network: NeuralNetwork, _ input: Tensor, node: Node.ID? = nil) throws {
    self.network = network
    self.node = node ?? network.graph.output
    self.input = input
    executor = Executor(network, threads: 1)
    reference = try executor.trace(input).value(of: self.node).elements
  }

  /// For each element of the node's output, whether it changes with an element of the input for any of some changes of
  /// its value. Runs that fail are ignored.
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
