import RelevanceNetworks

extension NodeReader {
  /// Selects elements at indices that are constant or follow from shapes, or at indices that depend on the image.
  private func gather(_ known: any RelevanceNetworks.Operator, _ places: LiveSelection.Places) throws -> Imported {
    let operands = [try operand(0, "data"), try operand(1, "indices")]
    return .assembly { importer in
      let operation: any RelevanceNetworks.Operator = importer.isLive(operands[1]) ? LiveSelection(places) : known
      return [try importer.add(operation, operands, named: self.name)]
    }
  }
}

extension NodeReader {
  func gather() throws -> Imported {
    let axis = try attributes.int("axis") ?? 0
    return try gather(Gather(axis: axis), .along(axis: axis))
  }

  func gatherElements() throws -> Imported {
    let axis = try attributes.int("axis") ?? 0
    return try gather(GatherElements(axis: axis), .elements(axis: axis))
  }

  func gatherParts() throws -> Imported {
    let axes = try attributes.int("batch_dims") ?? 0
    return try gather(GatherND(batchAxes: axes), .parts(batchAxes: axes))
  }
}

extension Gather: WritableOperator {
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}

extension LiveSelection: WritableOperator {
  var opset: Int { places == .parts(batchAxes: 0) ? 11 : kind == .gatherND ? 12 : 11 }
  var attributes: [WrittenNode.Attribute] {
    switch places {
    case .along(let axis), .elements(let axis): [("axis", .int(axis))]
    case .parts(let batchAxes): [("batch_dims", .int(batchAxes))]
    }
  }
}
