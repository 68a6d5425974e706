import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

// Only this file passes memory to kernels. Every tensor that it returns has been written completely.

extension Layer {
  package var kernel: any Kernel {
    guard let kernel = trace.kernel(of: site.id) else { misfit("has no kernel") }
    return kernel.withoutSteps ?? kernel
  }

  /// The node as a map with weights that rules can modify.
  package var weighted: any WeightedMap {
    if let kernel = kernel as? any WeightedKernel { return kernel }
    return EqualWeights(kernel: mean, inputShape: operandShape, outputShape: outputShape)
  }

  /// The node as a linear map of each operand.
  var linear: any LinearKernel {
    guard let kernel = kernel as? any LinearKernel else { misfit("is not linear") }
    return kernel
  }

  /// The elements of the operand that each output of the node pools.
  var pooled: PooledElements {
    guard let kernel = kernel as? any PoolingKernel else { misfit("does not pool") }
    return kernel.pooled
  }

  /// The node as a kernel that normalizes neighboring elements to mean 0 and variance 1.
  var normalization: NormalizationKernel {
    guard let kernel = kernel as? NormalizationKernel else { misfit("does not normalize") }
    return kernel
  }

  /// Stops the program: a rule that does not apply to a node must have objected when the table was resolved.
  private func misfit(_ reason: String) -> Never {
    preconditionFailure("a rule was used at \(node.name) (\(site.kind)), which \(reason)")
  }

  // MARK: Products

  /// The result of another kernel for the node's operands.
  func value(by kernel: any Kernel) -> Tensor { trace.value(of: site.id, by: kernel) }

  /// `Σₖ partₖ(W)·xₖ`
  func product(_ terms: [(part: WeightPart, x: Tensor)]) -> Tensor {
    countProducts(terms.count, \.productWork)
    var result = workers.pool.tensor(outputShape)
    result.update { y in
      guard !terms.isEmpty else { return y.fill(with: 0) }
      Elements.withPointers(terms.map(\.x.view)) { x in
        y.withPointer { weighted.product(zip(terms, x).map { ($0.part, $1) }, $0, on: workers) }
      }
    }
    return result
  }

  /// `Σₖ factorₖ ⊙ partₖ(W)ᵀ·s`; a factor that is nil is 1.
  func adjoint(_ terms: [(part: WeightPart, factor: Tensor?)], times s: Tensor) -> Tensor {
    clock?.countAdjointProducts(seeds * terms.count, at: site.id)
    countProducts(seeds * terms.count, \.adjointWork)
    let s = s.view
    return relevance(like: operandShape) { c in
      guard !terms.isEmpty else { return c.fill(with: 0) }
      Elements.withPointers(terms.map { $0.factor?.view }) { factors in
        let terms = zip(terms, factors).map { ($0.part, $1) }
        s.withPointer { s in c.withPointer { weighted.adjoint(terms, s, seeds: seeds, $0, on: workers) } }
      }
    }
  }

  private func countProducts(_ count: Int, _ work: (any WeightedKernel) -> LayerWork?) {
    guard let kernel = kernel as? any WeightedKernel, let work = work(kernel) else { return }
    workers.products.add(count * work.multiplyAdds)
  }

  /// The adjoint of a linear map, for the operands that can receive relevance.
  func adjoint(of map: any LinearKernel, times s: Tensor) -> [Tensor?] {
    var results = zip(operandShapes, site.operandIsLive).map { shape, isLive in
      isLive ? workers.pool.tensor(relevanceShape(of: shape)) : nil
    }
    let targets = results.indices.map { index in results[index]?.update { $0 } }
    MutableElements.withPointers(targets) { targets in
      s.view.withPointer { map.adjoint($0, seeds: seeds, targets, on: workers) }
    }
    return results
  }

  /// Relevance sent back to the elements that the output values were taken from. Operands that only decide which
  /// elements are taken receive relevance only if `reachesDeciding` is true.
  func sentToOrigins(_ relevance: consuming Tensor, reachesDeciding: Bool) -> [Tensor?] {
    let wanted = operandShapes.indices.map {
      site.operandIsLive[$0] && (reachesDeciding || !node.operation.decidingOperands.contains($0))
    }
    if node.operation is Where {
      let condition = operands[0].expanded(to: outputShape)
      let r = relevance
      return operandShapes.enumerated().map { index, shape in
        guard index > 0, wanted[index] else { return nil }
        return summed(product(r, condition.map { ($0 != 0) == (index == 1) ? 1 : 0 }), to: shape)
      }
    }
    guard kernel is any GuidedKernel else { return adjoint(of: linear, times: relevance) }
    return sentBack(relevance, wanted: wanted)
  }

  /// Relevance times the derivatives of a kernel with respect to some operands, at the values of the run.
  func sentBack(_ relevance: consuming Tensor, wanted: [Bool]) -> [Tensor?] {
    guard let guided = kernel as? any GuidedKernel else { misfit("has no operands that decide or are multiplied") }
    var results = zip(operandShapes, wanted).map { shape, isWanted in
      isWanted ? workers.pool.tensor(relevanceShape(of: shape)) : nil
    }
    let targets = results.indices.map { index in results[index]?.update { $0 } }
    let r = relevance.view
    MutableElements.withPointers(targets) { targets in
      Elements.withPointers(operands.map(\.view)) { operands in
        r.withPointer {
          guided.adjoint($0, at: operands, items: batch, seeds: seeds, targets, on: workers)
        }
      }
    }
    return results
  }

  // MARK: Elements

