import RelevanceNetworks
import RelevancePropagation

/// What a constant of a transformer took of a target's score: it is no part of the image, and the ledger books it as a bias.
public struct TokenShare: Sendable, Hashable, Codable {
  /// What the constant is.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Tokens that are joined to those of the image: the class token, one for distillation, registers.
    case classToken = "class token"
    /// What is added to each token.
    case positionEmbedding = "position embedding"
    /// What is added to the scores of attention between tokens: relative positions, masks.
    case attentionBias = "attention bias"
  }

  /// What the constant is.
  public let kind: Kind
  /// The node where it joins what depends on the image.
  public let node: String
  /// What it took, in units of the score.
  public let amount: Double
}

extension Explanation {
  /// What class token, position embedding and the biases of layers took of the score, in a sentence; nil for networks without such constants,
  /// for contrasts, and without a ledger.
  ///
  /// - Complexity: O(entries of the ledger).
  public var constantsRemark: String? {
    let total = Double(scores.reduce(0, +))
    guard !tokenShares.isEmpty, total != 0 else { return nil }
    func percent(_ amount: Double) -> String {
      let percent = 100 * amount / total
      // No −0.0.
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
      parts.append(text("channels that the condition leaves out", ledger.losses[.condition] ?? 0))
    }
    return "by \(method), \(percent(signedRelevance.sum())) of the score of \(target) goes to the image, "
      + "\(parts.dropLast().joined(separator: ", ")) and \(parts.last ?? "")"
  }
}

extension Trace {
  /// What the constants that meet tokens took of the relevance in a ledger.
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

  /// What constant joins tokens at a node: one that is joined to them, or one that differs from token to token and is added.
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
    // Tokens come second, or first where the batch is the second axis.
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
