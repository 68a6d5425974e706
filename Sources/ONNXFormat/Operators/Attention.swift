import Foundation
import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// Attention of opset 23 and later, `softmax(cap(Q·Kᵀ·scale) + mask)·V`. Operands are batch × heads × tokens ×
  /// channels, or batch × tokens × channels of all heads, which are split and joined again. If K and V have fewer
  /// heads, each serves several heads of Q.
  func attention() throws -> Imported {
    for (index, label) in [(4, "past_key"), (5, "past_value"), (6, "nonpad_kv_seqlen")] {
      guard optionalOperand(index) == nil else { throw Unsupported("\(label); expected none") }
    }
    for label in ["left_window_size", "right_window_size"] {
      guard try attributes.int(label) ?? -1 == -1 else { throw Unsupported("\(label); expected none") }
    }
    let given = (try operand(0, "Q"), try operand(1, "K"), try operand(2, "V"))
    let rank = try rank(of: given.0, else: "Q has an unknown number of axes; expected a known number")
    guard [3, 4].contains(rank), [given.1, given.2].allSatisfy({ $0.rank ?? rank == rank }) else {
      throw Defect("Q has \(rank) axes; expected 3 or 4, and the same number for K and V")
    }
    let cap = try attributes.float("softcap") ?? 0
    let isCausal = try attributes.flag("is_causal")
    let explicitScale = try attributes.float("scale")
    let declared = (try attributes.int("q_num_heads"), try attributes.int("kv_num_heads"))
    return .assembly { graph in
      func extent(_ operand: Operand, _ axis: Int) throws -> Int {
        if case .unavailable = operand { throw Consequence() }
        guard let shape = graph.exampleShape(of: operand), shape.rank == rank else {
          throw Unsupported("its operands have unknown extents; expected fixed ones")
        }
        return shape[axis]
      }
      let heads = (
        q: try rank == 4 ? extent(given.0, 1) : declared.0 ?? 0,
        kv: try rank == 4 ? extent(given.1, 1) : declared.1 ?? 0
      )
      guard heads.q > 0, heads.kv > 0, heads.q % heads.kv == 0 else {
        throw Defect("Q has \(heads.q) heads and K and V have \(heads.kv); expected a multiple")
      }
      let channels = try extent(given.0, -1) / (rank == 4 ? 1 : heads.q)
      guard channels > 0 else { throw Defect("Q has no channels; expected at least 1") }
      func added(_ operation: any RelevanceNetworks.Operator, _ suffix: String, _ operands: Operand...) throws
        -> Operand
      {
        try graph.add(operation, operands, named: "\(name).\(suffix)")
      }
      /// batch × heads × tokens × channels
      func split(_ x: Operand, _ heads: Int, _ label: String) throws -> Operand {
        guard rank == 3 else { return x }
        let parts = try added(Reshape(extents: .fixed([0, 0, heads, -1]), allowZero: false), "\(label)_heads", x)
        return try added(Transpose(order: [0, 2, 1, 3]), "\(label)_order", parts)
      }
      var (q, k, v) = (
        try split(given.0, heads.q, "q"), try split(given.1, heads.kv, "k"), try split(given.2, heads.kv, "v")
      )
      // With an additional axis, broadcasting repeats the heads of K and V.
      let repeats = heads.q / heads.kv
      if repeats > 1 {
        let grouped = Reshape(extents: .fixed([0, heads.kv, repeats, -1, channels]), allowZero: false)
        q = try added(grouped, "q_groups", q)
        (k, v) = (try added(Unsqueeze(axes: [2]), "k_groups", k), try added(Unsqueeze(axes: [2]), "v_groups", v))
      }
      let axes = repeats > 1 ? 5 : 4
      let turned = try added(Transpose(order: Self.exchangingLast(axes)), "k_transpose", k)
      var scores = try added(MatrixProduct(), "scores", q, turned)
      let scale = constant(
        Tensor(shape: [], elements: [explicitScale ?? Float(1 / Double(channels).squareRoot())]), "scale")
      scores = try added(Multiply(), "scaled", scores, scale)
      if cap > 0 {
        let limit = constant(Tensor(shape: [], elements: [cap]), "softcap")
        let bounded = try added(Tanh(), "bounded", added(Divide(), "ratio", scores, limit))
        scores = try added(Multiply(), "capped", bounded, limit)
      }
      if isCausal {
        let extents = try added(ShapeOf(start: axes - 2, end: axes), "extents", scores)
        let masked = try added(ConstantOfShape(value: -.infinity, kind: .real), "masked", extents)
        scores = try added(
          Add(), "causal", scores, added(Triangle(isUpper: true, diagonal: .fixed([1])), "future", masked))
      }
      if let mask = optionalOperand(3) {
        let bias = try maskBias(mask, groups: repeats > 1 ? (heads.kv, repeats) : nil, in: &graph)
        scores = try added(Add(), "mask", scores, bias)
      }
      let weights = try added(Softmax(axis: -1, joinsTrailingAxes: false), "softmax", scores)
      let isLast = rank == 4 && repeats == 1
      var result = try graph.add(MatrixProduct(), [weights, v], named: isLast ? name : "\(name).product")
      if repeats > 1 {
        let extents = [0, heads.q, -1, try extent(given.2, -1) / (rank == 4 ? 1 : heads.kv)]
        let joined = Reshape(extents: .fixed(extents), allowZero: false)
        result = try graph.add(joined, [result], named: rank == 4 ? name : "\(name).joined")
      }
      if rank == 3 {
        let order = try added(Transpose(order: [0, 2, 1, 3]), "order", result)
        result = try graph.add(Reshape(extents: .fixed([0, 0, -1]), allowZero: false), [order], named: name)
      }
      return [result]
    }
  }

  /// The values that a mask adds to scores: the mask itself or, for a Boolean mask, −∞ where it is false.
  private func maskBias(_ mask: Operand, groups: (Int, Int)?, in graph: inout GraphImporter) throws -> Operand {
    func numbers(_ value: Float) -> Operand { constant(Tensor(shape: [], elements: [value]), "\(value)") }
    guard case .constant(let tensor) = mask else {
      throw Unsupported("attn_mask depends on the image; expected a constant")
    }
    var literal = try tensor.literal()
    if literal.kind == .truth {
      let values = literal.floats.map { $0 != 0 ? 0 : -Float.infinity }
      literal = .floats(values)
    }
    var values = literal.floats
    // If K and V have fewer heads, the axis of heads is split in two.
    if let (few, repeats) = groups, values.shape.rank >= 3 {
      let extents = values.shape.dimensions
      let heads = extents[extents.count - 3]
      values = values.reshaped(
        to: TensorShape(extents.dropLast(3) + (heads == 1 ? [1, 1] : [few, repeats]) + extents.suffix(2)))
    }
    return constant(values, "mask")
  }

  /// RotaryEmbedding of opset 23 and later. Rotates pairs of channels by angles whose cosines and sines are given per
  /// position.
  func rotaryEmbedding() throws -> Imported {
    let x = try operand(0, "X")
    let rank = try rank(of: x, else: "X has an unknown number of axes; expected a known number")
    let heads = try attributes.int("num_heads") ?? 0
    guard rank == 4 || rank == 3 && heads > 0 else {
      throw Defect("X has \(rank) axes and num_heads is \(heads); expected 4 axes, or 3 and the number of heads")
    }
    let isInterleaved = try attributes.flag("interleaved")
    let turned = try attributes.int("rotary_embedding_dim") ?? 0
    let caches = [(1, "cos_cache"), (2, "sin_cache")]
    return .assembly { graph in
      func added(_ operation: any RelevanceNetworks.Operator, _ suffix: String, _ operands: Operand...) throws
        -> Operand
      {
        try graph.add(operation, operands, named: "\(name).\(suffix)")
      }
      func slice(_ x: Operand, from start: Int, to end: Int, by step: Int = 1, _ suffix: String) throws -> Operand {
        try added(
          Slice(starts: .fixed([start]), ends: .fixed([end]), axes: .fixed([3]), steps: .fixed([step])), suffix, x)
      }
      // batch × tokens × heads × channels
      let parts =
        try rank == 4
        ? added(Transpose(order: [0, 2, 1, 3]), "tokens", x)
        : added(Reshape(extents: .fixed([0, 0, heads, -1]), allowZero: false), "heads", x)
      if case .unavailable = x { throw Consequence() }
      guard let channels = graph.exampleShape(of: parts).map({ $0[3] }) else {
        throw Unsupported("X has unknown extents; expected fixed ones")
      }
      let size = turned == 0 ? channels : turned
      guard size > 0, size % 2 == 0, size <= channels else {
        throw Defect("the rotation covers \(size) of \(channels) channels; expected an even number")
      }
      let angles = try caches.map { index, label in
        var cache = try operand(index, label)
        if let positions = optionalOperand(3) { cache = try added(Gather(axis: 0), label, cache, positions) }
        return try added(Unsqueeze(axes: [2]), "\(label)_heads", cache)
      }
      let halves =
        try isInterleaved
        ? (slice(parts, from: 0, to: size, by: 2, "even"), slice(parts, from: 1, to: size, by: 2, "odd"))
        : (slice(parts, from: 0, to: size / 2, "first"), slice(parts, from: size / 2, to: size, "second"))
      func product(_ a: Operand, _ b: Operand, _ suffix: String) throws -> Operand {
        try added(Multiply(), suffix, a, b)
      }
      let real = try added(
        Subtract(), "real", product(halves.0, angles[0], "cos1"), product(halves.1, angles[1], "sin2"))
      let imaginary = try added(
        Add(), "imaginary", product(halves.0, angles[1], "sin1"), product(halves.1, angles[0], "cos2"))
      var result: Operand
      if isInterleaved {
        let pairs = try added(
          Concat(axis: 4), "pairs", added(Unsqueeze(axes: [4]), "real_pairs", real),
          added(Unsqueeze(axes: [4]), "imaginary_pairs", imaginary))
        result = try added(Reshape(extents: .fixed([0, 0, 0, -1]), allowZero: false), "turned", pairs)
      } else {
        result = try added(Concat(axis: 3), "turned", real, imaginary)
      }
      if size < channels {
        result = try added(Concat(axis: 3), "all", result, slice(parts, from: size, to: channels, "rest"))
      }
      let last: any RelevanceNetworks.Operator =
        rank == 4 ? Transpose(order: [0, 2, 1, 3]) : Reshape(extents: .fixed([0, 0, -1]), allowZero: false)
      return [try graph.add(last, [result], named: name)]
    }
  }
}
