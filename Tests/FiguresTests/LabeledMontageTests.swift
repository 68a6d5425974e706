import RelevanceFigures
import RelevanceImaging
import RelevanceTensors
import Testing

@Suite("Labeled montages")
struct LabeledMontageTests {
  private static let red = RGBColor(red: 200, green: 0, blue: 0)

  private func montage(
    _ place: LabeledMontage.CaptionPlace = .below, title: String = "Top classes", rowTitle: String = "CLRP1"
  ) -> LabeledMontage {
    func cell(_ width: Int, _ caption: String) -> LabeledMontage.Cell {
      .init(RGBImage(width: width, height: 60, filledWith: Self.red), caption: caption)
    }
    let long = "African elephant, Loxodonta africana, and more"
    return LabeledMontage(
      title: title,
      rows: [
        .init(title: rowTitle, [cell(70, "zebra\n0.873"), cell(50, long), cell(70, "")]),
        .init([cell(40, "Éj|gy"), cell(70, long + "\n0.061")]),
      ], colorBar: ColorBar(limit: 0.0123), captionPlace: place)
  }

  @Test(arguments: [LabeledMontage.CaptionPlace.above, .below])
  func captionsStayInTheirCells(place: LabeledMontage.CaptionPlace) {
    let montage = montage(place, title: "", rowTitle: "")
    var bare = montage
    for row in bare.rows.indices {
      for cell in bare.rows[row].cells.indices { bare.rows[row].cells[cell].caption = "" }
    }
    let (image, places) = (montage.image(), montage.places())
    #expect(places.count == 5)
    #expect(places.allSatisfy { contains(image, $0.image) && contains(image, $0.caption) })
    for (i, (frame, caption)) in places.enumerated() {
      for y in 0..<frame.height {
        for x in 0..<frame.width { #expect(image[frame.left + x, frame.top + y] == Self.red) }
      }
      for other in places where other.image != frame { #expect(!overlap(caption, other.image)) }
      #expect(place == .above ? caption.top < frame.top : caption.top >= frame.top + frame.height)
      let texts = montage.rows.flatMap(\.cells).map(\.caption)
      #expect(texts[i].isEmpty == (caption.height == 0))
    }
    // All ink belongs to an image with its rim, to a caption, or to the color bar.
    let bottom = places.map { max($0.image.top + $0.image.height, $0.caption.top + $0.caption.height) }.max()!
    for pixel in ink(image) where pixel.y < bottom + 1 {
      #expect(
        places.contains { inside(pixel, $0.image, reach: 1) || inside(pixel, $0.caption, reach: 0) },
        "ink at \(pixel)")
    }
    #expect(bare.image().height < image.height)
  }

  @Test func titlesHaveTheirOwnSpace() {
    let (plain, titled) = (montage(title: "", rowTitle: ""), montage())
    #expect(titled.image().width > plain.image().width && titled.image().height > plain.image().height)
    let first = titled.places()[0].image
    let image = titled.image()
    #expect(ink(image).contains { $0.y < first.top - 1 })
    #expect(ink(image).contains { $0.x < first.left - 1 && inside($0, first, reach: 30) })
    // The margin stays white.
    #expect(
      ink(image).allSatisfy { $0.x >= 8 - 1 && $0.y >= 8 && $0.x < image.width - 7 && $0.y < image.height - 8 })
  }

  @Test func longRowTitlesAreShortened() {
    let montage = montage(title: "", rowTitle: "contrastive layer-wise relevance propagation")
    let place = montage.places()[0].image
    let column = ink(montage.image()).filter { $0.x < place.left - 2 }
    #expect(!column.isEmpty)
    #expect(column.allSatisfy { $0.y >= place.top - 1 && $0.y <= place.top + place.height })
  }

  @Test func colorBarShowsTheScale() throws {
    let map = Tensor(shape: [40, 200], elements: (0..<8000).map { Float($0 - 4000) })
    let heatmap = try Heatmap(map, scale: .maximum)
    #expect(ColorBar(heatmap).limit == 4000)
    var montage = LabeledMontage(rows: [.init([.init(heatmap.image())])], colorBar: ColorBar(heatmap))
    let (with, style) = (montage.image(), montage)
    montage.colorBar = nil
    let without = montage.image()
    #expect(with.height > without.height + 20)
    // Below the image: blue on the left, red on the right, white in the middle.
    let y = without.height + 5
    #expect(with[12, y].blue > with[12, y].red + 50 && with[203, y].red > with[203, y].blue + 50)
    #expect(with[108, y].red > 250 && with[108, y].blue > 250)
    var overlay = style
    overlay.colorBar?.style = .overlay
    #expect(overlay.image() != with)
    #expect(with == style.image())
  }

  @Test func sequentialColorBarsStartAtZero() throws {
    let map = Tensor(shape: [40, 200], elements: (0..<8000).map(Float.init))
    let heatmap = try Heatmap(map, scale: .maximum, colors: .sequential)
    #expect(ColorBar(heatmap).colors == .sequential)
    let montage = LabeledMontage(rows: [.init([.init(heatmap.image())])], colorBar: ColorBar(heatmap, label: ""))
    let image = montage.image()
    let y = montage.places()[0].image.height + 8 + 8 + 5
    #expect(image[10, y].blue > 240 && image[203, y].red < 70)
    // Numbers at both ends only.
    let columns = Set(ink(image).filter { $0.y > y + 8 }.map(\.x))
    #expect(
      columns.contains { $0 < 20 } && columns.contains { $0 > 180 } && !columns.contains { (60..<150).contains($0) })
  }

  @Test func emptyMontagesAreImages() {
    for rows in [
      [], [LabeledMontage.Row([])],
      [.init(title: "row", [.init(RGBImage(width: 0, height: 0, filledWith: .white))])],
    ] {
      let image = LabeledMontage(title: "title", rows: rows, colorBar: ColorBar(limit: 0)).image()
      #expect(image.width > 0 && image.height > 0)
    }
    let bare = LabeledMontage(rows: [.init([.init(RGBImage(width: 3, height: 2, filledWith: .black))])], margin: 0)
    #expect(bare.image() == RGBImage(width: 3, height: 2, filledWith: .black))
  }

  private func contains(_ image: RGBImage, _ box: PixelRectangle) -> Bool {
    box.left >= 0 && box.top >= 0 && box.left + box.width <= image.width && box.top + box.height <= image.height
  }

  private func inside(_ pixel: (x: Int, y: Int), _ box: PixelRectangle, reach: Int) -> Bool {
    pixel.x >= box.left - reach && pixel.x < box.left + box.width + reach && pixel.y >= box.top - reach
      && pixel.y < box.top + box.height + reach
  }

  private func overlap(_ a: PixelRectangle, _ b: PixelRectangle) -> Bool {
    a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height
  }
}
