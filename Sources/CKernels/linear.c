#include "CKernels.h"
#include "vectors.h"

// Adds sixteen partial sums in a fixed order.
static inline float total(const float *partial) {
  float sum = 0;
  for (int i = 0; i < 8; i++) sum += partial[i] + partial[i + 8];
  return sum;
}

RK_WIDE
void rk_split_products(const float *w, ptrdiff_t stride, ptrdiff_t rows, const float *x, ptrdiff_t count, float *all,
                       float *positive) {
  const rk_v16 zero = {0};
  for (ptrdiff_t r = 0; r < rows; r++, w += stride) {
    rk_v16 a0 = zero, a1 = zero, p0 = zero, p1 = zero;
    ptrdiff_t i = 0;
    for (; i + 32 <= count; i += 32) {
      const rk_v16 w0 = *(const rk_v16 *)(w + i), w1 = *(const rk_v16 *)(w + i + 16);
      const rk_v16 x0 = *(const rk_v16 *)(x + i), x1 = *(const rk_v16 *)(x + i + 16);
      a0 += w0 * x0;
      a1 += w1 * x1;
      p0 += __builtin_elementwise_max(w0, zero) * x0;
      p1 += __builtin_elementwise_max(w1, zero) * x1;
    }
    float partial[16];
    *(rk_v16 *)partial = a0 + a1;
    float a = total(partial);
    *(rk_v16 *)partial = p0 + p1;
    float p = total(partial);
    for (; i < count; i++) {
      a += w[i] * x[i];
      p += (w[i] > 0 ? w[i] : 0) * x[i];
    }
    all[r] = a;
    positive[r] = p;
  }
}

RK_WIDE
void rk_accumulate_part(float *restrict y, const float *restrict w, float s, ptrdiff_t count, rk_part part) {
  const float positive = s * part.positive, negative = s * part.negative;
  switch (part.form) {
    case RK_SCALED:
      for (ptrdiff_t i = 0; i < count; i++) y[i] += w[i] * (w[i] > 0 ? positive : negative);
      break;
    case RK_SQUARED:
      for (ptrdiff_t i = 0; i < count; i++) y[i] += s * w[i] * w[i];
      break;
    case RK_ONES:
      for (ptrdiff_t i = 0; i < count; i++) y[i] += s;
      break;
  }
}

RK_WIDE
void rk_part_copy(float *restrict y, const float *restrict w, ptrdiff_t count, rk_part part) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = rk_weight(w[i], part);
}
