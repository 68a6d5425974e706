import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// ArgMax and ArgMin. Since opset 12, an attribute can select the last of several positions.
  func argumentOfExtreme(isMaximum: Bool) throws -> Imported {
    try node(
      ArgumentOfExtreme(
        isMaximum: isMaximum, axis: attributes.int("axis") ?? 0, keepsAxis: attributes.flag("keepdims", default: true),
        takesLast: attributes.flag("select_last_index")), "data")
  }

  /// TopK: the largest values and their indices. Their number is an attribute before opset 10, and since then an input
  /// that follows from shapes.
  func topElements() throws -> Imported {
    var taken = [try operand(0, "X")]
    let count: List = opset < 10 ? [try attributes.required("k")] : try list(try operand(1, "K"), in: &taken)
    guard try attributes.flag("sorted", default: true) else {
      throw Unsupported("sorted is 0, which does not define an order; expected 1")
    }
    let (axis, isLargest) = (try attributes.int("axis") ?? -1, try attributes.flag("largest", default: true))
    let results = [false, true].map {
      TopElements(axis: axis, isLargest: isLargest, count: count, givesPlaces: $0)
    }
    return .outputs(results, taken)
  }
}

extension ArgumentOfExtreme: WritableOperator {
  var opset: Int { takesLast ? 12 : 11 }
  var attributes: [WrittenNode.Attribute] {
    [("axis", .int(axis)), ("keepdims", .flag(keepsAxis))] + (takesLast ? [("select_last_index", .int(1))] : [])
  }
}

extension TopElements: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.require(opset: 11)
    let count = file.list(count, "k", of: id)
    let node = WrittenNode(
      "TopK", [file.inputs(of: id)[0], count], [("axis", .int(axis)), ("largest", .flag(isLargest))])
    file.finish(id, node, output: givesPlaces ? 1 : 0, of: 2)
  }
}
