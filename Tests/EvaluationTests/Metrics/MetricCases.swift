import Foundation
import RelevanceKit
import RelevanceTestSupport

/// Every score compared with `evaluators.py` and `evaluator_statistics.py` in `Tools/reference/oracles`, which
/// implement the definitions in NumPy and share no code with the package. Sums of integers must be exact, and other
/// sums agree up to the order of additions.
enum MetricCases {
  /// The relative tolerance of sums in double precision, whose order of additions differs.
  static let tolerance = 1e-12

  private struct Cases<Case: Decodable>: Decodable {
    let cases: [Case]
  }

  static func cases<Case: Decodable>(_ name: String, of: Case.Type = Case.self) throws -> [Case] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Cases<Case>.self, from: data(name)).cases
  }

  static func data(_ name: String) throws -> Data {
    try Fixtures.data("evaluators/\(name).json")
  }

  private struct MapCase: Decodable {
    let name: String
    let height: Int
    let width: Int
    let values: [Float]
  }

  static func maps() throws -> [String: SaliencyMap] {
    let maps = try cases("maps", of: MapCase.self)
    return Dictionary(
      uniqueKeysWithValues: try maps.map {
        try ($0.name, SaliencyMap(height: $0.height, width: $0.width, values: $0.values))
      })
  }

  static func isClose(_ found: Double, _ expected: Double) -> Bool {
    abs(found - expected) <= tolerance * max(abs(expected), 1)
  }
}
