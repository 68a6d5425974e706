import Foundation
import RelevanceKit

/// The content of `report.json` for studies of units.
struct UnitsReport: JSONReport {
  struct Unit: Encodable {
    let target: String
    let channel: Int
    let position: [Int]
    let activation: Float
    /// Row and column of the center of the patch.
    let patchCenter: [Int]?
    /// The first row or column of the patch, and the one after the last.
    let patchRows: [Int]?
    let patchColumns: [Int]?
    /// The drop of the unit and the largest drop of another unit for this patch, relative to their activations.
    let drop: Float?
    let largestOtherDrop: Float?
    let largestOtherChannel: Int?
    /// Counts from 1.
    let group: Int
  }

  /// How well the patches separate the units.
  struct Merit: Encodable {
    /// The number of patches for which no other unit has a larger drop, and of units that have no larger drop for
    /// another patch.
    let ownLargest: Int
    let mostHurtByOwn: Int
    let ablated: Int
    let meanOwnDrop: Double
    let meanOtherDrop: Double

    init(_ ablation: PatchAblation) {
      ownLargest = ablation.patches.indices.count { ablation.patches[$0] != nil && ablation.isOwnLargest($0) }
      mostHurtByOwn = ablation.patches.indices.count { ablation.isMostHurtByOwn($0) }
      ablated = ablation.ablated
      meanOwnDrop = ablation.meanOwnDrop
      meanOtherDrop = ablation.meanOtherDrop
    }
  }

  struct Group: Encodable {
    let channels: [Int]
    let meanCosine: Double
  }

  struct Entry: Encodable {
    let input: String
    let layer: String
    let activeUnits: Int
    let units: [Unit]
    let drops: [[Float]]
    let merit: Merit
    /// The same for patches at the maxima of the LRP maps.
    let meritOfLRP: Merit
    let cosines: [[Float]]
    let eigenvalues: [Float]
    let groups: [Group]
    /// The mean drop of units for patches of other units, in the same group and in other groups.
    let meanDropInOwnGroup: Double?
    let meanDropInOtherGroups: Double?

    let study: UnitStudy

    private enum CodingKeys: CodingKey {
      case input, layer, activeUnits, units, drops, merit, meritOfLRP, cosines, eigenvalues, groups
      case meanDropInOwnGroup, meanDropInOtherGroups
    }

    init(_ input: String, _ study: UnitStudy, active: Int) {
      self.input = input
      self.study = study
      layer = study.units[0].node
      activeUnits = active
      let ablation = study.ablation
      units = study.units.enumerated().map { index, unit in
        let other = ablation.largestOther(of: index)
        let patch = ablation.patches[index]
        return Unit(
          target: unit.target.description, channel: unit.channel, position: unit.position,
          activation: unit.activation, patchCenter: ablation.centers[index].map { [$0.row, $0.column] },
          patchRows: patch.map { [$0.rows.lowerBound, $0.rows.upperBound] },
          patchColumns: patch.map { [$0.columns.lowerBound, $0.columns.upperBound] },
          drop: patch.map { _ in ablation.drops[index, index] }, largestOtherDrop: other?.drop,
          largestOtherChannel: other.map { study.units[$0.unit].channel }, group: study.clusters.groups[index] + 1)
      }
      drops = Self.rows(ablation.drops)
      merit = Merit(ablation)
      meritOfLRP = Merit(study.lrpAblation)
      cosines = Self.rows(study.similarity)
      eigenvalues = study.clusters.eigenvalues
      meanDropInOwnGroup = study.meanDrop(byPatchesOfOwnGroup: true)
      meanDropInOtherGroups = study.meanDrop(byPatchesOfOwnGroup: false)
      groups = study.clusters.members.enumerated().map { group, members in
        Group(channels: members.map { study.units[$0].channel }, meanCosine: study.cohesion(ofGroup: group))
      }
    }

    private static func rows(_ matrix: Tensor) -> [[Float]] {
      (0..<matrix.shape[0]).map { row in (0..<matrix.shape[1]).map { matrix[row, $0] } }
    }
  }

  let model: String
  let table: String
  let patch: Int
  let replacement: String
  var inputs: [Entry] = []
}

// MARK: The tables

