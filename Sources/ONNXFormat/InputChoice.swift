import CRelevanceONNX
import RelevanceNetworks
import RelevanceTensors

/// The values of the graph inputs that are not the image.
package struct GivenInputs: Sendable {
  var values: [String: Tensor]
  /// Whether inputs without a given value are zeros. Otherwise they are an error.
  var areZeros: Bool

  package init(_ values: [String: Tensor] = [:], othersAreZeros areZeros: Bool = false) {
    (self.values, self.areZeros) = (values, areZeros)
  }
}

/// The input of a graph that is the image, and the values of the other inputs.
struct InputChoice {
  /// An input as the file declares it.
  struct Declared {
    let name: String
    let operation: Input
  }

  /// The image input; nil if the graph has no input.
  let image: Declared?
  let constants: [(name: String, value: Literal)]
  /// The error for inputs without a given value, which are then zeros. Nil if every input has one, or if zeros were
  /// requested.
  let missing: ONNXError?

  /// Chooses the image among the inputs that a value depends on and that have no given value.
  ///
  /// - Throws: `RelevanceKitError` if all inputs have given values, if a given name is not an input, or if a value
  ///   does not fit the declaration.
  init(
    _ given: GivenInputs, of graph: UnsafePointer<GraphProto>, _ file: FileGraph, for result: String, model: Model
  ) throws {
    func defect(_ reason: String) -> ONNXError { .file(model.file, reason: reason) }
    let inputs = messages(graph.pointee.n_input, graph.pointee.input)
      .filter { file.inputs.contains(text($0.pointee.name)) }
    var names: Set<String> = []
    for input in inputs where !names.insert(text(input.pointee.name)).inserted {
      throw defect("two inputs are named \(shown(text(input.pointee.name))); expected different names")
    }
    for name in given.values.keys.sorted() where !names.contains(name) {
      throw defect(
        "no input is named \(shown(name)); expected \(file.inputs.map { shown($0) }.joined(separator: " or "))")
    }
    let live = file.ancestors(of: [result])
    let used = Set(file.nodes.indices.filter { live[$0] }.flatMap { file.nodes[$0].inputs }).union([result])
    // The value may depend on none of them, which is reported later.
    let needed = inputs.filter { used.contains(text($0.pointee.name)) }
    let declared = try (needed.isEmpty ? Array(inputs.prefix(1)) : needed).map { input in
      let name = text(input.pointee.name)
      guard let operation = Input(input) else {
        throw defect("input \(shown(name)) declares no tensor shape; expected a shape")
      }
      return Declared(name: name, operation: operation)
    }
    let open = declared.filter { given.values[$0.name] == nil }
    let image =
      open.first { $0.operation.shape.extents.count == 4 } ?? open.first { $0.operation.elements == .real }
      ?? open.first
    guard image != nil || declared.isEmpty else {
      throw defect("values are given for all inputs; expected one input without a value, for the image")
    }
    self.image = image
    missing =
      open.count <= 1 || given.areZeros
      ? nil
      : .openInputs(
        file: model.file, declared.map { "\(shown($0.name)) (\($0.operation.shape))" },
        others: open.map(\.name).filter { $0 != image?.name })
    constants = try declared.filter { $0.name != image?.name }.map { input in
      do { return (input.name, try input.literal(given.values[input.name])) } catch let misfit as Defect {
        throw defect("input \(shown(input.name)): \(misfit.reason)")
      }
    }
  }
}

extension InputChoice.Declared {
  /// A value for the declared input; zeros if `value` is nil.
  fileprivate func literal(_ value: Tensor?) throws -> Literal {
    let (shape, elements) = (operation.shape, operation.elements)
    let zeros = shape.extents.map { if case .fixed(let extent) = $0 { extent } else { 1 } }
    let value = value ?? Tensor(shape: TensorShape(zeros))
    guard shape.admits(value.shape) else { throw Defect("the value has shape \(value.shape); expected \(shape)") }
    guard elements != .real else { return .floats(value) }
    let integers = value.elements.map { Int(exactly: $0) }
    guard let all = integers.allSatisfy({ $0 != nil }) ? integers.compactMap({ $0 }) : nil else {
      throw Defect("the value contains \(value.elements.first { Int(exactly: $0) == nil }!); expected integers")
    }
    return .integers(IntegerTensor(shape: value.shape, elements: all, kind: elements))
  }
}
