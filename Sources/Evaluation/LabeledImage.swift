import RelevanceImaging
import RelevanceSupport

/// A rectangle in pixels, x from the left and y from the top; the far sides are not part of it.
public struct BoundingBox: Hashable, Sendable {
  /// The first column's left edge.
  public var left: Double
  /// The first row's upper edge.
  public var top: Double
  /// The last column's right edge.
  public var right: Double
  /// The last row's lower edge.
  public var bottom: Double

  /// Makes a rectangle of its sides.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  /// The number of square pixels; 0 if it is empty.
  package var area: Double { max(right - left, 0) * max(bottom - top, 0) }

  /// The rectangle, in pixels of the image as it is stored, in the network's input, as far as it is there; nil if
  /// nothing of it is.
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
  /// Its class, among those of the network.
  public var classIndex: Int
  /// Where it is, in pixels of the image as it is stored, before any EXIF orientation.
  public var box: BoundingBox
  /// PASCAL VOC's flag for an object that is hard to recognize.
  public var isDifficult: Bool

  /// Makes an object.
  public init(classIndex: Int, box: BoundingBox, isDifficult: Bool = false) {
    (self.classIndex, self.box, self.isDifficult) = (classIndex, box, isDifficult)
  }
}

/// An image on disk with what is known of it.
public struct LabeledImage: Hashable, Sendable {
  /// Its name, which no other image of the data set has: its path below the data set's folder.
  public var name: String
  /// The file.
  public var path: String
  /// The classes that are in it, among those of the network, in rising order.
  public var classes: [Int]
  /// Objects with their boxes, in the order of the annotation.
  public var objects: [LabeledObject]

  /// Makes a labeled image; the classes of its objects are added to its own.
  public init(name: String, path: String, classes: [Int], objects: [LabeledObject] = []) {
    (self.name, self.path) = (name, path)
    self.classes = Set(classes + objects.map(\.classIndex)).sorted()
    self.objects = objects
  }

  /// Whether a class's boxes cover less than a quarter of the image while another class is in it: where pointing at the
  /// middle is not enough. (J. Zhang et al., “Top-down neural attention by excitation backprop”, ECCV 2016, §4.1;
  /// TorchRay's “difficult”.) `area` is that of the image, in pixels as it is stored.
  package func isDifficult(_ classIndex: Int, area: Double) -> Bool {
    classes.contains { $0 != classIndex } && boxes(of: classIndex).reduce(0) { $0 + $1.area } < area / 4
  }

  /// The boxes of a class.
  package func boxes(of classIndex: Int) -> [BoundingBox] { objects.filter { $0.classIndex == classIndex }.map(\.box) }
}

/// Images with their classes and boxes.
public struct DataSet: Sendable {
  /// What it is, for reports: its format and the folder's name.
  public var name: String
  /// The images, by name.
  public var images: [LabeledImage]
  /// What was found that its user should know, such as images without an annotation, which are left out.
  public var notes: [String]

  /// Makes a data set; images are put in the order of their names.
  public init(name: String, images: [LabeledImage], notes: [String] = []) {
    self.name = name
    self.images = images.sorted { $0.name < $1.name }
    self.notes = notes
  }

  /// Some of the images, drawn at random, the same for the same seed; all if there are no more.
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
