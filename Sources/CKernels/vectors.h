#ifndef RK_VECTORS_H
#define RK_VECTORS_H

#include <string.h>

#include "CKernels.h"

// Compiles a function once per generation of x86-64 vector units and picks the best one when the program is loaded; not where
// ThreadSanitizer instruments what picks, which runs before it has started.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RK_ONE_VERSION 1
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && !defined(RK_ONE_VERSION)
#define RK_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RK_WIDE
#endif

// Vectors are passed to functions that are always inlined, so how they would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define RK_INLINE static inline __attribute__((always_inline))

// Sixteen floats; the compiler splits them where registers are narrower, so sums come out the same everywhere.
typedef float rk_v16 __attribute__((vector_size(64), aligned(4)));
enum { LANES = 16 };

// Eight numbers of double and of single precision, for sums.
typedef double rk_d8 __attribute__((vector_size(64)));
typedef float rk_f8 __attribute__((vector_size(32), aligned(4)));

// In a fixed order.
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

// The same for sixteen weights.
RK_INLINE rk_v16 rk_weights(rk_v16 w, rk_part part) {
  const rk_v16 zero = {0};
  switch (part.form) {
    case RK_SQUARED: return w * w;
    case RK_ONES: return zero + 1;
    default:
      return __builtin_elementwise_max(w, zero) * part.positive + __builtin_elementwise_min(w, zero) * part.negative;
  }
}

#define RK_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RK_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
