import Foundation
import RelevanceSupport

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The objects in the annotation of one image, in the XML format that PASCAL VOC introduced and ILSVRC uses.
///
/// Entities are not resolved. A document type declaration is an error, as are nesting and file sizes beyond those of
/// annotations.
struct AnnotationXML {
  /// The first pixel coordinate. A box includes the pixels on all its sides.
  enum Origin: Double {
    /// ILSVRC. This is not documented, but boxes of the validation set range from 0 to the image's side minus 1, and
    /// the overlap in the development kit counts the pixels on both sides.
    case zero = 0
    /// PASCAL VOC: the upper left pixel is (1, 1). (Development kit of VOC2012, §8.)
    case one = 1
  }

  struct Object {
    let name: String
    let isDifficult: Bool
    /// `xmin`, `ymin`, `xmax`, `ymax`, as written.
    let sides: [Double]

    /// The rectangle. Sides in the wrong order, which a few annotations of ILSVRC have, are swapped.
    func box(_ origin: Origin) -> BoundingBox {
      let near = -origin.rawValue
      let far = 1 - origin.rawValue
      return BoundingBox(
        left: min(sides[0], sides[2]) + near, top: min(sides[1], sides[3]) + near,
        right: max(sides[0], sides[2]) + far, bottom: max(sides[1], sides[3]) + far)
    }
  }

  let objects: [Object]

  /// Files above this size are not annotations.
  private static let sizeLimit = 16 << 20

  /// Reads a file.
  init(contentsOf path: String) throws {
    let data = try Files.data(path, expected: "an annotation in XML")
    guard data.count <= Self.sizeLimit else {
      throw SimpleError.invalid(path, expected: "an annotation of at most 16 MiB", found: "\(data.count) bytes")
    }
    guard let text = Self.text(of: data) else {
      throw SimpleError.invalid(path, expected: "text in UTF-8", found: "other bytes")
    }
    let bytes = Data(text.utf8)
    guard bytes.range(of: Data("<!DOCTYPE".utf8)) == nil else {
      throw SimpleError.invalid(path, expected: "an annotation", found: "a document type declaration")
    }
    let reader = Reader(path)
    let parser = XMLParser(data: bytes)
    parser.shouldResolveExternalEntities = false
    parser.delegate = reader
    let isWellFormed = parser.parse()
    if let error = reader.error { throw error }
    guard isWellFormed, reader.isComplete else {
      throw SimpleError.invalid(
        path, place: "line \(max(parser.lineNumber, 1))", expected: "an annotation in XML", found: "damaged XML")
    }
    objects = reader.objects
  }

  /// The text without its XML declaration, which can specify an encoding. Nil if the text is invalid, because
  /// Foundation's parser terminates the process at names that are not valid UTF-8.
  private static func text(of data: Data) -> String? {
    let head = String(decoding: data.prefix(200), as: UTF8.self).lowercased()
    let declaration = head.hasPrefix("<?xml") ? head.prefix { $0 != ">" } : ""
    let text: String?
    if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) {
      text = String(data: data, encoding: .utf16)
    } else if declaration.contains("iso-8859-1\"") || declaration.contains("iso-8859-1'") {
      text = String(data: data, encoding: .isoLatin1)
    } else if declaration.contains("windows-1252") {
      text = String(data: data, encoding: .windowsCP1252)
    } else {
      text = String(validating: data, as: UTF8.self)
    }
    guard let text else { return nil }
    let content = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    guard content.hasPrefix("<?xml"), let end = content.firstRange(of: "?>") else { return String(content) }
    return String(content[end.upperBound...])
  }

  /// Collects objects while the file is parsed.
  private final class Reader: NSObject, XMLParserDelegate {
    private static let depthLimit = 32
    private let path: String
    private var elements: [String] = []
    private var text = ""
    /// The values of the current object. Values of its parts, which are nested deeper, are ignored.
    private var values: [String: String] = [:]
    private(set) var objects: [Object] = []
    private(set) var isComplete = false
    private(set) var error: SimpleError?

    init(_ path: String) { self.path = path }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      elements.append(name)
      text = ""
      if elements.count == 1, name != "annotation" {
        fail(parser, expected: "an annotation", found: "<\(name)>")
      } else if elements.count > Self.depthLimit {
        fail(parser, expected: "at most \(Self.depthLimit) nested elements", found: "more")
      } else if elements == ["annotation", "object"] {
        values = [:]
      }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      if elements.count > 2 { text += string }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      switch elements {
      case ["annotation", "object", name], ["annotation", "object", "bndbox", name]:
        values[name] = text.trimmingCharacters(in: .whitespacesAndNewlines)
      case ["annotation", "object"]: finishObject(parser)
      case ["annotation"]: isComplete = true
      default: break
      }
      elements.removeLast()
      text = ""
    }

    /// Files in UTF-16 reach this method with their document type declarations.
    func parser(_ parser: XMLParser, foundInternalEntityDeclarationWithName name: String, value: String?) {
      fail(parser, expected: "an annotation", found: "a document type declaration")
    }

    private func finishObject(_ parser: XMLParser) {
      guard let name = values["name"], !name.isEmpty else {
        return fail(parser, expected: "the name of object \(objects.count + 1)", found: "none")
      }
      let keys = ["xmin", "ymin", "xmax", "ymax"]
      let sides = keys.compactMap { key in values[key].flatMap { Double($0) } }.filter(\.isFinite)
      guard sides.count == keys.count else {
        let found = keys.map { values[$0] ?? "none" }.joined(separator: ", ")
        return fail(parser, expected: "numbers xmin, ymin, xmax, ymax of object \(objects.count + 1)", found: found)
      }
      objects.append(Object(name: name, isDifficult: values["difficult"] == "1", sides: sides))
    }

    private func fail(_ parser: XMLParser, expected: String, found: String) {
      guard error == nil else { return }
      error = .invalid(path, place: "line \(parser.lineNumber)", expected: expected, found: found)
      parser.abortParsing()
    }
  }
}
