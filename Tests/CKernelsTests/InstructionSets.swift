import CRelevanceKernels

/// The instruction sets that kernels can use on this processor.
private let sets = [RK_GENERIC, RK_AVX2, RK_AVX512].filter { $0.rawValue <= rk_largest_instruction_set().rawValue }

/// Calls `body` with the kernels of each instruction set.
func withEachInstructionSet(_ body: (_ name: String) throws -> Void) rethrows {
  for set in sets {
    let before = rk_use_instruction_set(set)
    defer { _ = rk_use_instruction_set(before) }
    try body("instruction set \(set.rawValue)")
  }
}
