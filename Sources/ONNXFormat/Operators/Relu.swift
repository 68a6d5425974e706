import RelevanceNetworks

extension Relu: WritableOperator {
  /// Relu; for integers, Clip.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let inputs = file.inputs(of: id)
    file.finish(
      id,
      file.kinds[id.index] == .real
        ? WrittenNode("Relu", inputs) : WrittenNode("Clip", [inputs[0], file.number(0, "min", of: id)]))
  }
}