  /// A tensor whose runs of elements `body` computes from those of another tensor, on all threads.
  func changed(_ x: Tensor, _ body: @Sendable (_ result: MutableElements, _ x: Elements) -> Void) -> Tensor {
    var result = workers.pool.tensor(x.shape)
    let x = x.view
    result.update { result in
      workers.runSplit(x.count) {
        body(result.run(from: $0.lowerBound, count: $0.count), x.run(from: $0.lowerBound, count: $0.count))
      }
    }
    return result
  }

  /// A tensor for the relevance of values of the given shape; `body` writes it.
  func relevance(like shape: TensorShape, _ body: (MutableElements) -> Void) -> Tensor {
    var result = workers.pool.tensor(relevanceShape(of: shape))
    result.update(body)
    return result
  }

  func relevanceShape(of shape: TensorShape) -> TensorShape {
    Self.relevanceShape(of: shape, batch: batch, seeds: seeds)
  }

  /// Calls `body` with runs of relevance and of the corresponding activations, on all threads.
  func update(
    _ relevance: inout Tensor, with activations: Tensor, _ body: @Sendable (MutableElements, Elements) -> Void
  ) {
    let x = activations.view
    relevance.update { r in
      forEachRun(ofItems: x.count / batch) { at, activation, count in
        body(r.run(from: at, count: count), x.run(from: activation, count: count))
      }
    }
  }

  /// `relevance ⊙ activations`
  func scaled(_ relevance: consuming Tensor, by activations: Tensor) -> Tensor {
    var r = relevance
    update(&r, with: activations) { $0.multiply(by: $1) }
    return r
  }

  /// The product as a new tensor; the relevance is left unchanged.
  func product(_ relevance: Tensor, _ activations: Tensor) -> Tensor {
    let (r, x) = (relevance.view, activations.view)
    return self.relevance(like: activations.shape) { product in
      forEachRun(ofItems: x.count / batch) { at, activation, count in
        product.run(from: at, count: count).set(
          r.run(from: at, count: count), times: x.run(from: activation, count: count))
      }
    }
  }

  /// Calls `body` for each item of the relevance, with the elements of the item, of the operand and of the result. The
  /// result's elements are 0 at first.
  func forEachItem<Value: Sendable>(
    _ relevance: Tensor,
    _ body: @Sendable (_ item: Int, _ r: Elements, _ x: Elements, _ result: MutableElements) -> Value
  ) -> (relevance: Tensor, values: [Value]) {
    let (r, x) = (relevance.view, operand.view)
    let count = x.count / batch
    var result = Tensor(shape: relevanceShape(of: operandShape))
    let values = result.update { result in
      workers.map(batch * seeds) { item in
        body(
          item, r.run(from: item * count, count: count), x.run(from: item / seeds * count, count: count),
          result.run(from: item * count, count: count))
      }
    }
    return (result, values)
  }
}

extension Workers {
  func map<Value: Sendable>(_ tasks: Int, _ body: @Sendable (Int) -> Value) -> [Value] {
    [Value](unsafeUninitializedCapacity: tasks) { values, count in
      let shared = Shared(values)
      run(tasks) { task in shared.pointer.initializeElement(at: task, to: body(task)) }
      count = tasks
    }
  }
}

extension Tensor {
  mutating func add(_ other: Tensor, on workers: Workers) {
    let x = other.view
    update { sum in
      workers.runSplit(x.count) {
        sum.run(from: $0.lowerBound, count: $0.count).add(x.run(from: $0.lowerBound, count: $0.count))
      }
    }
  }

  /// `x − b`, where `b` broadcasts to x.
  func subtractingBroadcast(_ b: Tensor) -> Tensor {
    let (x, bound) = (view, b.view)
    return Tensor(shape) { result in
      b.forEachRun(broadcastTo: shape) { start, own, moves, count in
        let (result, x) = (result.run(from: start, count: count), x.run(from: start, count: count))
        if moves {
          for i in 0..<count { result[i] = x[i] - bound[own + i] }
        } else {
          result.set(x, minus: bound[own])
        }
      }
    }
  }
}

extension Layer {
  /// Relevance times the derivatives of a function of two operands, summed over repetitions where an operand was
  /// broadcast.
  func partials(_ relevance: Tensor, _ derivatives: (Float, Float) -> (a: Float, b: Float)) -> [Tensor?] {
    let shape = outputShape
    let (a, b) = (operands[0].expanded(to: shape), operands[1].expanded(to: shape))
    let factors = [a.combined(with: b) { derivatives($0, $1).a }, a.combined(with: b) { derivatives($0, $1).b }]
    return operandShapes.indices.map { index in
      site.operandIsLive[index]
        ? summed(scaled(relevance, by: factors[index]), to: operandShapes[index]) : nil
    }
  }

  /// The derivatives of a function at the values of the run.
  func derivatives(of function: any ElementwiseFunction) -> Tensor {
    let derive = function.derivativeLoop
    return changed(operand) { result, x in
      x.withPointer { x in result.withPointer { derive(x, $0, result.count) } }
    }
  }

  /// Relevance times the derivatives of a kernel at the values of the run.
  func derivative(of kernel: any DifferentiableKernel, _ relevance: Tensor) -> Tensor {
    let views = [relevance, operand, output].map(\.view)
    return self.relevance(like: operandShape) { c in
      Elements.withPointers(views) { pointers in
        let point = Linearization(
          x: pointers[1], y: pointers[2], count: views[1].count / batch, items: batch, seeds: seeds)
        c.withPointer { kernel.derivative(pointers[0], at: point, $0, on: workers) }
      }
    }
  }
}
