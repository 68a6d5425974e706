import RelevanceImaging
import RelevanceTensors

extension Explainer {
  /// Explains one target in an image.
  ///
  /// This runs the network once per call. To explain one image repeatedly, record a trace: `trace(_:)`.
  ///
  /// - Parameters:
  ///   - image: an upright RGB image of any size; `preprocessing` converts it to the network's input.
  ///   - target: the unit to explain; by default the class with the largest score.
  ///   - method: the attribution method.
  /// - Returns: The relevance of each element of the preprocessed image, 1 × channels × height × width.
  /// - Throws: `RelevanceKitError`, as `trace(_:)` and `Trace.explain(_:by:ledger:)`.
  /// - Complexity: One forward pass, and for most methods one backward pass.
  public func explain(_ image: RGBImage, _ target: Target = .top(1), by method: any AttributionMethod = .lrp) throws
    -> Explanation
  {
    try trace(image).explain(target, by: method)
  }

  /// Explains several targets in an image. They share one run of the network and, for most methods, one backward pass.
  ///
  /// - Throws: As for one target.
  public func explain(_ image: RGBImage, _ targets: [Target], by method: any AttributionMethod = .lrp) throws
    -> [Explanation]
  {
    try trace(image).explain(targets, by: method)
  }

  /// Preprocesses an image, runs the network, and records the values that explanations need. A trace can be explained
  /// repeatedly without another forward pass.
  ///
  /// - Throws: `RelevanceKitError` if the resized image is too large or its shape does not fit the network, and as for
  ///   a tensor.
  public func trace(_ image: RGBImage) throws -> Trace { try trace(input(of: image)) }

  /// An image as the network's input: 1 × channels × height × width, or 1 × height × width × channels if the network
  /// expects this layout.
  private func input(of image: RGBImage) throws -> Tensor { network.arranged(try preprocessing.tensor(from: image)) }
}
