import ArgumentParser
import Foundation
import RelevanceKit

/// What a network is given while it is timed.
struct BenchInputOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A preprocessed input (.npy); by default one of constant gray.", valueName: "input"))
  var path: String?

  @Option(
    help: ArgumentHelp(
      "Height and width of the gray input, for networks that leave them open. (default: the model's own)",
      valueName: "s"))
  var side: Int?

  @Option(
    help: ArgumentHelp(
      "Run and explain n inputs in one trace: the input, and darker copies of it. Times are those of the whole batch.",
      valueName: "n"))
  var batch = 1

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch is \(batch); expected a positive number") }
    guard let side else { return }
    if side < 1 { throw ValidationError("--side is \(side); expected a positive number") }
    if path != nil { throw ValidationError("--side is for the gray input; found an input file as well") }
  }

  /// The batch.
  ///
  /// - Throws: `InputError` if the network does not take it.
  func load(for model: Model) throws -> Tensor {
    let single: Tensor
    if let path {
      single = try NumPyFile.read(path)
      if batch > 1, single.shape.rank == 0 || single.shape[0] != 1 {
        throw InputError.doesNotFit("--batch \(batch)", reason: "expected one item in \(path), found \(single.shape)")
      }
    } else {
      let shape = side.map { model.network.exampleInputShape(side: $0) } ?? model.exampleInputShape
      if let side, !shape.dimensions.dropFirst().contains(side) {
        throw InputError.doesNotFit("--side \(side)", reason: "the network takes no other inputs than \(shape)")
      }
      single = Tensor(shape: shape, repeating: 0.1)
    }
    let options = [side.map { "--side \($0)" }, batch > 1 ? "--batch \(batch)" : nil].compactMap { $0 }
    let items =
      batch == 1 ? single : Tensor(joining: (0..<batch).map { item in single.map { $0 / (1 + 0.01 * Float(item)) } })
    do { _ = try model.network.graph.shapes(forInput: items.shape) } catch let error as GraphError {
      guard !options.isEmpty else {
        if path != nil { throw error }
        throw ModelFault(file: model.file, reason: error.description)
      }
      throw InputError.doesNotFit(options.joined(separator: " "), reason: error.description)
    }
    return items
  }
}
