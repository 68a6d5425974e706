import CRelevanceKernels

/// The vector units that kernels can be told to use on this processor.
private let sets = [RK_GENERIC, RK_AVX2, RK_AVX512].filter { $0.rawValue <= rk_largest_instruction_set().rawValue }

/// Calls `body` with kernels of each of them in turn.
func withEachInstructionSet(_ body: (_ name: String) throws -> Void) rethrows {
  for set in sets {
    let before = rk_use_instruction_set(set)
    defer { _ = rk_use_instruction_set(before) }
    try body("instruction set \(set.rawValue)")
  }
}
