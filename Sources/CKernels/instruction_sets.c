#include "CKernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local rk_isa told;

rk_isa rk_largest_instruction_set(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma"))
    return RK_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return RK_AVX2;
#endif
  return RK_GENERIC;
}

static rk_isa usual(void) {
  static _Atomic(int) known;
  int set = atomic_load_explicit(&known, memory_order_relaxed);
  if (set) return (rk_isa)set;
  set = rk_largest_instruction_set();
  const char *wanted = getenv("RELEVANCEKIT_ISA");
  if (wanted && !strcmp(wanted, "generic")) set = RK_GENERIC;
  if (wanted && !strcmp(wanted, "avx2") && set > RK_AVX2) set = RK_AVX2;
  atomic_store_explicit(&known, set, memory_order_relaxed);
  return (rk_isa)set;
}

rk_isa rk_instruction_set(void) { return told ? told : usual(); }

rk_isa rk_use_instruction_set(rk_isa set) {
  const rk_isa before = told;
  told = set;
  return before;
}
