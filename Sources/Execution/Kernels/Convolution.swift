import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// The algorithm that computes convolutions.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// The fastest algorithm for each layer: Winograd's, or products with weights and windows in the layouts of the
  /// package's loops.
  case automatic
  /// im2col and a matrix product of OpenBLAS for every layer: the reference.
  case im2col
}

extension Convolution: DirectlyComputed { typealias Computed = ConvolutionKernel }

/// A convolution: selects the algorithm and keeps the weights in its layouts.
struct ConvolutionKernel: OperatorKernel, WeightedKernel {
  let inputShape: TensorShape
  let outputShape: TensorShape
  let geometry: ConvolutionGeometry
  private let weight: Tensor
  private let biases: Tensor?
  private let derived: DerivedWeights
  let usesWinograd: Bool
  /// Whether OpenBLAS computes the products.
  private let isReference: Bool
  /// Whether sums are computed without a matrix product.
  let isDirect: Bool

  var bias: (values: Tensor, run: Int)? { biases.map { ($0, geometry.outputPositions) } }

  /// A layout of the weights.
  enum Form: Hashable, Sendable {
    /// outputs × (inputs · taps), as in the model.
    case forward(WeightPart)
    /// inputs × (outputs · taps), with kernels rotated by 180°: the weights of the adjoint.
    case turned(WeightPart)
    /// Packed for products with windows, of the convolution or of its adjoint.
    case packed(WeightPart, turned: Bool)
    /// Packed with a row for each input and tap: for the adjoint of a convolution with strides.
    case packedTaps(WeightPart)
    /// Winograd's 36 × outputs × inputs, of the convolution or of its adjoint.
    case winograd(WeightPart, turned: Bool)
  }

  init(_ convolution: Convolution, at site: KernelSite) throws {
    (inputShape, outputShape, derived) = (site.operands[0].shape, site.output.shape, site.weights)
    (weight, biases) = (convolution.weight, convolution.bias)
    let groups = convolution.groups
    geometry = ConvolutionGeometry(
      groups: groups, inputs: inputShape[1] / groups, outputs: outputShape[1] / groups,
      window: try rk_window(convolution.window, over: inputShape))
    isReference = site.algorithm == .im2col
    isDirect = !isReference && DirectConvolution.suits(geometry)
    usesWinograd = !isReference && !isDirect && WinogradConvolution.suits(geometry)
  }

  func forward(
    _ x: Floats, _ y: MutableFloats, rectifies: Bool, sideProduct: SideProduct?, followers: Followers,
    on workers: Workers
  ) {
    let main = ConvolutionTarget(output: y, epilogue: .bias(biases, rectifies: rectifies), followers: followers)
    let beside = sideProduct.map { ConvolutionTarget(output: $0.product) }
    guard !isDirect else {
      var products = [DirectConvolution.Product(terms: [(x, .all)], target: main)]
      if let beside { products.append(.init(terms: [(x, .positive)], target: beside)) }
      return DirectConvolution(geometry: geometry).multiply(products, weight: weight, items: inputShape[0], on: workers)
    }
    guard usesWinograd else {
      var products = [Product(terms: [(.all, x)], target: main)]
      if let beside { products.append(Product(terms: [(.positive, x)], target: beside)) }
      return multiply(products, turned: false, items: inputShape[0], on: workers)
    }
    var products = [(kernels: kernels(.all, turned: false, on: workers), target: main)]
    if let beside { products.append((kernels(.positive, turned: false, on: workers), beside)) }
    WinogradConvolution(geometry: geometry).multiply(x, items: inputShape[0], products, on: workers)
    if let sideProduct {
      let isPartial = rectifies && sideProduct.scope == .positiveOutputs
      refine(sideProduct.product, [(.positive, x)], needed: isPartial ? UnsafePointer(y) : nil, on: workers)
    }
  }

  func product(_ part: WeightPart, _ x: Floats, _ y: MutableFloats, accumulates: Bool, on workers: Workers) {
    let target = ConvolutionTarget(output: y, accumulates: accumulates)
    guard !isDirect else { return multiply([(part, x)], target, on: workers) }
    guard !usesWinograd else {
      return WinogradConvolution(geometry: geometry)
        .multiply(x, items: inputShape[0], [(kernels(part, turned: false, on: workers), target)], on: workers)
    }
    multiply([Product(terms: [(part, x)], target: target)], turned: false, items: inputShape[0], on: workers)
  }

