import RelevanceKit

/// Handmade detectors. On 3 × 16 × 16 pixels, each of 4 × 4 cells has logits of three classes, one for each color: the
/// sum of the color's pixels in the cell minus 4. The objectness is the sum of red, green and minus blue, minus 8.
/// Boxes are arbitrary.
package enum SampleDetector: String, CaseIterable, Sendable {
  /// Boxes and sigmoids along the second axis: YOLOv8, batch × (4 + classes) × positions.
  case boxesThenClasses
  /// Boxes, an objectness and classes by two sigmoids, transposed: YOLOX, batch × positions × (4 + 1 + classes).
  case objectnessBetween
  /// The same for two grids, one after the other. The first grid detects nothing.
  case twoGrids
  /// A single sigmoid over all channels, from which boxes are computed: YOLOv5.
  case oneSigmoid
  /// An objectness, boxes and a softmax over classes on a grid: FastestDet.
  case softmaxOnGrid
  /// Boxes and a softmax over a background and classes: SSD.
  case softmaxBesideBoxes
  /// A softmax over a background and classes, and no boxes, at the end.
  case softmaxAlone
  /// Four sigmoids for boxes, and one for each class: DETR.
  case boxesAsShares
  /// Products of objectness and classes beside boxes.
  case products
  /// Sigmoids that are moved before the end, without boxes: NanoDet.
  case movedSigmoids
  /// Channels last, with a sigmoid at the end.
  case sigmoidAtEnd

  /// The extents of the positions.
  package var positions: [Int] {
    switch self {
    case .softmaxOnGrid: [4, 4]
    case .twoGrids: [32]
    default: [16]
    }
  }
  package var hasObjectness: Bool { [.objectnessBetween, .twoGrids, .oneSigmoid, .softmaxOnGrid].contains(self) }
  /// Whether class 0 is a background.
  package var hasBackground: Bool { [.softmaxBesideBoxes, .softmaxAlone].contains(self) }
  /// The number of channels that are not classes.
  package var others: Int {
    switch self {
    case .softmaxAlone, .movedSigmoids, .sigmoidAtEnd: 0
    default: hasObjectness ? 5 : 4
    }
  }

  /// The position of a cell.
  package func position(_ row: Int, _ column: Int) -> [Int] {
    switch self {
    case .softmaxOnGrid: [row, column]
    case .twoGrids: [16 + row * 4 + column]
    default: [row * 4 + column]
    }
  }

  package func network() throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 16, 16])
    let x = builder.input
    func layer(_ rows: [([Float], Float)]) throws -> Convolution {
      Convolution(
        weight: Tensor(
          shape: [rows.count, 3, 4, 4],
          elements: rows.flatMap { row, _ in row.flatMap { [Float](repeating: $0, count: 16) } }),
        bias: Tensor(shape: [rows.count], elements: rows.map(\.1)),
        window: try Window(kernel: [4, 4], strides: [4, 4]),
        groups: 1)
    }
    let boxRows: [([Float], Float)] = [
      ([0.3, 0.2, 0.4], 9), ([-0.5, 0.6, 0.1], 7), ([0.2, 0.2, 0.2], 3), ([1, -1, 1], 8),
    ]
    let objectRow: [([Float], Float)] = [([1, 1, -1], -8)]
    let classRows: [([Float], Float)] = [([1, 0, 0], -4), ([0, 1, 0], -4), ([0, 0, 1], -4)]
    let nothingRow: [([Float], Float)] = [([0, 0, 0], 2)]
    let boxes = builder.add("boxes", try layer(boxRows), x)
    func flat(_ name: String, _ id: Node.ID, _ channels: Int) -> Node.ID {
      builder.add(name, .reshape(extents: [-1, channels, 16], allowZero: false), id)
    }
    func last(_ name: String, _ id: Node.ID, _ channels: Int) -> Node.ID {
      builder.add(name, Transpose(order: [0, 2, 1]), flat(name + " flat", id, channels))
    }
    func part(_ name: String, _ id: Node.ID, _ range: Range<Int>, axis: Int) -> Node.ID {
      builder.add(
        name, .slice(Slice(starts: .fixed([range.lowerBound]), ends: .fixed([range.upperBound]), axes: .fixed([axis]))),
        id)
    }
    func join(_ axis: Int, _ ids: Node.ID...) {
      switch ids.count {
      case 2: builder.add("joined", Concat(axis: axis), ids[0], ids[1])
      default: builder.add("joined", Concat(axis: axis), ids[0], ids[1], ids[2])
      }
    }
    switch self {
    case .boxesThenClasses:
      // One layer computes both, as in YOLOv8.
      let all = flat("all", builder.add("head", try layer(boxRows + classRows), x), 7)
      let scores = builder.add("sigmoid", Sigmoid(), part("scores", all, 4..<7, axis: 1))
      join(1, part("sides", all, 0..<4, axis: 1), scores)
    case .objectnessBetween, .twoGrids:
      let object = builder.add("object sigmoid", Sigmoid(), builder.add("object", try layer(objectRow), x))
      let classes = builder.add("class sigmoid", Sigmoid(), builder.add("classes", try layer(classRows), x))
      join(1, boxes, object, classes)
      if self == .twoGrids {
        let second = flat("second", Node.ID(builder.count - 1), 8)
        let nothing = try layer(boxRows)
        let dull = builder.add("dull boxes", nothing, x)
        let dullObject = builder.add(
          "dull object sigmoid", Sigmoid(), builder.add("dull object", try layer([([0, 0, 0], -3)]), x))
        let dullClasses = builder.add(
          "dull class sigmoid", Sigmoid(),
          builder.add("dull classes", try layer([([0, 0, 0], 5), ([0, 0, 0], 5), ([0, 0, 0], 5)]), x))
        let first = flat("first", builder.add("dull", Concat(axis: 1), dull, dullObject, dullClasses), 8)
        builder.add("grids", Concat(axis: 2), first, second)
        builder.add("last", Transpose(order: [0, 2, 1]))
      } else {
        _ = last("last", Node.ID(builder.count - 1), 8)
      }
    case .oneSigmoid:
      let all = builder.add("head", try layer(boxRows + objectRow + classRows), x)
      let five = builder.add("anchors", .reshape(extents: [-1, 1, 8, 4, 4], allowZero: false), all)
      let sigmoid = builder.add("sigmoid", Sigmoid(), builder.add("order", Transpose(order: [0, 1, 3, 4, 2]), five))
      let two = builder.constant("two", Tensor(shape: [1], elements: [2]))
      let centers = builder.add("centers", .multiply, part("xy", sigmoid, 0..<2, axis: 4), two)
      let sizes = builder.add("sizes", .multiply, part("wh", sigmoid, 2..<4, axis: 4), two)
      join(4, centers, sizes, part("rest", sigmoid, 4..<8, axis: 4))
      builder.add("list", .reshape(extents: [-1, 16, 8], allowZero: false))
    case .softmaxOnGrid:
      let object = builder.add("object sigmoid", Sigmoid(), builder.add("object", try layer(objectRow), x))
      builder.add("there", Transpose(order: [0, 3, 2, 1]), builder.add("classes", try layer(classRows), x))
      builder.add("softmax", .softmax(Softmax(axis: 3, joinsTrailingAxes: false)))
      let classes = builder.add("back", Transpose(order: [0, 3, 2, 1]))
      join(1, object, boxes, classes)
    case .softmaxBesideBoxes, .softmaxAlone:
      let scores = last("scores", builder.add("classes", try layer(nothingRow + classRows), x), 4)
      let softmax = builder.add("softmax", .softmax(Softmax(axis: 2, joinsTrailingAxes: false)), scores)
      if self == .softmaxBesideBoxes { join(2, softmax, last("sides", boxes, 4)) }
    case .boxesAsShares:
      let sides = builder.add("box sigmoid", Sigmoid(), last("sides", boxes, 4))
      join(
        2, sides, builder.add("sigmoid", Sigmoid(), last("scores", builder.add("classes", try layer(classRows), x), 3)))
    case .products:
      let object = builder.add(
        "object sigmoid", Sigmoid(), last("object list", builder.add("object", try layer(objectRow), x), 1))
      let classes = builder.add(
        "sigmoid", Sigmoid(), last("scores", builder.add("classes", try layer(classRows), x), 3))
      let product = builder.add("product", .multiply, classes, object)
      join(2, last("sides", boxes, 4), product)
    case .movedSigmoids:
      _ = last("last", builder.add("sigmoid", Sigmoid(), builder.add("classes", try layer(classRows), x)), 3)
    case .sigmoidAtEnd:
      builder.add("sigmoid", Sigmoid(), last("last", builder.add("classes", try layer(classRows), x), 3))
    }
    return try builder.network()
  }

  /// A green object in cell (2, 1) and, in cell (0, 3), something blue that is twice as bright and not an object.
  package static func image(hasBlue: Bool) -> Tensor {
    var elements = [Float](repeating: 0, count: 3 * 256)
    for y in 0..<4 {
      for x in 0..<4 {
        elements[256 + (8 + y) * 16 + 4 + x] = 1
        if hasBlue { elements[512 + y * 16 + 12 + x] = 2 }
      }
    }
    return Tensor(shape: [1, 3, 16, 16], elements: elements)
  }
}
