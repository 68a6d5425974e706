import RelevanceExplanations
import RelevanceImaging
import RelevancePropagation
import RelevanceTensors

/// The choice of the class to explain.
public enum TargetChoice: String, Sendable, CaseIterable {
  /// The class that the image is labeled with; each class if there are several.
  case labeled
  /// The class with the highest logit.
  case predicted
}

extension TargetChoice: ParameterValue {
  /// The images that can be explained for the chosen class.
  func images(of data: DataSet) throws -> [LabeledImage] {
    try data.images(with: "a class") { self == .predicted || !$0.classes.isEmpty }
  }

  /// The classes to explain in an image, in ascending order.
  func classes(of image: LabeledImage, in trace: Trace) throws -> [Int] {
    self == .predicted ? [trace.predictions()[0].classIndex] : try trace.checked(image.classes, of: image)
  }
}

/// The values that replace pixels.
public enum ReplacementChoice: Sendable {
  /// The mean of the data set's images, position by position. *Gu18* §5.2.
  case data
  /// The mean pixel of the preprocessing.
  case mean
  /// The same positions of a tensor in a `.npy` file, which has the shape of the input.
  case file(String)
  /// The same positions of a tensor, which has the shape of the input.
  case image(Tensor)
}

extension ReplacementChoice: ParameterValue {
  public init?(text: String) {
    switch text {
    case "data": self = .data
    case "mean": self = .mean
    default: self = .file(text)
    }
  }

  public var text: String {
    switch self {
    case .data: "data"
    case .mean: "mean"
    case .file(let path): path
    case .image: "image"
    }
  }

  /// The replacement pixels, 1 × channels × height × width.
  func image(_ subject: Subject, on data: DataSet) throws -> Tensor {
    switch self {
    case .data:
      return try subject.kept(
        "mean-\(subject.cacheName(for: data, withNetwork: false)).npy", "computing the mean image",
        total: data.images.count, read: { try? NumPyFile.decode($0, name: "mean") }, write: NumPyFile.encode
      ) { try data.meanImage(subject.preprocessing, progress: $0) }
    case .mean:
      guard let first = data.images.lazy.compactMap({ try? RGBImage(contentsOf: $0.path) }).first else {
        throw EvaluationError.nothingToEvaluate(needs: "readable pixels")
      }
      return try subject.preprocessing.tensor(from: first).map { _ in 0 }
    case .file(let path):
      let tensor = try NumPyFile.read(path)
      return tensor.shape.rank == 3 ? tensor.reshaped(to: TensorShape([1] + tensor.shape.dimensions)) : tensor
    case .image(let tensor): return tensor
    }
  }
}

extension Parameter where Owner: NamedEvaluation {
  /// The parameter for the class to explain.
  static func target(_ path: any WritableKeyPath<Owner, TargetChoice> & Sendable) -> Self {
    Self(
      "target", path,
      "Explain the classes that an image is labeled with (labeled), or the class with the highest logit (predicted).")
  }

  /// The parameter for the values that replace pixels.
  static func replacement(_ path: any WritableKeyPath<Owner, ReplacementChoice> & Sendable) -> Self {
    Self(
      "replace", path,
      """
      The values that replace pixels: data (the mean of the data set's images, position by position, as in the paper; \
      it is stored in the output folder), mean (the mean pixel of the preprocessing), or a .npy file with the shape of \
      the input.
      """, in: "replacement", expected: "data, mean or a .npy file"
    ) { choice in
      if case .file(let path) = choice { path.lowercased().hasSuffix(".npy") } else { true }
    }
  }
}

extension DataSet {
  /// The mean of all readable images after preprocessing, in the order of the data set and in double precision. *Gu18*
  /// §5.2. `progress` is called with the number of images processed.
  func meanImage(_ preprocessing: Preprocessing, progress: (Int) throws -> Void) throws -> Tensor {
    var sum: [Double] = []
    var shape: TensorShape?
    var count = 0
    for (number, image) in images.enumerated() {
      try Task.checkCancellation()
      try progress(number)
      guard let pixels = try? RGBImage(contentsOf: image.path) else { continue }
      let tensor = try preprocessing.tensor(from: pixels)
      if let shape, shape != tensor.shape {
        throw EvaluationError(
          "\(image.path): the mean needs images of the same size: expected \(shape), found \(tensor.shape)")
      }
      if sum.isEmpty { sum = [Double](repeating: 0, count: tensor.count) }
      shape = tensor.shape
      tensor.withUnsafeElements { x in for i in x.indices { sum[i] += Double(x[i]) } }
      count += 1
    }
    guard let shape else { throw EvaluationError.nothingToEvaluate(needs: "readable pixels") }
    return Tensor(shape: shape, elements: sum.map { Float($0 / Double(count)) })
  }
}
