import CRelevanceONNX
import RelevanceNetworks
import RelevanceTensors

/// What the inputs of a file's graph are that are no image.
package struct GivenInputs: Sendable {
  var values: [String: Tensor]
  /// Whether inputs that are given no value are zeros, and not an error.
  var areZeros: Bool

  package init(_ values: [String: Tensor] = [:], othersAreZeros areZeros: Bool = false) {
    (self.values, self.areZeros) = (values, areZeros)
  }
}

/// Which of a graph's inputs is the image, and what the others are.
struct InputChoice {
  /// An input as the file declares it.
  struct Declared {
    let name: String
    let operation: Input
  }

  /// Nil if the graph has no input.
  let image: Declared?
  let constants: [(name: String, value: Literal)]
  /// What to say of inputs that no value is given for, which are zeros then; nil if there are none, or if zeros were asked for.
  let missing: ONNXError?

  /// Chooses the image among the inputs that a value depends on and that no value is given for.
  ///
  /// - Throws: `RelevanceKitError`, if values are given for all, for others, or such that do not fit what is declared.
  init(
    _ given: GivenInputs, of graph: UnsafePointer<GraphProto>, _ file: FileGraph, for result: String, model: Model
  ) throws {
    func defect(_ reason: String) -> ONNXError { .file(model.file, reason: reason) }
    let inputs = messages(graph.pointee.n_input, graph.pointee.input)
      .filter { file.inputs.contains(text($0.pointee.name)) }
    var names: Set<String> = []
    for input in inputs where !names.insert(text(input.pointee.name)).inserted {
      throw defect("two inputs are named \(shown(text(input.pointee.name)))")
    }
    for name in given.values.keys.sorted() where !names.contains(name) {
      throw defect(
        "it has no input \(shown(name)); expected \(file.inputs.map { shown($0) }.joined(separator: " or "))")
    }
    let live = file.ancestors(of: [result])
    let used = Set(file.nodes.indices.filter { live[$0] }.flatMap { file.nodes[$0].inputs }).union([result])
    // What is explained may depend on none of them: that is said later.
    let needed = inputs.filter { used.contains(text($0.pointee.name)) }
    let declared = try (needed.isEmpty ? Array(inputs.prefix(1)) : needed).map { input in
      let name = text(input.pointee.name)
      guard let operation = Input(input) else {
        throw defect("input \(shown(name)) declares no tensor shape; expected one")
      }
      return Declared(name: name, operation: operation)
    }
    let open = declared.filter { given.values[$0.name] == nil }
    let image =
      open.first { $0.operation.shape.extents.count == 4 } ?? open.first { $0.operation.elements == .real }
      ?? open.first
    guard image != nil || declared.isEmpty else {
      throw defect("all of its inputs are given; expected one that is not, for the image")
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
  /// A value of what is declared; zeros if it is nil.
  fileprivate func literal(_ value: Tensor?) throws -> Literal {
    let (shape, elements) = (operation.shape, operation.elements)
    let zeros = shape.extents.map { if case .fixed(let extent) = $0 { extent } else { 1 } }
    let value = value ?? Tensor(shape: TensorShape(zeros))
    guard shape.admits(value.shape) else { throw Defect("expected shape \(shape), found \(value.shape)") }
    guard elements != .real else { return .floats(value) }
    let integers = value.elements.map { Int(exactly: $0) }
    guard let all = integers.allSatisfy({ $0 != nil }) ? integers.compactMap({ $0 }) : nil else {
      throw Defect("expected whole numbers, found \(value.elements.first { Int(exactly: $0) == nil }!)")
    }
    return .integers(IntegerTensor(shape: value.shape, elements: all, kind: elements))
  }
}
