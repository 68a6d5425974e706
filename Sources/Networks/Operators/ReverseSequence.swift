import RelevanceTensors

/// Reverses the first elements along one axis. The second operand contains their number for each index along another
/// axis.
package struct ReverseSequence: Selecting {
  package let batchAxis: Int
  package let timeAxis: Int
  package init(batchAxis: Int, timeAxis: Int) { (self.batchAxis, self.timeAxis) = (batchAxis, timeAxis) }

  package var kind: OperatorKind { .reverseSequence }
  package var takesLists: Bool { true }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let lengths = try integers(1, of: operands)
    let (batch, time) = (try counted(batchAxis, rank: x.rank), try counted(timeAxis, rank: x.rank))
    guard batch != time, lengths.count == x[batch], lengths.allSatisfy({ (0...x[time]).contains($0) }) else {
      throw Misfit("sequence_lens are \(lengths); expected \(x[batch]) numbers from 0 to \(x[time])")
    }
    let strides = x.strides
    let positions = (0..<x.count).map { position in
      let (index, length) = (position / strides[time] % x[time], lengths[position / strides[batch] % x[batch]])
      return index < length ? position + (length - 1 - 2 * index) * strides[time] : position
    }
    return Selection(input: x, output: x, positions: positions)
  }
}
