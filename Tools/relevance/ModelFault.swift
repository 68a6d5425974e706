import RelevanceKit

/// An error in a model that appears only when it runs.
struct ModelFault: RelevanceKitError {
  let file: String
  let reason: String

  var category: ErrorCategory { .badData }
  var description: String { "\(file): \(reason)" }
}

/// Runs an operation on a model.
///
/// - Throws: errors of `body`, with the name of the model's file or of the input, whichever is at fault.
func namingModel<Result>(_ model: Model, for input: Input? = nil, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as GraphError {
    if let input, !error.belongs(to: model) { throw InputError.doesNotFit(input.file.name, reason: error.description) }
    throw error.category == .usage ? error : ModelFault(file: model.file, reason: error.description)
  } catch let error as ExecutionError {
    switch (error, input) {
    case (.notFinite(let node), let input?) where node == model.network.graph[model.network.input].name:
      throw InputError.doesNotFit(input.file.name, reason: error.description)
    case (.notFinite, let input?):
      // Weights are finite, so the values overflow for this input, and perhaps for no other.
      throw ModelFault(file: model.file, reason: "\(error.description) for the input \(input.file.name)")
    case (.tooLarge, let input?) where model.network.inputShape != SymbolicShape(input.tensor.shape):
      throw InputError.doesNotFit(input.file.name, reason: error.description)
    default: throw ModelFault(file: model.file, reason: error.description)
    }
  }
}

extension GraphError {
  /// Whether the model is at fault: it fits no input, or not the one that it declares.
  fileprivate func belongs(to model: Model) -> Bool {
    switch self {
    case .inputShape, .noSuchNode: false
    case .shape: (try? model.network.graph.shapes(forInput: model.exampleInputShape)) == nil
    case .duplicateName, .disordered, .inputs: true
    }
  }
}

extension SymbolicShape {
  /// A shape without open extents.
  fileprivate init(_ shape: TensorShape) { self.init(shape.dimensions.map { .fixed($0) }) }
}
