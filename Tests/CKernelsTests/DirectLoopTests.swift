import CRelevanceKernels
import RelevanceTestSupport
import Testing

/// Convolutions of few channels, against sums over taps in double precision.
@Suite("C loops of direct convolutions")
struct DirectLoopTests {
  /// A convolution with groups.
  private struct Case: CustomStringConvertible {
    let geometry: Geometry
    let groups: Int
    let inputs: Int
    let outputs: Int
    var description: String { "\(geometry), \(groups) groups of \(inputs) to \(outputs) channels" }
  }

  /// Every kernel from 1 to 7 on planes from 1 to 40, with varying strides, dilations and paddings, and numbers of
  /// channels below and above the number that is summed together.
  private static let cases: [Case] = {
    var cases: [Case] = []
    var state: UInt64 = 7
    func pick(_ range: ClosedRange<Int>) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return range.lowerBound + Int(state >> 33) % range.count
    }
    for kernel in 1...7 {
      for stride in 1...4 {
        for width in [1, 2, 5, 7, 8, 9, 14, 16, 17, 23, 24, 28, 33, 40] {
          let geometry = Geometry(
            height: pick(1...12), width: width, kernel: (pick(1...7), kernel), stride: (pick(1...3), stride),
            dilation: (pick(1...2), pick(1...2)), before: (pick(0...4), pick(-1...4)),
            after: (pick(-1...4), pick(0...4)))
          guard geometry.outHeight > 0, geometry.outWidth > 0 else { continue }
          let isDepthwise = pick(0...1) == 0
          cases.append(
            Case(
              geometry: geometry, groups: pick(1...3), inputs: isDepthwise ? 1 : pick(1...7),
              outputs: isDepthwise ? pick(1...2) : pick(1...7)))
        }
      }
    }
    return cases
  }()

  /// Weights modified by two parts, with one result added to existing values; whole numbers, so that sums are exact.
  @Test func products() {
    for (index, one) in Self.cases.enumerated() {
      let (window, taps) = (one.geometry.window, one.geometry.taps())
      let (plane, area, depth) = (one.geometry.height * one.geometry.width, taps.count, one.inputs * taps[0].count)
      var values = Values(seed: index)
      let x = values.whole(one.groups * one.inputs * plane)
      let weights = values.whole(one.groups * one.outputs * depth)
      let (bias, start) = (values.whole(one.groups * one.outputs), values.whole(one.groups * one.outputs * area))
      let part = Part.all[index % Part.all.count]
      func sum(_ channel: Int, _ position: Int, _ part: (Double) -> Double) -> Double {
        (0..<depth).reduce(0.0) { sum, tap in
          guard let from = taps[position][tap % taps[0].count] else { return sum }
          let input = channel / one.outputs * one.inputs + tap / taps[0].count
          return sum + part(Double(weights[channel * depth + tap])) * Double(x[input * plane + from])
        }
      }
      let all = start.indices.map { max(sum($0 / area, $0 % area) { $0 } + Double(bias[$0 / area]), 0) }
      let added = start.indices.map { sum($0 / area, $0 % area, part.of) + Double(start[$0]) }
      withEachInstructionSet { name in
        let (input, w, b) = (Memory(x, shift: index % 4), Memory(weights, shift: 1), Memory(bias))
        let (first, second) = (Memory(count: all.count, shift: 2), Memory(start, shift: 3))
        var window = window
        let scratch = Memory(count: rk_direct_product_scratch(&window, one.inputs))
        let targets = [
          rk_direct_target(
            weights: w.pointer, part: Part.all[0].part, result: first.pointer, accumulates: 0, bias: b.pointer, relu: 1,
            factor: nil),
          rk_direct_target(
            weights: w.pointer, part: part.part, result: second.pointer, accumulates: 1, bias: nil, relu: 0, factor: nil
          ),
        ]
        rk_direct_product(
          input.pointer, one.groups, one.inputs, one.outputs, &window, targets, 2, area, scratch.pointer)
        #expect(scratch.isIntact && first.difference(from: all) == nil, "\(one), \(name)")
        #expect(second.difference(from: added, .within(Tolerance.singlePrecision)) == nil, "\(one), \(part), \(name)")
      }
    }
  }

  /// The transposes, as a whole and in two bands of rows, with a factor.
  @Test func adjoints() {
    for (index, one) in Self.cases.enumerated() {
      let taps = one.geometry.taps()
      let (plane, area, depth) = (one.geometry.height * one.geometry.width, taps.count, one.inputs * taps[0].count)
      var values = Values(seed: index)
      let s = values.whole(one.groups * one.outputs * area)
      let weights = values.whole(one.groups * one.outputs * depth)
      let factor = values.whole(one.groups * one.inputs * plane)
      let part = Part.all[index % Part.all.count]
      var expected = [Double](repeating: 0, count: factor.count)
      for channel in 0..<one.groups * one.outputs {
        for position in 0..<area {
          for tap in 0..<depth {
            guard let to = taps[position][tap % taps[0].count] else { continue }
            let input = channel / one.outputs * one.inputs + tap / taps[0].count
            expected[input * plane + to] +=
              part.of(Double(weights[channel * depth + tap])) * Double(s[channel * area + position])
          }
        }
      }
      for i in expected.indices { expected[i] *= Double(factor[i]) }
      withEachInstructionSet { name in
        let (r, w, f) = (Memory(s, shift: index % 4), Memory(weights, shift: 1), Memory(factor))
        let result = Memory(count: expected.count, shift: 2)
        let middle = one.geometry.height / 2
        for rows in [0..<middle, middle..<one.geometry.height] where !rows.isEmpty {
          var band = one.geometry.window
          band.pad_y += rows.lowerBound
          band.height = rows.count
          let at = rows.lowerBound * one.geometry.width
          let scratch = Memory(count: rk_direct_adjoint_scratch(&band, one.outputs))
          var target = rk_direct_target(
            weights: w.pointer, part: part.part, result: result.pointer + at, accumulates: 0, bias: nil, relu: 0,
            factor: f.pointer + at)
          rk_direct_adjoint(r.pointer, one.groups, one.inputs, one.outputs, &band, &target, 1, plane, scratch.pointer)
          #expect(scratch.isIntact, "\(one), \(name)")
        }
        #expect(
          result.difference(from: expected, .within(Tolerance.singlePrecision)) == nil, "\(one), \(part), \(name)")
      }
    }
  }
}
