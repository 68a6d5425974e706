import RelevanceNetworks
import RelevancePropagation

/// The part of a target's score that a constant of a transformer receives. It is not part of the image, and the ledger
/// records it as bias.
public struct TokenShare: Sendable, Hashable, Codable {
  /// The kind of constant.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Tokens that are concatenated with the image tokens: the class token, a distillation token, registers.
    case classToken = "class token"
    /// A constant that is added to each token.
    case positionEmbedding = "position embedding"
    /// A constant that is added to the attention scores: relative positions, masks.
    case attentionBias = "attention bias"
  }

  /// The kind of constant.
  public let kind: Kind
  /// The node that combines the constant with values that depend on the image.
  public let node: String
  /// The part that it receives, in units of the score.
  public let amount: Double
}

extension Explanation {
  /// The shares of the class token, the position embedding and the biases of layers in the score, as a sentence. Nil
  /// for networks without such constants, for contrasts, and without a ledger.
  ///
  /// - Complexity: O(entries of the ledger).
  public var constantsRemark: String? {
    let total = Double(scores.reduce(0, +))
    guard !tokenShares.isEmpty, total != 0 else { return nil }
    func percent(_ amount: Double) -> String {
      let percent = 100 * amount / total
      // Avoids −0.0.
      return String(format: "%.1f %%", abs(percent) < 0.05 ? 0 : percent).replacing("-", with: "−")
    }
    func text(_ name: String, _ amount: Double) -> String { "\(percent(amount)) to the \(name)" }
    var parts = TokenShare.Kind.allCases.compactMap { kind in
      let shares = tokenShares.filter { $0.kind == kind }
      return shares.isEmpty ? nil : text(kind.rawValue, shares.reduce(0) { $0 + $1.amount })
    }
    let biases = (ledger.losses[.bias] ?? 0) - tokenShares.reduce(0) { $0 + $1.amount }
    parts.append(text("biases of layers", biases))
    if !conditions.isEmpty {
      parts.append(text("channels that the condition excludes", ledger.losses[.condition] ?? 0))
    }
    return "by \(method), \(percent(signedRelevance.sum())) of the score of \(target) is assigned to the image, "
      + "\(parts.dropLast().joined(separator: ", ")) and \(parts.last ?? "")"
  }
}

extension Trace {
  /// The shares of the constants that are combined with tokens, from a ledger.
  func tokenShares(_ ledger: Ledger) -> [TokenShare] {
    let graph = plan.network.graph
    let kinds = explainer.tokenConstants.value(for: input.shape) {
      Dictionary(
        uniqueKeysWithValues: graph.ids.compactMap { id in
          tokenConstant(at: id).map { (graph[id].name, $0) }
        })
    }
    guard !kinds.isEmpty else { return [] }
    return ledger.compactMap { entry in
      kinds[entry.node].map { TokenShare(kind: $0, node: entry.node, amount: entry.losses[.bias] ?? 0) }
    }
  }

  /// The kind of constant that is combined with tokens at a node: concatenated with them, or added to them with a
  /// different value per token.
  private func tokenConstant(at id: Node.ID) -> TokenShare.Kind? {
    let node = plan.network.graph[id]
    guard reaches(id), [.concat, .add].contains(node.operation.kind) else { return nil }
    let shape = forward.shape(of: id)
    let constants = node.inputs.filter { !reaches($0) }.map { forward.shape(of: $0) }
    guard constants.count < node.inputs.count, let constant = constants.first else { return nil }
    if node.operation.kind == .add, shape.rank >= 4, shape[-1] == shape[-2], constant.rank >= 2,
      constant[-1] == shape[-1], constant[-2] == shape[-2], feedsSoftmax(id)
    {
      return .attentionBias
    }
    guard shape.rank == 3 else { return nil }
    // Tokens are the second axis, or the first one if the batch is the second axis.
    let axis = forward.itemDistance(of: id) == nil ? 1 : 0
    guard TokenGrid(of: shape[axis], at: id, in: self) != nil else { return nil }
    if node.operation.kind == .concat {
      return constants.allSatisfy { $0.rank == 3 && $0[axis] < shape[axis] && $0[2] == shape[2] } ? .classToken : nil
    }
    return constant.rank >= 3 - axis && constant[axis - 3] == shape[axis] && shape[axis] > 1 ? .positionEmbedding : nil
  }

  private func feedsSoftmax(_ id: Node.ID) -> Bool {
    let graph = plan.network.graph
    return graph.ids.contains { graph[$0].operation is Softmax && graph[$0].inputs.contains(id) }
  }
}