  func product(_ terms: [(part: WeightPart, x: Floats)], _ y: MutableFloats, on workers: Workers) {
    guard !isDirect else { return multiply(terms, ConvolutionTarget(output: y), on: workers) }
    if usesWinograd {
      for (index, term) in terms.enumerated() { product(term.part, term.x, y, accumulates: index > 0, on: workers) }
      return refine(y, terms, needed: nil, on: workers)
    }
    let product = Product(terms: terms.map { ($0.part, $0.x) }, target: ConvolutionTarget(output: y))
    multiply([product], turned: false, items: inputShape[0], on: workers)
  }

  /// One result: the sum of its terms.
  private struct Product {
    let terms: [(part: WeightPart, x: Floats)]
    let target: ConvolutionTarget
  }

  /// Products with windows, of the convolution or of its adjoint.
  private func multiply(_ products: [Product], turned: Bool, items: Int, on workers: Workers) {
    let geometry = turned ? self.geometry.transposed() : self.geometry
    func prepared<Result>(
      _ form: (WeightPart) -> Form, _ make: ([(x: Floats, weights: Tensor)], ConvolutionTarget) -> Result
    )
      -> [Result]
    {
      products.map { product in make(product.terms.map { ($0.x, weights(form($0.part))) }, product.target) }
    }
    if isReference {
      Im2colConvolution(geometry: geometry).multiply(
        prepared({ turned ? .turned($0) : .forward($0) }) { .init(terms: $0, target: $1) }, items: items, on: workers)
    } else {
      PackedConvolution(geometry: geometry).multiply(
        prepared({ .packed($0, turned: turned) }) { .init(terms: $0, target: $1) }, items: items, on: workers)
    }
  }

  private func multiply(_ terms: [(part: WeightPart, x: Floats)], _ target: ConvolutionTarget, on workers: Workers) {
    DirectConvolution(geometry: geometry).multiply(
      [.init(terms: terms.map { ($0.x, $0.part) }, target: target)], weight: weight, items: inputShape[0], on: workers)
  }

  func adjoint(_ part: WeightPart, _ s: Floats, seeds: Int, _ c: MutableFloats, factor: Floats?, on workers: Workers) {
    adjoint([(part, factor)], s, seeds: seeds, c, on: workers)
  }

  func adjoint(
    _ terms: [(part: WeightPart, factor: Floats?)], _ s: Floats, seeds: Int, _ c: MutableFloats, on workers: Workers
  ) {
    let items = inputShape[0] * seeds
    guard !isDirect else {
      return DirectConvolution(geometry: geometry)
        .scatter(terms, weight: weight, s, items: items, seeds: seeds, c, on: workers)
    }
    guard hasConvolutionAsAdjoint else {
      return Im2colConvolution(geometry: geometry).scatter(
        terms.map { (weights(isReference ? .forward($0.part) : .packedTaps($0.part)), $0.factor) },
        arePacked: !isReference, s, items: items, seeds: seeds, c, on: workers)
    }
    guard terms.count == 1 else { return adjointOneByOne(terms, s, seeds: seeds, c, on: workers) }
    let (part, factor) = terms[0]
    let target = ConvolutionTarget(output: c, epilogue: factor.map { .factor($0, seeds: seeds) } ?? .none)
    let transposed = geometry.transposed()
    if usesWinograd && WinogradConvolution.suits(transposed) {
      WinogradConvolution(geometry: transposed)
        .multiply(s, items: items, [(kernels(part, turned: true, on: workers), target)], on: workers)
    } else {
      multiply([Product(terms: [(part, s)], target: target)], turned: true, items: items, on: workers)
    }
  }

  /// Whether the adjoint is computed as a convolution with rotated kernels. With few channels, a product over all taps
  /// of all channels at once is larger and faster.
  var hasConvolutionAsAdjoint: Bool { geometry.hasUnitStride && (geometry.inputs >= 8 || geometry.isPointwise) }

