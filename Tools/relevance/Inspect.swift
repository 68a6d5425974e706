import ArgumentParser
import RelevanceKit

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the network's nodes and which rule applies to each.",
    discussion: "Example: relevance inspect squeezenet1.1 --rules paper")

  @OptionGroup var model: ModelOptions
  @OptionGroup var rules: RuleOptions

  func run() throws {
    let model = try model.load()
    let plan = try rules.table(for: model).resolve(for: model.network)
    let shape = model.exampleInputShape
    print(
      "\(model.network.graph.name): input \(model.network.inputShape), shapes for \(shape), rule table \(plan.table.name)"
    )
    print(try plan.description(forInput: shape))
  }
}
