import RelevanceKit
import Testing

/// The class names that exporters write into a model.
@Suite struct MetadataTests {
  @Test(
    arguments: [
      ("{0: 'person', 1: 'dog'}", [0: "person", 1: "dog"]), (#"{"0": "person", "1": "dog"}"#, [0: "person", 1: "dog"]),
      (#"{0: "cat's paw", 2: 'a, b: c'}"#, [0: "cat's paw", 2: "a, b: c"]), (#"{0: 'it\'s'}"#, [0: "it's"]),
      ("{}", nil), ("", nil), ("['a']", nil), ("{0: 'a'", nil), ("{0 'a'}", nil), ("{-1: 'a'}", nil), ("{0: a}", nil),
      ("{0: 'a', 0: 'b'}", nil), ("{x: 'a'}", nil), ("{0: 'a", nil),
    ] as [(String, [Int: String]?)]) func names(text: String, expected: [Int: String]?)
  {
    #expect(Labels(metadata: ["names": text])?.names == expected)
    #expect(Labels(metadata: ["other": text]) == nil)
  }
}
