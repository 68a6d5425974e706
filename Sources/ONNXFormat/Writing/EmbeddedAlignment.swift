extension ONNXWriter {
  /// Moves the weights inside a model to offsets that are multiples of 4, so that they can be used without a copy.
  ///
  /// For this, the initializer before each of them (or the model, for the first one) gets a description of a few
  /// spaces.
  static func alignWeights(of model: UnsafeMutablePointer<ModelProto>, in tensors: TensorWriter) throws {
    guard !tensors.embedded.isEmpty, let graph = model.pointee.graph else { return }
    let initializers = (0..<graph.pointee.n_initializer).compactMap { graph.pointee.initializer[$0] }
    // The places for the spaces and the weights that they move, in the order of the file.
    var places: [(before: UnsafeMutablePointer<TensorProto>?, token: UnsafePointer<UInt8>)] = []
    for (index, tensor) in initializers.enumerated() {
      guard let token = tensor.pointee.raw_data.data, tensors.embedded[token] != nil else { continue }
      places.append((index > 0 ? initializers[index - 1] : nil, UnsafePointer(token)))
    }
    var blanks = places.map { _ in Self.fewestBlanks }
    // A longer description can increase the size of the length in front of it. Then another round is necessary.
    for _ in 0..<8 {
      for (place, count) in zip(places, blanks) {
        let text = tensors.arena.string(String(repeating: " ", count: count))
        if let tensor = place.before { tensor.pointee.doc_string = text } else { model.pointee.doc_string = text }
      }
      let offsets = try offsets(of: Set(places.map(\.token)), in: model)
      var moved = 0
      for (index, place) in places.enumerated() {
        let offset = offsets[place.token]! + moved
        let wanted = Self.fewestBlanks + (blanks[index] - Self.fewestBlanks + (4 - offset % 4)) % 4
        moved += wanted - blanks[index]
        blanks[index] = wanted
      }
      if offsets.values.allSatisfy({ $0 % 4 == 0 }) { return }
    }
  }

  private static let fewestBlanks = 1

  /// The offsets of the bytes that the pointers stand for.
  private static func offsets(
    of tokens: Set<UnsafePointer<UInt8>>, in model: UnsafePointer<ModelProto>
  ) throws -> [UnsafePointer<UInt8>: Int] {
    var offset = 0
    var result: [UnsafePointer<UInt8>: Int] = [:]
    try withoutActuallyEscaping({ (bytes: UnsafeBufferPointer<UInt8>) in
      if let start = bytes.baseAddress, tokens.contains(start) { result[start] = offset }
      offset += bytes.count
    }) { try ModelSink($0).take(model) }
    return result
  }
}
