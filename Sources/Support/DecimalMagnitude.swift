import Foundation

extension Double {
  /// The power of ten of the first digit: 2 for 123.4; 0 for 0 and for values that are not finite.
  package var powerOfTen: Int { isFinite && self != 0 ? Int(log10(abs(self)).rounded(.down)) : 0 }
}
