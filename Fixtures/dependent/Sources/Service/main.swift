import Foundation
import RelevanceKit

// Usage: Service MODEL IMAGE
//
// Tests a service under load with many concurrent requests, some of which are canceled, exceed their time limit, or are
// invalid.

let words = CommandLine.arguments
let model = try Model(contentsOf: words[1])
let image = try RGBImage(contentsOf: words[2])
let memory = 256 << 20
let service = try ExplanationService(model, memory: memory)

// The rows of a frame are padded to a power of two.
let bytesPerRow = 512
let pixels = Data(
  (0..<image.height).flatMap { y in
    (0..<image.width).flatMap { x in [image[x, y].blue, image[x, y].green, image[x, y].red, 255] }
      + [UInt8](repeating: 0, count: bytesPerRow - image.width * 4)
  })

func request(_ method: String, _ target: Target = .top(1)) -> Request {
  Request(
    width: image.width, height: image.height, bytesPerRow: bytesPerRow, pixels: pixels, target: target, method: method)
}

/// A message after encoding and decoding, as it is sent over a network.
func sent<Message: Codable>(_ message: Message) throws -> Message {
  try JSONDecoder().decode(Message.self, from: JSONEncoder().encode(message))
}

/// Sends all requests at once, and returns the numbers of their outcomes as text.
func outcomes(
  of requests: [Request], canceledAfter delay: Duration? = nil,
  check: @escaping @Sendable (Int, Answer) throws -> Void = { _, _ in }
) async -> String {
  let ends = await withTaskGroup(of: String.self) { group in
    for (number, request) in requests.enumerated() {
      group.addTask {
        do {
          let answer = try await service.answer(try sent(request))
          guard answer.explanation.signedRelevance.elements.allSatisfy(\.isFinite) else { return "not finite" }
          try check(number, try sent(answer))
          return "answered"
        } catch is CancellationError {
          return "stopped"
        } catch let error as any RelevanceKitError {
          return error.description.count < 400 ? "rejected" : "rejected with a long message"
        } catch is DecodingError {
          return "rejected"
        } catch {
          return "failed: \(error)"
        }
      }
    }
    if let delay {
      try? await Task.sleep(for: delay)
      group.cancelAll()
    }
    return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }
  return ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
}

struct Difference: Error {}

// Each concurrent request has the same result as a single request, to the bit.
let methods = [
  "lrp", "clrp1:strength=0.5", "clrp2", "sglrp", "gradient", "grad-cam", "smoothgrad:samples=3",
  "integrated-gradients:steps=3",
]
let load = methods.flatMap { method in
  (0..<6).map { index in
    var request = request(method, .class(index))
    if index % 3 == 0 { (request.rule, request.node) = ("conv1_1=epsilon:epsilon=0.1", "conv2_1") }
    return request
  }
}
let alone = try Explainer(model, threads: 1).trace(image)
print(
  "concurrent:",
  await outcomes(of: load) { number, answer in
    var trace = alone
    if !load[number].rule.isEmpty { trace = try trace.using(EpsilonRule(epsilon: 0.1), at: "conv1_1") }
    let expected = try trace.explain(
      load[number].target, by: MethodCatalog.standard.method(parsing: load[number].method))
    guard answer.explanation.signedRelevance == expected.signedRelevance, answer.predictions == alone.predictions()
    else { throw Difference() }
    if let activation = answer.atNode.first, activation != (try alone.activation(at: "conv2_1")) { throw Difference() }
  })

// Requests that would take hours, canceled by their callers or by the time limit.
let long = [Request](repeating: request("smoothgrad:samples=1000000"), count: 12)
print("canceled:", await outcomes(of: long, canceledAfter: .milliseconds(100)))
print(
  "out of time:",
  await outcomes(
    of: long.map { request in
      var request = request
      request.timeout = 0.05
      return request
    }))

