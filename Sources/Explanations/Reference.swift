import RelevanceTensors

/// A vector that a network's output is compared with: the embedding of another image, or of a text.
public struct Reference: Hashable, Sendable, Codable {
  /// The name, such as the name of its file.
  public let name: String
  /// The values, in the order of the output's elements.
  public let values: [Float]

  /// Makes a reference from a tensor's elements in row-major order.
  public init(_ values: Tensor, name: String) { (self.name, self.values) = (name, values.elements) }

  /// - Throws: `RelevanceKitError` if the number of elements differs from that of an item's output, or if the reference
  ///   has no direction.
  func check(count: Int, shape: TensorShape) throws {
    guard values.count == count else {
      throw ExplanationError.referenceCount(name, found: values.count, expected: count, shape: shape)
    }
    guard values.allSatisfy(\.isFinite), values.contains(where: { $0 != 0 }) else {
      throw ExplanationError.noDirection(name)
    }
  }

  /// The contribution of each element u_i of an output to the cosine `Σ u_i r_i / (|u| |r|)`, and the derivative of the
  /// cosine with respect to it, `r_i / (|u| |r|) − cos · u_i / |u|²`. Both are zero if the output has no direction.
  ///
  /// A dot product is distributed to its summands, as in *Eberle20* §3.1. The lengths are treated as constants, as
  /// *Achtibat24* §3.2.2 treats normalization factors.
  func shares(of output: [Float]) -> (scores: [Float], derivatives: [Float]) {
    func length(_ values: [Float]) -> Double { values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
    let own = length(output)
    guard own > 0 else { return (output.map { _ in 0 }, output.map { _ in 0 }) }
    let lengths = own * length(values)
    let contributions = zip(output, values).map { Double($0) * Double($1) / lengths }
    let cosine = contributions.reduce(0, +)
    return (
      contributions.map(Float.init),
      zip(output, values).map { Float(Double($1) / lengths - cosine * Double($0) / (own * own)) }
    )
  }
}
