import CRelevanceKernels
import RelevanceTensors

/// Convolution with few channels per group, such as depthwise and grouped convolutions and convolutions of images: sums
/// over taps in registers, without a matrix product.
///
/// Results are as exact as those of im2col. Tasks are groups, or bands of rows of large maps; the division depends on
/// shapes only.
struct DirectConvolution: Sendable {
  let geometry: ConvolutionGeometry

  /// One result: the sum of its terms.
  struct Product {
    let terms: [(x: Floats, part: WeightPart)]
    let target: ConvolutionTarget
  }

  /// The largest number of channels of a group for which this is faster than a product.
  private static let mostChannels = 32
  /// The largest number of channels of an image, for which a product would have too few rows.
  private static let mostColors = 4
  /// The number of multiply-adds that justifies a task.
  private static let leastWork = 1 << 17
  /// The number of floats of a group that are laid out at a time, so that they stay in the second-level cache.
  private static let mostLaidOut = 1 << 15
  /// The number of bands of a map without groups, to give the threads enough tasks.
  private static let fewestBands = 8
  /// The smallest height of a band that justifies laying out the rows around it again.
  private static let fewestRows = 6

  /// Whether direct convolution is faster for a geometry.
  static func suits(_ geometry: ConvolutionGeometry) -> Bool {
    let most = geometry.groups > 1 ? mostChannels : mostColors
    guard geometry.inputs <= most, geometry.groups > 1 || geometry.taps > 1,
      geometry.groups == 1 || geometry.outputs <= mostChannels
    else { return false }
    return withUnsafePointer(to: geometry.window) {
      rk_direct_suits($0, geometry.inputs, geometry.groups > 1 ? geometry.outputs : 1) != 0
    }
  }

  /// output ← Σ part(weight) ∗ x for every product. Consecutive products with the same `x` share its layout.
  func multiply(_ products: [Product], weight: Tensor, items: Int, on workers: Workers) {
    let (geometry, window) = (geometry, geometry.window)
    let whole = withUnsafePointer(to: window) { rk_direct_product_scratch($0, geometry.inputs) }
    let cut = Cut(geometry, rows: Int(window.out_height), laidOut: whole)
    var highest = window
    highest.out_height = cut.rowsOfBand
    let scratch = withUnsafePointer(to: highest) { rk_direct_product_scratch($0, geometry.inputs) }
    let (inputs, outputs) = (geometry.inputs, geometry.outputs)
    let shared = Shared(products)
    weight.withUnsafeElements { weight in
      let weight = Shared(weight.baseAddress!)
      workers.run(items * cut.tasks, scratch: scratch) { task, scratch in
        let (item, groups, rows) = cut[task]
        var band = window
        band.pad_y -= rows.lowerBound * Int(window.stride_y)
        band.out_height = rows.count
        let first = item * geometry.groups + groups.lowerBound
        let at = first * outputs * geometry.outputPositions + rows.lowerBound * Int(window.out_width)
        let weights = weight.pointer + groups.lowerBound * outputs * geometry.depth
        /// The targets with the same operand.
        var (operand, targets): (Floats?, [rk_direct_target]) = (nil, [])
        func compute() {
          guard let operand else { return }
          rk_direct_product(
            operand + first * inputs * geometry.inputPositions, groups.count, inputs, outputs, &band, targets,
            targets.count,
            geometry.outputPositions, scratch)
        }
        for product in shared.pointer {
          let target = product.target
          let (bias, relu): (Floats?, Int32) =
            if case .bias(let bias, let rectifies) = target.epilogue {
              // A tensor's elements do not move while the tensor is alive.
              (bias?.withUnsafeElements { $0.baseAddress! + groups.lowerBound * outputs }, rectifies ? 1 : 0)
            } else {
              (nil, 0)
            }
          for (index, term) in product.terms.enumerated() {
            if term.x != operand {
              compute()
              (operand, targets) = (term.x, [])
            }
            targets.append(
              rk_direct_target(
                weights: weights, part: term.part.kernel, result: target.output + at,
                accumulates: target.accumulates || index > 0 ? 1 : 0, bias: bias, relu: relu, factor: nil))
          }
        }
        compute()
        for product in shared.pointer {
          product.target.followers.compute(
            OutputTile(
              start: at, rows: groups.count * outputs, lead: geometry.outputPositions,
              count: rows.count * Int(window.out_width)))
        }
      }
    }
  }

