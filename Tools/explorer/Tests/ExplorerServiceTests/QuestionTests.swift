import ExplorerService
import Foundation
import Testing

@Suite("Requests")
struct QuestionTests {
  private func message(_ json: String) -> String? {
    do {
      _ = try JSONDecoder().decode(Question.self, from: Data(json.utf8))
      return nil
    } catch { return ServiceError(error).message }
  }

  @Test(
    "errors are one line",
    arguments: [
      ("{", "not JSON"), ("[]", "expected an object"), (#"{"imgae": "x"}"#, "unknown field imgae"),
      (#"{"fit": "square"}"#, "fit is square; expected crop, whole or native"),
      (#"{"image": 3}"#, "image: expected text"),
      (#"{"top": 0}"#, "top is 0; expected 1 to 1000"), (#"{"pixel": [1]}"#, "pixel has 1 numbers"),
      (#"{"data": "%%%"}"#, "data: expected a JPEG or PNG file in base64"),
      (#"{"channels": [1, "2"]}"#, "channels.[1]"),
    ])
  func names(json: String, part: String) throws {
    let message = try #require(self.message(json))
    #expect(message.contains(part), "\(message)")
    #expect(!message.contains("\n"))
  }

  @Test("missing fields have defaults")
  func hasDefaults() throws {
    let question = try JSONDecoder().decode(Question.self, from: Data(#"{"image": "file:0/a.png"}"#.utf8))
    #expect(question.fit == .crop && question.exclusive && question.ledger && question.method == nil)
  }

  @Test("query parameters set fields, and other parameters are rejected")
  func readsAddresses() throws {
    var question = Question()
    try question.set("target", to: "class:3")
    try question.set("fit", to: "whole")
    #expect(question.target == "class:3" && question.fit == .whole)
    #expect(throws: ServiceError.self) { try question.set("data", to: "x") }
  }
}
