import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Compares the logits of a network and of its converted form.
struct ConversionCheck {
  private let original: Executor
  private let file: String
  private let limit: Double

  /// Prepares to compare with `original`. Errors name the converted network `file`.
  init(of original: NeuralNetwork, named file: String, limit: Double) throws {
    self.original = Executor(original)
    self.file = file
    self.limit = limit
  }

  /// Compares the logits for a reproducible random input.
  ///
  /// - Throws: `CheckError` if they differ by more than the limit.
  func compare(with converted: NeuralNetwork, randomly shape: TensorShape) throws {
    var generator = SplitMix64(state: 1)
    let input = Tensor(
      shape: shape, elements: (0..<shape.count).map { _ in Float.random(in: -2...2, using: &generator) })
    try compare(with: converted, input, named: "a random input")
  }

  /// Compares the logits for the tensor in a `.npy` file.
  ///
  /// - Throws: `CheckError` if they differ by more than the limit, or if the tensor does not fit the network.
  func compare(with converted: NeuralNetwork, on path: String) throws {
    let tensor = try NumPyFile.read(path)
    let declared = original.network.inputShape
    let batch = TensorShape([1] + tensor.shape.dimensions)
    let input = !declared.admits(tensor.shape) && declared.admits(batch) ? tensor.reshaped(to: batch) : tensor
    do { try compare(with: converted, input, named: path) } catch let error as GraphError {
      throw CheckError.doesNotFit(path, reason: error.description)
    }
  }

  private func compare(with converted: NeuralNetwork, _ input: Tensor, named name: String) throws {
    let expected = try original.logits(input).elements
    let found = try Executor(converted).logits(input).elements
    guard expected.count == found.count else {
      throw CheckError.count(file, input: name, expected: expected.count, found: found.count)
    }
    let largest = expected.reduce(0) { max($0, abs($1)) }
    let difference = zip(expected, found).reduce(0) { max($0, abs($1.0 - $1.1)) }
    let relative = largest > 0 ? Double(difference) / Double(largest) : Double(difference)
    guard relative <= limit else { throw CheckError.differs(file, input: name, by: relative, limit: limit) }
    Console.summary(
      ("checked on \(name) \(input.shape): largest difference \(CheckError.short(relative)), "
        + "relative to the largest logit").printable)
  }
}

/// A converted file whose outputs differ from the original's.
enum CheckError: RelevanceKitError {
  case differs(String, input: String, by: Double, limit: Double)
  case count(String, input: String, expected: Int, found: Int)
  case doesNotFit(String, reason: String)

  var category: ErrorCategory { .badData }

  var description: String {
    switch self {
    case .differs(let file, let input, let difference, let limit):
      "\(file): on \(input), logits differ by \(Self.short(difference)) relative to the largest; expected at most "
        + "\(Self.short(limit))"
    case .count(let file, let input, let expected, let found):
      "\(file): on \(input), found \(found) logits; expected \(expected)"
    case .doesNotFit(let file, let reason): "\(file): \(reason)"
    }
  }

  static func short(_ number: Double) -> String { number == 0 ? "0" : String(format: "%.1e", number) }
}
