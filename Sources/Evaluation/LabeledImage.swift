import RelevanceImaging
import RelevanceSupport

/// A rectangle in pixels, with x from the left and y from the top. The right and bottom edges are exclusive.
public struct BoundingBox: Hashable, Sendable {
  /// The left edge of the first column.
  public var left: Double
  /// The upper edge of the first row.
  public var top: Double
  /// The right edge of the last column.
  public var right: Double
  /// The lower edge of the last row.
  public var bottom: Double

  /// Makes a rectangle from its edges.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  /// The area in pixels; 0 if the rectangle is empty.
  package var area: Double { max(right - left, 0) * max(bottom - top, 0) }

  /// The rectangle, given in pixels of the stored image, in pixels of the network's input and clipped to it; nil if it
  /// is outside of the input.
  package func placed(by placement: PixelPlacement) -> BoundingBox? {
    let corners = [placement.place(x: left, y: top), placement.place(x: right, y: bottom)]
    let columns = corners.map { min(max($0.x, 0), Double(placement.width)) }.sorted()
    let rows = corners.map { min(max($0.y, 0), Double(placement.height)) }.sorted()
    let box = BoundingBox(left: columns[0], top: rows[0], right: columns[1], bottom: rows[1])
    return area > 0 && box.area > 0 ? box : nil
  }
}

/// An object in an image.
public struct LabeledObject: Hashable, Sendable {
  /// The class, as a number among the network's classes.
  public var classIndex: Int
  /// The position, in pixels of the stored image before any EXIF orientation is applied.
  public var box: BoundingBox
  /// The flag of PASCAL VOC for an object that is difficult to recognize.
  public var isDifficult: Bool

  /// Makes an object.
  public init(classIndex: Int, box: BoundingBox, isDifficult: Bool = false) {
    (self.classIndex, self.box, self.isDifficult) = (classIndex, box, isDifficult)
  }
}

/// An image file with its annotations.
public struct LabeledImage: Hashable, Sendable {
  /// The name, which is unique in the data set: the path below the data set's folder.
  public var name: String
  /// The path of the file.
  public var path: String
  /// The classes in the image, as numbers among the network's classes, in ascending order.
  public var classes: [Int]
  /// Objects with their boxes, in the order of the annotation.
  public var objects: [LabeledObject]

  /// Makes a labeled image. The classes of its objects are added to `classes`.
  public init(name: String, path: String, classes: [Int], objects: [LabeledObject] = []) {
    (self.name, self.path) = (name, path)
    self.classes = Set(classes + objects.map(\.classIndex)).sorted()
    self.objects = objects
  }

  /// Whether the boxes of a class cover less than a quarter of the image and the image contains another class, so that
  /// pointing at the center is not sufficient. (J. Zhang et al., “Top-down neural attention by excitation backprop”,
  /// ECCV 2016, §4.1; “difficult” in TorchRay.) `area` is the area of the stored image in pixels.
  package func isDifficult(_ classIndex: Int, area: Double) -> Bool {
    classes.contains { $0 != classIndex } && boxes(of: classIndex).reduce(0) { $0 + $1.area } < area / 4
  }

  /// The boxes of a class.
  package func boxes(of classIndex: Int) -> [BoundingBox] { objects.filter { $0.classIndex == classIndex }.map(\.box) }
}

/// Images with their classes and boxes.
public struct DataSet: Sendable {
  /// The name in reports: the format and the name of the folder.
  public var name: String
  /// The images, sorted by name.
  public var images: [LabeledImage]
  /// Notes for the user, for instance about images that are left out because they have no annotation.
  public var notes: [String]

  /// Makes a data set. Images are sorted by name.
  public init(name: String, images: [LabeledImage], notes: [String] = []) {
    self.name = name
    self.images = images.sorted { $0.name < $1.name }
    self.notes = notes
  }

  /// A random sample of the images, reproducible from the seed; all images if there are not more than `count`.
  ///
  /// - Complexity: O(images log images).
  public func sample(_ count: Int, seed: UInt64) -> DataSet {
    var rest = images
    var generator = SplitMix64(state: seed)
    let drawn = (0..<min(count, images.count)).map { _ in
      let index = generator.nextIndex(below: rest.count)
      rest.swapAt(index, rest.count - 1)
      return rest.removeLast()
    }
    return DataSet(name: name, images: drawn, notes: notes)
  }
}