extension UnitsReport.Entry {
  /// The printed text: the title, the table, the matrix and its summary.
  var text: String {
    let title = "\(input): \(layer), \(units.count) of \(activeUnits) active units"
    return
      ([
        title.printable, table, "drop in % of each unit (columns) for the patch of each unit (rows):", matrix,
        meritText,
      ] + groupLines)
      .joined(separator: "\n")
  }

  private var table: String {
    let largest = units.map(\.activation).max() ?? 0
    let decimals = min(max(3 - Double(largest).powerOfTen, 0), 12)
    let header = ["UNIT", "ACTIVATION", "POSITION", "PATCH", "DROP", "LARGEST OTHER", "GROUP"]
    let rows = units.map { unit in
      [
        "\(unit.channel)", Self.fixed(Double(unit.activation), decimals), Self.position(unit.position),
        Self.position(unit.patchCenter ?? []), Self.percent(unit.drop),
        Self.percent(unit.largestOtherDrop) + (unit.largestOtherChannel.map { " of \($0)" } ?? ""), "\(unit.group)",
      ]
    }
    return Columns.text([header] + rows, rightAligned: 0...)
  }

  private var matrix: String {
    let channels = units.map { "\($0.channel)" }
    let rows = zip(channels, drops).map { channel, row in
      [channel] + row.map { Self.fixed(Double($0) * 100, 1) }
    }
    return Columns.text([[""] + channels] + rows, rightAligned: 0...)
  }

  private var meritText: String {
    func numbers(_ merit: UnitsReport.Merit) -> String {
      "diagonal largest in \(merit.ownLargest) of \(merit.ablated) rows and \(merit.mostHurtByOwn) columns; mean drop "
        + "\(Self.percent(merit.meanOwnDrop)) on it, \(Self.percent(merit.meanOtherDrop)) off it"
    }
    return """
      patches by CLRP2: \(numbers(merit))
      patches by LRP:   \(numbers(meritOfLRP))
      patches of other units: mean drop \(Self.percent(meanDropInOwnGroup)) within a group, \
      \(Self.percent(meanDropInOtherGroups)) between groups
      """
  }

  private var groupLines: [String] {
    groups.enumerated().map { index, group in
      "group \(index + 1): \(group.channels.map(String.init).joined(separator: ", "))"
        + (group.channels.count > 1 ? "; mean cosine \(Self.fixed(group.meanCosine, 2))" : "")
    }
  }

  private static func position(_ position: [Int]) -> String {
    position.isEmpty ? "–" : position.map(String.init).joined(separator: ",")
  }

  private static func percent(_ part: (some BinaryFloatingPoint)?) -> String {
    part.map { fixed(Double($0) * 100, 1) + " %" } ?? "–"
  }

  /// A number with a fixed number of decimals, without a negative zero.
  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", value)
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  /// The content of `units.csv`: one line for each unit.
  var unitsCSV: String {
    let header =
      "unit,channel,y,x,activation,patch_y,patch_x,patch_top,patch_left,patch_bottom,patch_right,drop,"
      + "largest_other_drop,largest_other_channel,group"
    let rows = units.map { unit in
      func text(_ value: (some CustomStringConvertible)?) -> String { value.map(\.description) ?? "" }
      // Channels with one axis, for example of a sequence, have no height.
      let place = unit.position.count > 1 ? unit.position.suffix(2).map { Optional($0) } : [nil, unit.position.first]
      let cells: [String] = [
        Self.name(unit), "\(unit.channel)", text(place[0]), text(place[1]), "\(unit.activation)",
        text(unit.patchCenter?[0]), text(unit.patchCenter?[1]), text(unit.patchRows?[0]), text(unit.patchColumns?[0]),
        text(unit.patchRows.map { $0[1] - 1 }), text(unit.patchColumns.map { $0[1] - 1 }), text(unit.drop),
        text(unit.largestOtherDrop), text(unit.largestOtherChannel), "\(unit.group)",
      ]
      return cells
    }
    return CommaSeparatedValues.text([[header]] + rows)
  }

  /// The content of `drops.csv`: the drop of each unit (column) for the patch of each unit (row).
  var dropsCSV: String {
    let rows = zip(units, drops).map { unit, row in [Self.name(unit)] + row.map { "\($0)" } }
    return CommaSeparatedValues.text([["patch_of"] + units.map(Self.name)] + rows)
  }

  private static func name(_ unit: UnitsReport.Unit) -> String {
    CommaSeparatedValues.field(text: unit.target, quoted: true)
  }
}
