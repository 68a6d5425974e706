import RelevanceExplanations
import RelevanceImaging
import RelevancePropagation
import RelevanceTensors

/// Which class of an image is explained.
public enum TargetChoice: String, Sendable, CaseIterable {
  /// The class that the image is labeled with; each of several.
  case labeled
  /// The class that the network gives the highest logit.
  case predicted
}

extension TargetChoice: ParameterValue {
  /// The images that have what is explained.
  func images(of data: DataSet) throws -> [LabeledImage] {
    try data.images(with: "a class") { self == .predicted || !$0.classes.isEmpty }
  }

  /// The classes that are explained in an image, in rising order.
  func classes(of image: LabeledImage, in trace: Trace) throws -> [Int] {
    self == .predicted ? [trace.predictions()[0].classIndex] : try trace.checked(image.classes, of: image)
  }
}

/// What pixels are replaced by.
public enum ReplacementChoice: Sendable {
  /// The mean of the data set's images, place by place. *Gu18* §5.2.
  case data
  /// The pixel that the preprocessing subtracts.
  case mean
  /// The same places of a tensor of the input's shape, which is in a `.npy` file.
  case file(String)
  /// The same places of a tensor of the input's shape.
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

  /// The pixels, 1 × channels × height × width.
  func image(_ subject: Subject, on data: DataSet) throws -> Tensor {
    switch self {
    case .data:
      return try subject.kept(
        "mean-\(subject.cacheName(for: data, withNetwork: false)).npy", "averaging the images",
        total: data.images.count, read: { try? NumPyFile.decode($0, name: "mean") }, write: NumPyFile.encode
      ) { try data.meanImage(subject.preprocessing, progress: $0) }
    case .mean:
      guard let first = data.images.lazy.compactMap({ try? RGBImage(contentsOf: $0.path) }).first else {
        throw EvaluationError.nothingToEvaluate(needs: "pixels that can be read")
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
  /// Which class is explained.
  static func target(_ path: any WritableKeyPath<Owner, TargetChoice> & Sendable) -> Self {
    Self(
      "target", path,
      "Explain the classes that an image is labeled with (labeled), or the one with the highest logit (predicted).")
  }

  /// What pixels are replaced by.
  static func replacement(_ path: any WritableKeyPath<Owner, ReplacementChoice> & Sendable) -> Self {
    Self(
      "replace", path,
      """
      What pixels are replaced by: data (the mean of the data set's images, place by place, as in the paper; it is kept in the \
      output folder), mean (the pixel that the preprocessing subtracts), or a .npy of the input's shape.
      """, in: "what", expected: "data, mean or a .npy file"
    ) { choice in
      if case .file(let path) = choice { path.lowercased().hasSuffix(".npy") } else { true }
    }
  }
}

extension DataSet {
  /// The mean of the images that can be read, as the network sees them, in the data set's order and in double
  /// precision. *Gu18* §5.2. `progress` is called with the number of images looked at.
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
          "\(image.path): a mean needs images of one size: expected \(shape), found \(tensor.shape)")
      }
      if sum.isEmpty { sum = [Double](repeating: 0, count: tensor.count) }
      shape = tensor.shape
      tensor.withUnsafeElements { x in for i in x.indices { sum[i] += Double(x[i]) } }
      count += 1
    }
    guard let shape else { throw EvaluationError.nothingToEvaluate(needs: "pixels that can be read") }
    return Tensor(shape: shape, elements: sum.map { Float($0 / Double(count)) })
  }
}
