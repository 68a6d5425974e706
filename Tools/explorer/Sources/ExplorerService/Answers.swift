import Foundation
import RelevanceKit

/// The service's models, images, tables and methods.
public struct OverviewAnswer: Encodable, Sendable {
  struct ModelAnswer: Encodable, Sendable {
    let name: String
    let path: String
    let classes: Int?
    let hasLabels: Bool
    let recommendedTable: String
    /// Assumptions about the model and its preprocessing, and warnings.
    let notes: [String]
    /// The nodes of this network that have a concept index.
    let indexedNodes: [String]
  }
  struct Method: Encodable, Sendable {
    let name: String
    let isContrastive: Bool
    let isRelevance: Bool
    let isSigned: Bool
  }
  let version: String
  /// The page's initial choice for fitting images.
  let fit: String
  let models: [ModelAnswer]
  let images: [String]
  let tables: [String]
  let methods: [Method]
  /// Colors from −steps to +steps, three bytes each, in base64.
  let ramps: [String: String]
  let steps: Int
  /// The causes of absorbed relevance: name and title of each.
  let causes: [[String]]
  let limits: [String: Int]
}

/// A map of numbers, row by row.
public struct MapAnswer: Encodable, Sendable {
  let width: Int
  let height: Int
  /// Single-precision numbers, little-endian, in base64.
  let values: String
  /// The 99.9th percentile of the magnitudes, which has the full color.
  let limit: Float
  let largest: Float
  let sum: Double

  init(_ values: Tensor) throws {
    (height, width) = (values.shape[0], values.shape[1])
    self.values = values.withUnsafeElements { Data(buffer: $0).base64EncodedString() }
    limit = try Heatmap(values).limit
    largest = values.largestMagnitude()
    sum = values.sum()
  }
}

public struct ScoreRow: Encodable, Sendable {
  /// The target in the form that requests use.
  let target: String
  let title: String
  let score: Float
  /// Nil if the score is a quantity.
  let probability: Double?
}

public struct PredictAnswer: Encodable, Sendable {
  let image: String
  let width: Int
  let height: Int
  let scores: [ScoreRow]
  let scoreName: String
  let milliseconds: Double
}

public struct LedgerRow: Encodable, Sendable {
  let node: String
  let rule: String
  let arrives: Float
  let leaves: Float
  let magnitude: Float
  let losses: [String: Float]

  static func rows(of ledger: Ledger) -> [LedgerRow] {
    let largest = ledger.map { max($0.magnitudeIn, $0.magnitudeOut) }.max() ?? 0
    return ledger.map { entry in
      LedgerRow(
        node: entry.node, rule: entry.rule, arrives: Float(entry.relevanceIn), leaves: Float(entry.relevanceOut),
        magnitude: Float(entry.magnitudeIn),
        losses: Dictionary(
          uniqueKeysWithValues: entry.losses.filter { abs($0.value) > 1e-6 * largest }.map { ($0.rawValue, Float($1)) })
      )
    }
  }
}

public struct ExplainAnswer: Encodable, Sendable {
  let image: String
  let target: String
  let title: String
  let method: String
  let score: Float
  /// The unit of the map's values.
  let unit: String
  let colors: String
  let map: MapAnswer
  let ledger: [LedgerRow]
  let warnings: [String]
  let remarks: [String]
  let milliseconds: Double
}

public struct PlanAnswer: Encodable, Sendable {
  struct Row: Encodable, Sendable {
    let node: String
    let kind: String
    let shape: [Int]?
    let rule: String?
    let row: Int?
    let reason: String
  }
  let name: String
  /// The table as YAML.
  let yaml: String?
  /// The reason why the table does not fit the network, or nil if it fits.
  let objection: String?
  let warnings: [String]
  let rows: [Row]
}

public struct ChannelRow: Encodable, Sendable {
  let channel: Int
  let relevance: Double
  let share: Double
  let peak: Float
  let position: [Int]
  let activation: Double
  let peakActivation: Float

  init(_ channel: ChannelRelevance) {
    (self.channel, relevance, share) = (channel.channel, channel.relevance, channel.share)
    (peak, position, activation) = (channel.peak, channel.position, channel.activation)
    peakActivation = channel.peakActivation
  }
}

public struct LayerAnswer: Encodable, Sendable {
  let node: String
  let shape: [Int]
  /// Nil for a layer without positions.
  let map: MapAnswer?
  let channels: [ChannelRow]
  let channelCount: Int
  let milliseconds: Double
}

public struct UnitRow: Encodable, Sendable {
  let channel: Int
  let position: [Int]
  let relevance: Float
  let share: Double
  /// The unit in the form that requests use.
  let target: String
  /// The receptive field: left, top, width and height, in pixels of the network's input.
  let field: [Int]
}

public struct UnitsAnswer: Encodable, Sendable {
  let node: String
  let pixel: [Int]
  let units: [UnitRow]
  let milliseconds: Double
}

public struct AblationAnswer: Encodable, Sendable {
  struct Score: Encodable, Sendable {
    let score: Float
    let probability: Double?
  }
  let title: String
  let before: Score
  let after: Score
  let scores: [ScoreRow]
  let milliseconds: Double
}
