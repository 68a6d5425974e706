import RelevanceSupport

/// How a data set lies on disk.
public enum DataSetFormat: String, CaseIterable, Sendable {
  /// A flat folder of images and a file with their classes, as ILSVRC's validation set; boxes are optional.
  case imagenet
  /// A folder per class, as torchvision's `ImageFolder`.
  case folder
  /// PASCAL VOC: `JPEGImages`, `Annotations` and `ImageSets/Main`.
  case voc
  /// COCO's `instances_*.json`.
  ///
  /// Reading it takes about seven times the file's size of memory: 0.2 GB for `instances_val2017.json`, 3 GB for that
  /// of `train2017`.
  case coco
  /// A CSV or JSONL file of one's own.
  case manifest

  /// What must be there, for those who gave something else.
  var needs: String {
    switch self {
    case .imagenet: "a folder of images and a labels file"
    case .folder: "a folder per class with images"
    case .voc: "a folder with JPEGImages and Annotations"
    case .coco: "a .json file with images and annotations"
    case .manifest: "a .csv or .jsonl file"
    }
  }

  /// The format of what is at a path.
  init(of path: String, options: DataSetOptions) throws {
    guard let isFolder = Files.isFolder(path) else { throw SimpleError.missing(path, expected: "a data set") }
    guard isFolder else {
      switch Files.fileExtension(of: path) {
      case "json": self = .coco
      case "csv", "jsonl": self = .manifest
      default: throw SimpleError.unrecognized(path)
      }
      return
    }
    if Files.isFolder("\(path)/JPEGImages") == true, Files.isFolder("\(path)/Annotations") == true {
      self = .voc
    } else if options.labels != nil {
      self = .imagenet
    } else if try Files.folders(in: path).contains(where: { try Files.holdsImages("\(path)/\($0)") }) {
      self = .folder
    } else {
      throw SimpleError.unrecognized(path)
    }
  }
}

/// Where the parts of a data set are, and what becomes of classes that the network does not have.
public struct DataSetOptions: Hashable, Sendable {
  /// `imagenet`: the file with the images' classes.
  public var labels: String?
  /// `imagenet`: the folder of ILSVRC's XML files with boxes; its sub-folders are searched as well.
  public var boxes: String?
  /// `coco`: the folder of the images; nil looks beside the file, and for a folder with the name of its split.
  public var images: String?
  /// `voc`: a name in `ImageSets/Main`; nil takes `val`, else `trainval`, else every annotation.
  public var split: String?
  /// Whether labels of classes that the network does not have are left out; otherwise they are an error.
  public var skipsUnknownClasses: Bool

  /// Makes options.
  public init(
    labels: String? = nil, boxes: String? = nil, images: String? = nil, split: String? = nil,
    skipsUnknownClasses: Bool = false
  ) {
    (self.labels, self.boxes, self.images, self.split) = (labels, boxes, images, split)
    self.skipsUnknownClasses = skipsUnknownClasses
  }
}

extension DataSet {
  /// Reads what is known of the images of a data set; not the images themselves.
  ///
  /// Boxes are in pixels of the images as they are stored, whatever an EXIF orientation says: that is what annotations
  /// of VOC, ILSVRC and COCO refer to. An image that is labeled but missing is kept, so that a run reports it; what is
  /// incomplete otherwise is said in `notes`.
  ///
  /// - Parameters:
  ///   - location: the folder, or the file of `coco` and `manifest`.
  ///   - format: nil recognizes it by what is there.
  ///   - options: where its parts are.
  ///   - classes: the network's.
  /// - Throws: a `RelevanceKitError`.
  public static func load(
    _ location: some FileLocation, format: DataSetFormat? = nil, options: DataSetOptions = DataSetOptions(),
    classes: ClassNames
  ) throws -> DataSet {
    let path = location.fileSystemPath
    let format = try format ?? DataSetFormat(of: path, options: options)
    guard let isFolder = Files.isFolder(path) else { throw SimpleError.missing(path, expected: format.needs) }
    guard isFolder == (format != .coco && format != .manifest) else {
      throw SimpleError.invalid(path, expected: format.needs, found: isFolder ? "a folder" : "a file")
    }
    let found =
      switch format {
      case .imagenet: try ImageNetFormat(path, options).dataSet()
      case .folder: try FolderFormat(path, classes).dataSet()
      case .voc: try VOCFormat(path, split: options.split).dataSet()
      case .coco: try COCOFormat(path, images: options.images).dataSet()
      case .manifest: try ManifestFormat(path).dataSet()
      }
    guard !found.images.isEmpty else {
      let notes = found.notes.isEmpty ? "" : " (\(found.notes.joined(separator: " ")))"
      throw SimpleError("\(path): expected \(format.needs), found no labeled image\(notes)")
    }
    return try found.resolved(classes, skipsUnknown: options.skipsUnknownClasses)
  }
}
