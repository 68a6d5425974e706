import RelevanceSupport
import Testing

/// Texts from files in a form that is safe to display.
@Suite struct TextTests {
  @Test(arguments: [
    ("tabby cat, Größe 5 – 日本 👨‍👩‍👧", nil), ("a\nb\tc\r\n", #"a\nb\tc\r\n"#), ("\u{1B}[2J\u{7}", #"\u{1B}[2J\u{7}"#),
    ("\u{202E}gnp.exe\u{2066}\u{200F}", #"\u{202E}gnp.exe\u{2066}\u{200F}"#),
    ("\u{9B}31m\u{85}\u{2028}\u{7F}\u{0}", #"\u{9B}31m\u{85}\u{2028}\u{7F}\u{0}"#), ("", nil),
  ]) func hiddenCharactersAreShown(text: String, expected: String?) {
    #expect(text.printable == expected ?? text)
  }

  @Test func linesStayLines() { #expect("a\nb\u{1B}".printableLines == "a\nb\\u{1B}") }

  @Test(arguments: [0, 1, 999, 1000, 1001, 5_000_000]) func longTextsAreCut(count: Int) {
    let text = String(repeating: "é", count: count / 2) + String(repeating: "x", count: count - count / 2)
    let cut = text.cut(to: 1000)
    #expect(cut.unicodeScalars.count <= 1000)
    if count <= 1000 {
      #expect(cut == text)
    } else {
      #expect(cut.hasPrefix("ééé") && cut.hasSuffix("xxx") && cut.contains("characters omitted"))
      #expect(cut.unicodeScalars.count > 950)
    }
  }

  @Test func columnsAreRows() {
    #expect(Columns.text([["a\nforged", "b"], ["c", "\u{1B}[2J"]]) == "a\\nforged  b\nc          \\u{1B}[2J")
  }

  @Test func namesWithTheSamePrefixAreSuggested() {
    let names = ["conv1_1", "relu_conv1_1", "pool1"]
    #expect(Suggestion.likeliest(for: "conv", among: names) == "conv1_1")
    #expect(Suggestion.likeliest(for: "pol1", among: names) == "pool1")
    #expect(Suggestion.likeliest(for: "RELU", among: names) == "relu_conv1_1")
    #expect(Suggestion.likeliest(for: "x", among: names) == nil)
    #expect(Suggestion.nearest(to: String(repeating: "a", count: 1_000_000), among: names) == nil)
  }

  @Test func magnitudesOfAllNumbers() {
    #expect([0, 0.5, 1, 123.4, -2e-9, 1e300, .infinity, .nan].map(\.powerOfTen) == [0, -1, 0, 2, -9, 300, 0, 0])
  }
}
