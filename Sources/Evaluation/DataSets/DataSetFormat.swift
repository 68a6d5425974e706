import RelevanceSupport

/// The file format of a data set.
public enum DataSetFormat: String, CaseIterable, Sendable {
  /// A flat folder of images and a file with their classes, such as ILSVRC's validation set; boxes are optional.
  case imagenet
  /// A folder per class, as in torchvision's `ImageFolder`.
  case folder
  /// PASCAL VOC: `JPEGImages`, `Annotations` and `ImageSets/Main`.
  case voc
  /// COCO's `instances_*.json`.
  ///
  /// Reading such a file needs about seven times its size of memory: 0.2 GB for `instances_val2017.json`, 3 GB for that
  /// of `train2017`.
  case coco
  /// A custom CSV or JSONL file.
  case manifest

  /// The files that the format needs, for errors.
  var needs: String {
    switch self {
    case .imagenet: "a folder of images and a labels file"
    case .folder: "a folder with one subfolder of images per class"
    case .voc: "a folder with JPEGImages and Annotations"
    case .coco: "a .json file with images and annotations"
    case .manifest: "a .csv or .jsonl file"
    }
  }

  /// The format of the data set at a path.
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

/// The locations of a data set's parts, and the treatment of classes that the network does not have.
public struct DataSetOptions: Hashable, Sendable {
  /// `imagenet`: the file with the classes of the images.
  public var labels: String?
  /// `imagenet`: the folder of ILSVRC's XML files with boxes; subfolders are searched too.
  public var boxes: String?
  /// `coco`: the folder of the images. If it is nil, images are searched beside the file and in a folder with the name
  /// of its split.
  public var images: String?
  /// `voc`: a name in `ImageSets/Main`. If it is nil, `val` is used, otherwise `trainval`, otherwise every annotation.
  public var split: String?
  /// Whether labels of classes that the network does not have are skipped; otherwise they are an error.
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
  /// Reads the annotations of a data set, but not the images.
  ///
  /// Boxes are in pixels of the stored images, regardless of an EXIF orientation, because annotations of VOC, ILSVRC
  /// and COCO refer to these pixels. An image that is labeled but missing is included, so that a run reports it.
  /// `notes` lists other incomplete parts.
  ///
  /// - Parameters:
  ///   - location: the folder, or the file of `coco` and `manifest`.
  ///   - format: the format; nil to detect it from the files.
  ///   - options: the locations of the data set's parts.
  ///   - classes: the classes of the network.
  /// - Throws: `RelevanceKitError` if the data set is missing, damaged or empty, or has classes that the network does
  ///   not have.
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
