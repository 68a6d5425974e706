import Foundation
import RelevanceKit

/// Many small networks with inputs and expected outputs, in two members of an archive: `cases.json` and `cases.bin`.
package struct PackedCases: Sendable {
  /// A network with its input and expected output.
  package struct Case: Decodable, Sendable, CustomStringConvertible {
    /// The name of the case.
    public let name: String
    /// The allowed difference between the output and the expected one, relative to the largest value.
    public let tolerance: Double?
    /// The importer's error, if it rejects the network.
    public let refused: String?
    let model: Place
    let input: Place
    let output: Place

    public var description: String { name }

    /// The position of an item in `cases.bin`.
    struct Place: Decodable, Sendable {
      /// Nil for an input whose element i of n is i/n.
      let offset: Int?
      /// The size in bytes.
      let count: Int?
      /// The shape, for a tensor.
      let shape: [Int]?
    }
  }

  private struct Manifest: Decodable { let cases: [Case] }

  /// The cases.
  package let cases: [Case]
  private let bytes: Data

  /// Reads the cases in a folder of the fixtures.
  package init(_ folder: String) throws {
    cases = try JSONDecoder().decode(Manifest.self, from: Fixtures.data("\(folder)/cases.json")).cases
    bytes = try Fixtures.data("\(folder)/cases.bin")
  }

  /// The result of running a network.
  package enum Outcome: Equatable, Sendable {
    case passes
    case refused(String)
    /// The output differs from the expected one.
    case differs(String)
  }

  /// Imports a network and runs it on its input.
  package func outcome(of test: Case, threads: Int = 1) throws -> Outcome {
    do {
      let network = try NeuralNetwork(onnx: model(of: test))
      let trace = try Executor(network, threads: threads).trace(tensor(test.input))
      let (found, expected) = (trace.value(of: network.graph.output), tensor(test.output))
      guard found.shape == expected.shape else { return .differs("shape \(found.shape); expected \(expected.shape)") }
      let difference = Self.difference(found.elements, expected.elements)
      let tolerance = test.tolerance ?? Tolerance.singlePrecision
      return difference <= tolerance ? .passes : .differs("by \(difference) of the largest value")
    } catch let error as any RelevanceKitError {
      return .refused(error.description)
    }
  }

  /// The bytes of a network.
  package func model(of test: Case) -> [UInt8] {
    let offset = test.model.offset ?? 0
    return [UInt8](bytes[offset..<offset + test.model.count!])
  }

  /// The input of a network.
  package func input(of test: Case) -> Tensor { tensor(test.input) }

  private func tensor(_ place: Case.Place) -> Tensor {
    let shape = TensorShape(place.shape!)
    return Tensor(uninitialized: shape) { elements in
      guard let offset = place.offset else {
        for i in elements.indices { elements[i] = Float(Double(i) / Double(shape.count)) }
        return
      }
      _ = bytes.copyBytes(to: UnsafeMutableRawBufferPointer(elements), from: offset..<offset + 4 * shape.count)
    }
  }

  /// The largest difference, relative to the largest finite magnitude. Infinities and NaN must be equal.
  private static func difference(_ found: [Float], _ expected: [Float]) -> Double {
    let largest = expected.filter(\.isFinite).reduce(0) { max($0, abs(Double($1))) }
    let worst = zip(found, expected).reduce(0.0) { worst, pair in
      if pair.0 == pair.1 || pair.0.isNaN && pair.1.isNaN { return worst }
      let difference = abs(Double(pair.0) - Double(pair.1))
      return difference.isFinite ? max(worst, difference) : .infinity
    }
    return largest > 0 ? worst / largest : worst
  }
}
