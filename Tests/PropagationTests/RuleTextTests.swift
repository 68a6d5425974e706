import RelevanceKit
import Testing

/// Rules in one line of text: their syntax, and errors.
@Suite struct RuleTextTests {
  private static let names = RuleCatalog.standard.names.joined(separator: ", ")

  @Test(arguments: [
    ("zPlus", ["zPlus"]),
    ("epsilon", ["epsilon(epsilon: 1e-06)"]),
    ("epsilon:epsilon=0.1", ["epsilon(epsilon: 0.1)"]),
    ("epsilon:e=0.1,b=bypassed", ["epsilon(epsilon: 0.1, bias: bypassed)"]),
    // An ambiguous key is resolved by its value.
    ("alphaBeta:a=3,b=2", ["alphaBeta(alpha: 3, beta: 2)"]),
    ("alphaBeta:b=bypassed", ["alphaBeta(alpha: 2, beta: 1, bias: bypassed)"]),
    // Alpha or beta determines the other one.
    ("alphaBeta:alpha=1", ["alphaBeta(alpha: 1, beta: 0)"]),
    ("alphaBeta:beta=127.3", ["alphaBeta(alpha: 128.3, beta: 127.3)"]),
    ("zB:l=-2,u=3.5", ["zB(lower: -2, upper: 3.5)"]),
    ("zB:l=[-2,-1, 0],u=[1,2.5,3]", ["zB(lower: [-2, -1, 0], upper: [1, 2.5, 3])"]),
    // A single number applies to all channels.
    ("zB:u=[1,2,3],l=0", ["zB(lower: [0, 0, 0], upper: [1, 2, 3])"]),
    ("winnerTakesAll:t=split", ["winnerTakesAll(ties: split)"]),
    (
      "gamma:g=0..1x5",
      ["gamma(gamma: 0)", "gamma(gamma: 0.25)", "gamma(gamma: 0.5)", "gamma(gamma: 0.75)", "gamma(gamma: 1)"]
    ),
    // From 1 to 10 by equal factors, and from 1 to 9 in equal steps.
    ("gamma:g=1..10x3", ["gamma(gamma: 1)", "gamma(gamma: 3.16)", "gamma(gamma: 10)"]),
    ("gamma:g=1..9x3", ["gamma(gamma: 1)", "gamma(gamma: 5)", "gamma(gamma: 9)"]),
    (
      "zB:u=2,l=-3..-1x3",
      ["zB(lower: -3, upper: 2)", "zB(lower: -2, upper: 2)", "zB(lower: -1, upper: 2)"]
    ),
    (
      "alphaBeta:a=1..2x3,bias=bypassed",
      [
        "alphaBeta(alpha: 1, beta: 0, bias: bypassed)", "alphaBeta(alpha: 1.5, beta: 0.5, bias: bypassed)",
        "alphaBeta(alpha: 2, beta: 1, bias: bypassed)",
      ]
    ),
    (
      "epsilon:e=1e-3..1",
      [0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316].map { "epsilon(epsilon: \($0))" } + ["epsilon(epsilon: 1)"]
    ),
  ])
  func rules(text: String, descriptions: [String]) throws {
    #expect(try RuleCatalog.standard.rules(parsing: text).map(\.description) == descriptions)
  }

  /// The ends of a sweep are exact, and the values between them increase, however narrow the sweep is.
  @Test(arguments: ["1.2345678..1.2345698x10", "0.0012345..0.98765x100", "1e-30..1e30x100", "3e7..4e7x11"])
  func sweepsRise(sweep: String) throws {
    let rules = try RuleCatalog.standard.rules(parsing: "epsilon:e=\(sweep)").map { try #require($0 as? EpsilonRule) }
    let values = rules.map(\.epsilon)
    let ends = sweep.prefix { $0 != "x" }.split(separator: "..").map { Float($0) }
    #expect(values.first == ends[0] && values.last == ends[1])
    #expect(zip(values, values.dropFirst()).allSatisfy(<))
  }

  private static let sweep = "expected a sweep low..high or low..highxN with low < high and N from 2 to 100"

  @Test(arguments: [
    ("", "found no rule; expected one of \(names)"),
    (":e=1", "found no rule; expected one of \(names)"),
    ("epsilno", "found rule epsilno; expected epsilon? One of \(names)"),
    ("lrp:e=1", "found rule lrp; expected one of \(names)"),
    ("epsilon:", "rule epsilon: found \"\"; expected key=value"),
    ("epsilon:0.1", "rule epsilon: found \"0.1\"; expected key=value"),
    ("epsilon:=0.1", "rule epsilon: found \"=0.1\"; expected key=value"),
    ("epsilon:e=0.1,", "rule epsilon: found \"\"; expected key=value"),
    ("epsilon:gamma=1", "found gamma at rule epsilon; expected one of epsilon, bias"),
    ("epsilon:epsilom=1", "found epsilom at rule epsilon; expected epsilon? One of epsilon, bias"),
    ("flat:x=1", "found x at rule flat; expected no parameters: flat has none"),
    (
      "alphaBeta:b=some",
      "rule alphaBeta: found b=some, which may mean beta or bias; expected the full name"
    ),
    ("epsilon:e=small", "rule epsilon: found epsilon \"small\"; expected a number of at least 0"),
    ("epsilon:e=nan", "rule epsilon: found epsilon \"nan\"; expected a number of at least 0"),
    ("epsilon:e=", "rule epsilon: found epsilon \"\"; expected a number of at least 0"),
    ("epsilon:bias=0..1", "rule epsilon: found bias \"0..1\"; expected bypassed or absorbed or distributed"),
    ("epsilon:e=1,epsilon=2", "rule epsilon: found epsilon twice; expected each parameter once"),
    ("alphaBeta:a=2,beta=2", "rule alphaBeta: found alpha 2 and beta 2; expected alpha − beta = 1"),
    ("epsilon:e=..1", "rule epsilon: found epsilon \"..1\"; \(sweep)"),
    ("epsilon:e=0..", "rule epsilon: found epsilon \"0..\"; \(sweep)"),
    ("epsilon:e=1..1", "rule epsilon: found epsilon \"1..1\"; \(sweep)"),
    ("epsilon:e=2..1", "rule epsilon: found epsilon \"2..1\"; \(sweep)"),
    ("epsilon:e=0..inf", "rule epsilon: found epsilon \"0..inf\"; \(sweep)"),
    ("epsilon:e=0..1x1", "rule epsilon: found epsilon \"0..1x1\"; \(sweep)"),
    ("epsilon:e=0..1x101", "rule epsilon: found epsilon \"0..1x101\"; \(sweep)"),
    ("epsilon:e=0..1xx5", "rule epsilon: found epsilon \"0..1xx5\"; \(sweep)"),
    ("epsilon:e=-1..1", "rule epsilon: found epsilon \"-1\"; expected a number of at least 0"),
    ("zB:l=0..1,u=2..3", "rule zB: found sweeps of lower and upper; expected one sweep at most"),
  ])
  func wrongTexts(text: String, sentence: String) {
    let error = #expect(throws: ArgumentError.self) { try RuleCatalog.standard.rules(parsing: text) }
    #expect(error?.description == sentence)
    #expect(error?.category == .usage)
  }
}
