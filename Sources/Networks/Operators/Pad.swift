import RelevanceTensors

/// Adds elements around a tensor, or removes elements where numbers are negative.
package struct Pad: Selecting {
  /// The kind of added elements.
  package enum Mode: String, Hashable, Sendable {
    case constant
    /// The tensor mirrored at its first and last elements, which are not repeated.
    case reflect
    /// The first and last elements, repeated.
    case edge
    /// The tensor repeated periodically.
    case wrap
  }
  /// The number of elements before each axis, then the number after each axis.
  package let amounts: List
  /// The axes. Nil means all axes.
  package let axes: List?
  package let mode: Mode
  package let value: Float

  package init(amounts: List, axes: List? = nil, mode: Mode = .constant, value: Float = 0) {
    (self.amounts, self.axes, self.mode, self.value) = (amounts, axes, mode, value)
  }

  package var kind: OperatorKind { .pad }
  package var takesLists: Bool { true }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false && value >= 0 }

  package func turned(by signs: Signs, output: TensorShape) -> (any Operator)? {
    if mode != .constant || value == 0 { return self }
    return signs == .all ? Pad(amounts: amounts, axes: axes, mode: mode, value: -value) : nil
  }

  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let amounts = try self.amounts.values(operands, "pads")
    let axes = try self.axes?.values(operands, "axes").map { try counted($0, rank: x.rank) } ?? Array(0..<x.rank)
    guard amounts.count == 2 * axes.count else {
      throw Misfit("pads has \(amounts.count) numbers; expected \(2 * axes.count), two per axis")
    }
    var picked = Selection.everything(of: x)
    for (i, axis) in axes.enumerated() {
      let (before, after, extent) = (amounts[i], amounts[axes.count + i], x[axis])
      guard before > Int.min else { throw Misfit("pads \(amounts) are too large") }
      // Checked, so that a malicious number cannot request more memory than there is.
      _ = try TensorShape(checking: [max(before, 0), 4]); _ = try TensorShape(checking: [max(after, 0), 4])
      let range = -before..<max(extent + after, -before)
      guard range.count <= 1 << 24 else { throw Misfit("pads \(amounts) are too large") }
      guard mode == .constant || extent > 0 else { throw Misfit("an empty axis cannot be padded by \(mode.rawValue)") }
      picked[axis].indices = try range.map { try source(of: $0, extent: extent) }
    }
    _ = try TensorShape(checking: picked.map(\.indices.count))
    return Selection(input: x, axes: picked, fill: value)
  }

  /// The operand's index for an index that counts from the operand's first element; −1 for the constant.
  private func source(of index: Int, extent: Int) throws -> Int {
    if (0..<extent).contains(index) { return index }
    switch mode {
    case .constant: return -1
    case .edge: return index < 0 ? 0 : extent - 1
    case .wrap: return ((index % extent) + extent) % extent
    case .reflect:
      guard extent > 1 || index == 0 else { throw Misfit("an axis of extent \(extent) cannot be padded by reflection") }
      let period = 2 * (extent - 1)
      let phase = ((index % period) + period) % period
      return phase < extent ? phase : period - phase
    }
  }
}
