import ArgumentParser
import Foundation
import RelevanceKit

/// The input of a timed network.
struct BenchInputOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A preprocessed input (.npy). (default: constant gray)", valueName: "input"))
  var path: String?

  @Option(
    help: ArgumentHelp(
      "The height and width of the gray input, for networks with open extents. (default: the model's own)",
      valueName: "s"))
  var side: Int?

  @Option(
    help: ArgumentHelp(
      "Run a batch of n inputs: the input and darker copies of it. Times are those of the whole batch.",
      valueName: "n"))
  var batch = 1

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch is \(batch); expected a positive number") }
    guard let side else { return }
    if side < 1 { throw ValidationError("--side is \(side); expected a positive number") }
    if path != nil { throw ValidationError("--side applies to the gray input; found an input file") }
  }

  /// Loads the batch.
  ///
  /// - Throws: `InputError` if the batch does not fit the network.
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
        throw InputError.doesNotFit("--side \(side)", reason: "the network only takes inputs of shape \(shape)")
      }
      single = Tensor(shape: shape, repeating: 0.1)
    }
    let options = [side.map { "--side \($0)" }, batch > 1 ? "--batch \(batch)" : nil].compactMap { $0 }
    do {
      let shape = try batch == 1 ? single.shape : TensorShape(checking: [batch] + single.shape.dimensions.dropFirst())
      // Check first: the batch itself may be too large.
      let shapes = try model.network.graph.shapes(forInput: shape)
      try checkMemory(for: [shape, shape] + shapes, options)
    } catch let error as GraphError {
      guard !options.isEmpty else {
        if path != nil { throw error }
        throw ModelFault(file: model.file, reason: error.description)
      }
      throw InputError.doesNotFit(options.joined(separator: " "), reason: error.description)
    } catch let error as SimpleError {
      throw InputError.doesNotFit(options.joined(separator: " "), reason: error.description)
    }
    guard batch > 1 else { return single }
    return Tensor(joining: (0..<batch).map { item in single.map { $0 / (1 + 0.01 * Float(item)) } })
  }

  /// - Throws: `RelevanceKitError` if values of these shapes do not fit in memory.
  private func checkMemory(for shapes: [TensorShape], _ options: [String]) throws {
    let needed = shapes.reduce(0.0) { $0 + Double($1.count * MemoryLayout<Float>.size) }
    let available = Double(ProcessLimits.memory)
    guard needed > available else { return }
    func gigabytes(_ bytes: Double) -> String { String(format: "%.1f GB", bytes / 1e9) }
    throw InputError.doesNotFit(
      options.isEmpty ? path ?? "the network's input" : options.joined(separator: " "),
      reason: "a trace needs \(gigabytes(needed)) of memory; expected at most \(gigabytes(available))")
  }
}
