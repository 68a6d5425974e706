import RelevanceImaging
import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

extension Fingerprint {
  mutating func add(_ tensor: Tensor) {
    tensor.withUnsafeElements { for element in $0 { add(UInt64(element.bitPattern)) } }
    add(tensor.shape.description)
  }
}

extension Tensor {
  /// The fingerprint of the shape and the elements, in the form of configurations.
  var fingerprint: [String] { [Fingerprint { $0.add(self) }.hexadecimal] }
}

extension Preprocessing {
  /// The settings that an image's tensor depends on.
  var parts: [String] {
    [resize.map { "\($0)" } ?? "no resize", "\(resampling)", crop.map { "\($0.width)×\($0.height)" } ?? "no crop"]
      + ([rescaleFactor] + mean + standardDeviation).map { "\($0)" } + [flipsChannelOrder ? "BGR" : "RGB"]
      + (cropRounding == .huggingFace ? [] : [cropRounding.rawValue])
  }
}

extension NeuralNetwork {
  /// The fingerprint of the operators, names and weights.
  var fingerprint: Fingerprint {
    Fingerprint {
      for node in graph.nodes {
        $0.add(node.name)
        $0.add("\(node.operation.kind)")
        for tensor in node.operation.parameters { $0.add(tensor) }
      }
    }
  }
}

extension RulePlan {
  /// The fingerprint of the rules of all nodes.
  var fingerprint: Fingerprint {
    Fingerprint { for id in network.graph.ids { $0.add(self[id].map { "\($0.rule)" } ?? "none") } }
  }
}

extension DataSet {
  /// The fingerprint of the images' names, classes and boxes, but not of their pixels.
  var fingerprint: Fingerprint {
    Fingerprint {
      for image in images {
        $0.add(image.name)
        $0.add("\(image.classes)")
        for object in image.objects {
          let box = object.box
          $0.add("\(object.classIndex) \(box.left) \(box.top) \(box.right) \(box.bottom)")
        }
      }
    }
  }
}
