import Networks
import Propagation
import Tensors

extension Trace {
  /// Grad-CAM before it is resized: batch × 1 × the layer's height × width. *Selvaraju17* eq. 1 and 2.
  ///
  /// - Throws: `GraphError.noSuchNode` for an unknown layer; `ExplanationError` for a target that does not exist, or a layer without
  ///   positions or from which nothing leads to the target.
  /// - Complexity: one backward pass, from the logits to the layer.
  public func classActivationMap(of target: Target, at layer: String? = nil) throws -> Tensor {
    try classActivationMaps(of: [target], at: layer)[0]
  }

  /// `max(0, Σ_k α_k A_k)` for each target: batch × 1 × the layer's height × width.
  func classActivationMaps(of targets: [Target], at name: String?) throws -> [Tensor] {
    let name = try name ?? defaultCAMLayer()
    let graph = plan.network.graph
    let id = try graph.requiredNode(named: name)
    let activations = forward.value(of: id)
    guard input.shape.rank == 4 else {
      throw ExplanationError.noPositions(node: graph[plan.network.input].name, shape: input.shape)
    }
    guard activations.shape.rank == 4 else { throw ExplanationError.noPositions(node: name, shape: activations.shape) }
    guard id != plan.network.input, reaches(id) else { throw ExplanationError.noRelevance(node: name) }
    let propagator = try propagator(for: .gradient(.gradient))
    let channels = activations.shape[1]
    let positions = activations.shape[2] * activations.shape[3]
    return try inGroups(targets) { group in
      let seeds = try Method.gradient.seeds(for: group, in: self)
      let gradient = propagator.relevance(arrivingAt: id, from: seeds, count: group.count)
      return group.indices.map { number in
        Tensor(uninitialized: [batch, 1, activations.shape[2], activations.shape[3]]) { map in
          map.update(repeating: 0)
          gradient.withUnsafeElements { gradient in
            activations.withUnsafeElements { activations in
              for item in 0..<batch {
                for channel in 0..<channels {
                  let row = ((item * group.count + number) * channels + channel) * positions
                  let mean = (0..<positions).reduce(0.0) { $0 + Double(gradient[row + $1]) } / Double(positions)
                  let start = (item * channels + channel) * positions
                  for p in 0..<positions { map[item * positions + p] += Float(mean) * activations[start + p] }
                }
              }
            }
          }
          for i in map.indices { map[i] = max(map[i], 0) }
        }
      }
    }
  }

  /// Guided backpropagation times the class activation map of the same target.
  func guidedClassActivationMaps(of targets: [Target], at name: String?) throws -> [Map] {
    let maps = try classActivationMaps(of: targets, at: name)
    let guided = try propagated(targets, by: .guidedBackprop, ledger: false)
    return zip(maps, guided).map { map, guided in
      let resized = resizedToInput(map)
      let isLast = plan.network.hasChannelsLast
      let channels = input.shape[isLast ? 3 : 1]
      let positions = input.count / batch / channels
      return Map(
        Tensor(uninitialized: input.shape) { result in
          resized.withUnsafeElements { map in
            guided.values.withUnsafeElements { guided in
              for i in guided.indices {
                let pixel = isLast ? i / channels : i / positions / channels * positions + i % positions
                result[i] = guided[i] * map[pixel]
              }
            }
          }
        })
    }
  }
}

extension Trace {
  /// Maps of one channel as high and wide as the input, with its order of axes.
  func resizedToInput(_ map: Tensor) -> Tensor {
    let isLast = plan.network.hasChannelsLast
    let (height, width) = isLast ? (input.shape[1], input.shape[2]) : (input.shape[2], input.shape[3])
    let resized = map.resized(height: height, width: width)
    return isLast ? resized.reshaped(to: [resized.shape[0], height, width, 1]) : resized
  }
}

extension Tensor {
  /// Maps of one channel, batch × 1 × height × width, in another size, by bilinear interpolation between the middles of elements.
  fileprivate func resized(height newHeight: Int, width newWidth: Int) -> Tensor {
    let (height, width) = (shape[2], shape[3])
    func steps(_ old: Int, _ new: Int) -> [(low: Int, high: Int, part: Float)] {
      (0..<new).map { index in
        let place = Swift.max(0, (Float(index) + 0.5) * Float(old) / Float(new) - 0.5)
        let low = Swift.min(Int(place), old - 1)
        return (low, Swift.min(low + 1, old - 1), place - Float(low))
      }
    }
    let (rows, columns) = (steps(height, newHeight), steps(width, newWidth))
    return Tensor(uninitialized: [shape[0], 1, newHeight, newWidth]) { result in
      withUnsafeElements { x in
        var to = 0
        for item in 0..<shape[0] {
          let plane = x.baseAddress! + item * height * width
          for row in rows {
            let (above, below) = (plane + row.low * width, plane + row.high * width)
            for column in columns {
              let top = above[column.low] + column.part * (above[column.high] - above[column.low])
              let bottom = below[column.low] + column.part * (below[column.high] - below[column.low])
              result[to] = top + row.part * (bottom - top)
              to += 1
            }
          }
        }
      }
    }
  }
}