  /// Rounding errors of Winograd's transforms must not become denominators: products that are small relative to the
  /// largest of their channel are computed directly. Outputs at which no relevance arrives are skipped.
  private func refine(
    _ z: MutableFloats, _ terms: [(part: WeightPart, x: Floats)], needed: Floats?, on workers: Workers
  ) {
    let geometry = geometry
    let positions = geometry.outputPositions
    let shared = Shared((z: z, terms: terms, needed: needed))
    weight.withUnsafeElements { weight in
      let weights = Shared(weight.baseAddress!)
      workers.run(outputShape[0] * outputShape[1]) { plane in
        let (z, terms, needed) = shared.pointer
        let group = plane / geometry.outputs
        let own = terms.map {
          rk_term(x: $0.x + group * geometry.inputs * geometry.inputPositions, part: $0.part.kernel)
        }
        withUnsafePointer(to: geometry.window) {
          _ = rk_refine_small_products(
            own, own.count, geometry.inputs, $0,
            weights.pointer + plane % (geometry.groups * geometry.outputs) * geometry.depth,
            needed.map { $0 + plane * positions }, Self.smallProduct, z + plane * positions)
        }
      }
    }
  }

  /// Relative to the largest product of a channel; Winograd's rounding error is about a hundredth of it.
  private static let smallProduct: Float = 1e-4

  // MARK: Weights

  private func weights(_ form: Form) -> Tensor {
    if form == .forward(.all) { return weight }
    return derived.value(for: form) {
      switch form {
      case .forward(let part): weight.part(part)
      case .turned(let part): turned(weight.part(part))
      case .packed(let part, let turned): packed(part, turned: turned)
      case .packedTaps(let part):
        weight.withUnsafeElements {
          PackedProduct.rows(
            of: $0.baseAddress!, groups: geometry.groups, rows: geometry.depth, depth: geometry.outputs, step: 1,
            depthStep: geometry.depth, part: part)
        }
      case .winograd: preconditionFailure("Winograd's weights are made by kernels(_:turned:on:)")
      }
    }
  }

  private func packed(_ part: WeightPart, turned isTurned: Bool) -> Tensor {
    let turnedGeometry = isTurned ? geometry.transposed() : geometry
    // Without taps, rotation only exchanges rows and columns.
    let readsColumns = isTurned && geometry.taps == 1
    return (isTurned && !readsColumns ? turned(weight) : weight).withUnsafeElements {
      PackedProduct.rows(
        of: $0.baseAddress!, groups: geometry.groups, rows: turnedGeometry.outputs, depth: turnedGeometry.depth,
        step: readsColumns ? 1 : turnedGeometry.depth, depthStep: readsColumns ? turnedGeometry.outputs : 1, part: part)
    }
  }

  private func kernels(_ part: WeightPart, turned: Bool, on workers: Workers) -> WinogradConvolution.Kernels {
    WinogradConvolution.Kernels(weight: weight, part: part, turned: turned) {
      derived.value(for: .winograd(part, turned: turned)) {
        WinogradConvolution(geometry: turned ? geometry.transposed() : geometry)
          .transformed(weight, part: part, turned: turned, on: workers)
      }
    }
  }

  /// outputs × inputs × taps of each group → inputs × outputs × taps, taps in reverse order.
  private func turned(_ weight: Tensor) -> Tensor {
    let (groups, inputs, outputs, taps) = (geometry.groups, geometry.inputs, geometry.outputs, geometry.taps)
    return Tensor(uninitialized: weight.shape) { result in
      weight.withUnsafeElements { source in
        var to = 0
        for group in 0..<groups {
          for input in 0..<inputs {
            for output in 0..<outputs {
              let from = ((group * outputs + output) * inputs + input) * taps
              for tap in 0..<taps { result[to + tap] = source[from + taps - 1 - tap] }
              to += taps
            }
          }
        }
      }
    }
  }
}

extension Tensor {
  /// The weights modified by `part`.
  func part(_ part: WeightPart) -> Tensor {
    guard part != .all else { return self }
    return Tensor(uninitialized: shape) { result in
      withUnsafeElements { rk_part_copy(result.baseAddress!, $0.baseAddress!, $0.count, part.kernel) }
    }
  }
}
