import RelevanceKit

// Explains a model's best class for a grey picture under a table, as a user writes it in YAML, that names the own rule.
let network = try Network(contentsOf: CommandLine.arguments[1])
let table = try RuleTable(
  yaml: """
    name: mine
    extends: EpsilonPlus
    rules:
      - {op: Conv, position: first, rule: absolute, stabiliser: 0.001}
    """, pixelRange: .imageNet, catalogue: .standard.adding(Absolute.self))
let explainer = try Explainer(network, rules: table)
let trace = try explainer.trace(Tensor(shape: network.exampleInputShape(), repeating: 0.5))
let explanation = try trace.explain(.class(trace.predictions()[0].classIndex))
print(explainer.plan)
print("score \(explanation.score), relevance \(Float(explanation.relevance.sum()))")
for cause in AbsorptionCause.allCases where explanation.ledger.losses[cause, default: 0].magnitude > 1e-4 {
  print("lost to \(cause)")
}
