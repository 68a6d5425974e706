#ifndef RK_VECTORS_H
#define RK_VECTORS_H

#include <string.h>

#include "CKernels.h"

// --- Instruction sets ----------------------------------------------------------------------------------------------------
//
// A kernel is compiled once for each generation of vector units, from one body that is inlined into all versions. The
// version is selected at each call, so that it can be changed.

#if defined(__x86_64__)
// Features are listed one by one: for a named generation of processors, the compiler would use only half the width of
// AVX-512's registers.
#define RK_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx2,fma,bmi,bmi2,f16c,lzcnt,movbe,popcnt")))
#define RK_TARGET_AVX2 __attribute__((target("avx2,fma,bmi,bmi2,f16c,lzcnt,movbe,popcnt")))

#define RK_KERNEL_VERSIONS(linkage, type, name, parameters, arguments)                          \
  static inline __attribute__((always_inline)) type name##_body parameters;                     \
  RK_TARGET_AVX512 static type name##_avx512 parameters { return name##_body arguments; }       \
  RK_TARGET_AVX2 static type name##_avx2 parameters { return name##_body arguments; }           \
  static type name##_generic parameters { return name##_body arguments; }                       \
  linkage type name parameters {                                                                \
    switch (rk_instruction_set()) {                                                             \
      case RK_AVX512: return name##_avx512 arguments;                                           \
      case RK_AVX2: return name##_avx2 arguments;                                               \
      default: return name##_generic arguments;                                                 \
    }                                                                                           \
  }                                                                                             \
  static inline __attribute__((always_inline)) type name##_body parameters
#else
// Where all processors support the same set, the compiler selects it.
#define RK_KERNEL_VERSIONS(linkage, type, name, parameters, arguments) linkage type name parameters
#endif

// Starts a kernel that other files call, or that only this file uses: RK_KERNEL(void, name, (float *y, ptrdiff_t
// count), (y, count)) { … }
#define RK_KERNEL(type, name, parameters, arguments) RK_KERNEL_VERSIONS(, type, name, parameters, arguments)
#define RK_LOCAL_KERNEL(type, name, parameters, arguments) RK_KERNEL_VERSIONS(static, type, name, parameters, arguments)

// Vectors are passed only to functions that are always inlined, so the calling convention does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define RK_INLINE static inline __attribute__((always_inline))

// Sixteen floats. The compiler splits them if registers are narrower, so sums are the same on all processors.
typedef float rk_v16 __attribute__((vector_size(64), aligned(4)));
enum { LANES = 16 };
typedef float rk_v4 __attribute__((vector_size(16), aligned(4)));
// The results of comparisons, and the bits of the floats.
typedef int32_t rk_i16 __attribute__((vector_size(64), aligned(4)));

// Eight numbers in double and in single precision, for sums.
typedef double rk_d8 __attribute__((vector_size(64)));
typedef float rk_f8 __attribute__((vector_size(32), aligned(4)));

// Adds the numbers in a fixed order.
static inline double rk_total(const rk_d8 *sum) {
  double total = 0;
  for (int k = 0; k < 8; k++) total += (*sum)[k];
  return total;
}

// part(w)
static inline float rk_weight(float w, rk_part part) {
  switch (part.form) {
    case RK_SQUARED: return w * w;
    case RK_ONES: return 1;
    default: return w * (w > 0 ? part.positive : part.negative);
  }
}

// part(w) for sixteen weights.
RK_INLINE rk_v16 rk_weights(rk_v16 w, rk_part part) {
  const rk_v16 zero = {0};
  switch (part.form) {
    case RK_SQUARED: return w * w;
    case RK_ONES: return zero + 1;
    default: {
      const rk_i16 is_positive = w > zero;
      return w * (rk_v16)(((rk_i16)(zero + part.positive) & is_positive) | ((rk_i16)(zero + part.negative) & ~is_positive));
    }
  }
}

// Starts a loop that reads only elements that it writes in the same iteration: the result may be one of the operands.
#define RK_EACH _Pragma("clang loop vectorize(assume_safety)")

#define RK_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RK_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
