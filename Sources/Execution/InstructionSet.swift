import CRelevanceKernels
import Foundation
import RelevanceSupport

/// The vector units that the package's own loops are compiled for.
///
/// Results of two sets differ only by rounding. OpenBLAS selects its own; set the environment variable
/// `OPENBLAS_CORETYPE` to change it.
public enum InstructionSet: String, Sendable, CaseIterable, Comparable {
  /// The vector units of every processor of the architecture: SSE2 on x86-64, Neon on 64-bit Arm.
  case generic
  /// AVX2 and FMA: vectors of 8 floats.
  case avx2
  /// AVX-512 F, VL, BW, DQ and CD: vectors of 16 floats.
  case avx512

  /// The sets that this processor supports, smallest first.
  public static let available = allCases.filter { $0.kernel.rawValue <= rk_largest_instruction_set().rawValue }

  /// The default set: the value of the environment variable `RELEVANCEKIT_ISA`, if the processor supports it, otherwise
  /// the largest available set.
  public static let preferred = available.last { $0.kernel == rk_instruction_set() } ?? .generic

  public static func < (a: Self, b: Self) -> Bool { a.kernel.rawValue < b.kernel.rawValue }

  var kernel: rk_isa {
    switch self {
    case .generic: RK_GENERIC
    case .avx2: RK_AVX2
    case .avx512: RK_AVX512
    }
  }

  /// An error of an instruction set that cannot be used.
  struct Fault: RelevanceKitError {
    let description: String
    var category: ErrorCategory { .usage }
  }

  /// The set to use, and the error if the requested set is not available.
  package static func choice(
    for wanted: InstructionSet?, among available: [InstructionSet] = available
  ) -> (set: InstructionSet, fault: (any RelevanceKitError)?) {
    let names = available.map(\.rawValue).joined(separator: ", ")
    if let wanted {
      guard available.contains(wanted) else {
        return (
          preferred,
          Fault(description: "this processor does not support \(wanted.rawValue); expected one of \(names)")
        )
      }
      return (wanted, nil)
    }
    if let text = ProcessInfo.processInfo.environment["RELEVANCEKIT_ISA"], !text.isEmpty,
      !available.map(\.rawValue).contains(text)
    {
      return (preferred, Fault(description: "RELEVANCEKIT_ISA is \(text.printable); expected one of \(names)"))
    }
    return (preferred, nil)
  }

  /// Calls `body` with kernels of this set on the calling thread.
  @inline(__always)
  func use<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = rk_use_instruction_set(kernel)
    defer { _ = rk_use_instruction_set(before) }
    return try body()
  }
}
