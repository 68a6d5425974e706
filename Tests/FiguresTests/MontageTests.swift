import RelevanceFigures
import RelevanceImaging
import Testing

@Suite("Montages")
struct MontageTests {
  @Test func montagePlacesImages() {
    let red = RGBImage(width: 2, height: 3, filledWith: RGBColor(red: 200, green: 0, blue: 0))
    let black = RGBImage(width: 4, height: 1, filledWith: .black)
    let montage = Montage([red, black, black], columns: 2, margin: 1).image()
    #expect(montage.width == 1 + 4 + 1 + 4 + 1 && montage.height == 1 + 3 + 1 + 1 + 1)
    #expect(montage[0, 0] == .white && montage[1, 1] == .white)
    #expect(montage[2, 1].red == 200 && montage[3, 3].red == 200 && montage[4, 3] == .white)
    #expect(montage[6, 2] == .black && montage[9, 2] == .black && montage[6, 1] == .white)
    #expect(montage[1, 5] == .black && montage[6, 5] == .white)
  }
}
