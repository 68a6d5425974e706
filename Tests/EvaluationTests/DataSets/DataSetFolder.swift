import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// A scratch folder for data sets that are written and read, with a network of three classes.
struct DataSetFolder {
  private let scratch: Fixtures.Scratch
  private let pets = ClassNames(names: [0: "cat, tabby", 1: "dog", 2: "horse"], count: 3)

  init() throws { scratch = try Fixtures.Scratch() }

  func path(_ name: String) -> String { scratch.path(name) }

  /// The folder itself.
  var root: String { scratch.url.path }

  func load(
    _ name: String, _ options: DataSetOptions = DataSetOptions(), format: DataSetFormat? = nil,
    classes: ClassNames? = nil
  ) throws -> DataSet {
    try DataSet.load(scratch.path(name), format: format, options: options, classes: classes ?? pets)
  }

  func sentence(_ body: () throws -> some Any) -> String {
    do {
      _ = try body()
      return "no error"
    } catch let error as any RelevanceKitError {
      return error.description.replacingOccurrences(of: root + "/", with: "")
    } catch {
      return "another error: \(error)"
    }
  }

  func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

  func write(_ name: String, _ data: Data) throws {
    let url = scratch.url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  /// An annotation in the format of PASCAL VOC and ILSVRC.
  func annotation(_ objects: [(name: String, sides: [Double], difficult: Int)]) -> String {
    "<annotation>"
      + objects.map { object in
        "<object><name>\(object.name)</name><difficult>\(object.difficult)</difficult><bndbox>"
          + zip(["xmin", "ymin", "xmax", "ymax"], object.sides).map { "<\($0)>\($1)</\($0)>" }.joined()
          + "</bndbox></object>\n"
      }.joined() + "</annotation>"
  }
}