// Invalid and extreme values in text form.
let texts = [
  "nan", "inf", "-inf", "-1", "1e39", "", "x", "99999999999999999999", "0.5.5", "[1,2]", "=", ",", "\u{1b}[2J",
]
let named = [
  "clrp1:strength=", "clrp1:against=", "clrp2:strength=", "clrp2:head=", "sglrp:x=", "smoothgrad:samples=",
  "smoothgrad:deviation=",
  "smoothgrad:seed=", "integrated-gradients:steps=", "integrated-gradients:baseline=", "grad-cam:layer=",
  "layer-cam:layer=",
  "guided-grad-cam:layer=", "random:seed=", "lrp:x=", "",
]
print("methods:", await outcomes(of: named.flatMap { name in texts.map { request(name + $0) } }))
let rules = ["epsilon:epsilon=", "gamma:gamma=", "alphaBeta:alpha=", "alphaBeta:beta=", "zB:lower=", "zPlus:bias=", ""]
print(
  "rules:",
  await outcomes(
    of: rules.flatMap { rule in
      texts.map { text in
        var request = request("lrp")
        request.rule = "conv1_1=" + rule + text
        return request
      }
    }))
let targets: [Target] =
  [.class(-1), .class(.max), .class(0, at: []), .top(0), .top(.min), .region(0), .unit(node: "", channel: 0)]
  + [
    .unit(node: "conv1_1", channel: -1), .unit(node: "conv1_1", channel: 0, position: [.max, 0]),
    .unit(node: "conv1_1", channel: 0, position: [1]),
  ]
print("targets:", await outcomes(of: targets.map { request("lrp", $0) }))
var frames: [Request] = []
for side in [Int.min, -1, 0, 1 << 40, .max] {
  for change in [\Request.width, \.height, \.bytesPerRow] as [WritableKeyPath<Request, Int>] {
    var one = request("lrp")
    one[keyPath: change] = side
    frames.append(one)
  }
}
frames.append(Request(width: 64, height: 64, bytesPerRow: 256, pixels: Data(), target: .top(1), method: "lrp"))
print("frames:", await outcomes(of: frames))

// Invalid and extreme values as numbers.
let numbers: [Float] = [.nan, .infinity, -.infinity, -1, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
var (answered, rejected) = (0, 0)
@MainActor func attempt(_ body: () throws -> Tensor) throws {
  do {
    guard try body().elements.allSatisfy(\.isFinite) else { throw Difference() }
    answered += 1
  } catch is any RelevanceKitError { rejected += 1 }
}
for number in numbers {
  for method in [
    CLRP1(strength: number), CLRP2(strength: number), IntegratedGradients(baseline: number, steps: 1),
    SmoothGrad(samples: 1, deviation: number),
    SmoothGrad(samples: number == 0 ? 0 : 1), IntegratedGradients(steps: number == -1 ? -1 : 1),
    CLRP1(against: .classes([])),
  ] as [any AttributionMethod] { try attempt { try alone.explain(.class(0), by: method).signedRelevance } }
  for rule in [EpsilonRule(epsilon: number), GammaRule(gamma: number), AlphaBetaRule(alpha: number, beta: number)]
    as [any Rule]
  {
    try attempt { try alone.using(rule, at: "conv1_1").explain(.class(0)).signedRelevance }
  }
  try attempt {
    try RuleLab(alone).experiment([EpsilonRule(epsilon: number)], at: "conv1_1", seed: .channel(0))[0].relevance
  }
  try attempt { try alone.propagate(alone.activation(at: "conv2_1").map { _ in number }, from: "conv2_1").values }
  try attempt {
    try Explainer(model, rules: .default(pixelRange: PixelRange(lower: [number], upper: [1]))).trace(image).logits
  }
  try attempt { try alone.propagate(Tensor(dimensions: [1, 2], elements: [number, 0]), from: "conv2_1").values }
  try attempt {
    try Preprocessing(rescaleFactor: Double(number), mean: [0, 0, 0], standardDeviation: [1, Double(number), 1]).tensor(
      from: image)
  }
  try attempt { try Heatmap(alone.explain(.class(0)).relevance, scale: .fixed(number)).values }
}
print("values: all \(answered + rejected) answered with finite numbers or rejected with an error")

// The limit plus an allowance for the network's weights, code and JSON.
let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }.flatMap { Int($0.filter(\.isNumber)) } ?? 0
print(peak < (memory >> 10) + 400_000 ? "memory within the limit" : "\(peak) kB of memory")