  /// c ← Σ factor ⊙ part(weight)ᵀ·s
  func scatter(
    _ terms: [(part: WeightPart, factor: Floats?)], weight: Tensor, _ s: Floats, items: Int, seeds: Int,
    _ c: MutableFloats, on workers: Workers
  ) {
    let (geometry, window) = (geometry, geometry.window)
    let (inputs, outputs) = (geometry.inputs, geometry.outputs)
    // The many outputs of a map without groups are added in chunks.
    let chunk = (1...outputs).last { chunk in withUnsafePointer(to: window) { rk_direct_suits($0, 1, chunk) != 0 } }!
    let whole = withUnsafePointer(to: window) { rk_direct_adjoint_scratch($0, chunk) }
    let cut = Cut(geometry, rows: Int(window.height), laidOut: whole)
    var highest = window
    // A band may start at any remainder of the stride.
    highest.height = cut.rowsOfBand + Int(window.stride_y)
    let scratch = withUnsafePointer(to: highest) { rk_direct_adjoint_scratch($0, chunk) }
    let shared = Shared((s: s, c: c, terms: terms))
    weight.withUnsafeElements { weight in
      let weight = Shared(weight.baseAddress!)
      workers.run(items * cut.tasks, scratch: scratch) { task, scratch in
        let (s, c, terms) = shared.pointer
        let (item, groups, rows) = cut[task]
        var band = window
        band.pad_y += rows.lowerBound
        band.height = rows.count
        let offset = groups.lowerBound * inputs * geometry.inputPositions + rows.lowerBound * Int(window.width)
        let size = geometry.groups * inputs * geometry.inputPositions
        for output in stride(from: 0, to: outputs, by: chunk) {
          let first = groups.lowerBound * outputs + output
          let targets = terms.enumerated().map { index, term in
            rk_direct_target(
              weights: weight.pointer + first * geometry.depth, part: term.part.kernel,
              result: c + item * size + offset,
              accumulates: index > 0 || output > 0 ? 1 : 0, bias: nil, relu: 0,
              factor: term.factor.map { $0 + item / seeds * size + offset })
          }
          rk_direct_adjoint(
            s + (item * geometry.groups * outputs + first) * geometry.outputPositions, groups.count, inputs,
            min(chunk, outputs - output), &band, targets, targets.count, geometry.inputPositions, scratch)
        }
      }
    }
  }

  /// How an item is divided into tasks.
  private struct Cut: Sendable {
    private let groups: Int
    private let rows: Int
    private let groupsOfTask: Int
    let rowsOfBand: Int
    private var bands: Int { (rows + rowsOfBand - 1) / rowsOfBand }
    private var runs: Int { (groups + groupsOfTask - 1) / groupsOfTask }
    var tasks: Int { runs * bands }

    init(_ geometry: ConvolutionGeometry, rows: Int, laidOut: Int) {
      (groups, self.rows) = (geometry.groups, rows)
      let work = max(geometry.outputs * geometry.outputPositions * geometry.depth, 1)
      groupsOfTask = min(max(leastWork / work, 1), groups)
      let bands = max(
        (laidOut + mostLaidOut - 1) / mostLaidOut, groups < fewestBands && work >= 4 * leastWork ? fewestBands : 1)
      rowsOfBand = max((rows + bands - 1) / bands, min(fewestRows, rows), 1)
    }

    subscript(task: Int) -> (item: Int, groups: Range<Int>, rows: Range<Int>) {
      let (band, run) = (task % bands, task / bands % runs)
      return (
        task / tasks, run * groupsOfTask..<min((run + 1) * groupsOfTask, groups),
        band * rowsOfBand..<min((band + 1) * rowsOfBand, rows)
      )
    }
  }
}
