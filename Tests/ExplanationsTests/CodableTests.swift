import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Results encoded as JSON and decoded, and their descriptions.
@Suite struct CodableTests {
  private func copy<Value: Codable>(_ value: Value, decoder: JSONDecoder = JSONDecoder()) throws -> Value {
    try decoder.decode(Value.self, from: JSONEncoder().encode(value))
  }

  @Test(
    arguments: [.lrp, CLRP1(against: .classes([2, 3]), strength: 1.5), .integratedGradients, .gradCAM]
      as [any AttributionMethod])
  func explanations(method: any AttributionMethod) throws {
    let trace = try SampleNetwork.branched.explainer().trace(SampleNetwork.input())
    let explanation = try trace.explain(.class(1), by: method)
    let read = try copy(explanation)
    #expect(read.target == explanation.target && read.method.description == method.description)
    #expect(read.scores == explanation.scores && read.signedRelevance == explanation.signedRelevance)
    #expect(read.relevance == explanation.relevance && read.ledger == explanation.ledger)
    #expect(read.completenessErrors == explanation.completenessErrors && read.quantity == explanation.quantity)
    #expect(try copy(trace.predictions()) == trace.predictions())
  }

  @Test func customMethodsNeedTheirCatalog() throws {
    struct Own: AttributionMethod {
      static let name = "own"
      init() {}
    }
    let trace = try SampleNetwork.branched.explainer().trace(SampleNetwork.input())
    let explanation = try trace.explain(.unit(node: "relu1", channel: 2, position: [3, 4]), by: Own())
    let error = #expect(throws: (any Error).self) { try copy(explanation) }
    #expect((error as? any RelevanceKitError)?.description.contains("own") == true)
    let decoder = JSONDecoder()
    decoder.userInfo[.methodCatalog] = MethodCatalog.standard.adding(Own.self)
    #expect(try copy(explanation, decoder: decoder).method is Own)
  }

  @Test(arguments: ["class:3", "class:2@4,5", "region:1", "unit:a/b/3@1,2", "top:2"]) func targets(text: String) throws
  {
    let target = try JSONDecoder().decode([Target].self, from: Data("[\"\(text)\"]".utf8))
    #expect(target.map(\.description) == [text])
    #expect(try copy(target) == target)
  }

  @Test(arguments: [
    #"{"shape":[2],"elements":[1]}"#, #"{"shape":[-1],"elements":[]}"#,
    #"{"shape":[4611686018427387904,4],"elements":[]}"#,
    #"{"elements":[]}"#, "[]",
  ]) func tensorsThatAreNone(text: String) {
    #expect(throws: (any Error).self) { try JSONDecoder().decode(Tensor.self, from: Data(text.utf8)) }
  }

  @Test func printsAFewLines() throws {
    #expect("\(Tensor(shape: [2], elements: [1, -2.5]))" == "2: [1.0, -2.5]")
    let long = "\(Tensor(shape: [2, 4], elements: [1, 2, 3, 4, 5, 6, 7, -8]))"
    #expect(long == "2×4: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, …], from -8.0 to 7.0, sum 20.0")
    let trace = try SampleNetwork.branched.explainer().trace(SampleNetwork.input())
    let lines = "\(try trace.explain(.class(1)))".split(separator: "\n")
    #expect(lines.count <= 5 && lines.allSatisfy { $0.count < 300 })
    #expect(lines[0].hasPrefix("class:1 by lrp: score "))
    #expect("\(Tensor(shape: [0, 3]))" == "0×3: []")
  }
}
