#include "CKernels.h"
#include "vectors.h"

#include <math.h>

RK_KERNEL(void, rk_relu, (float *y, const float *x, ptrdiff_t count), (y, x, count)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

RK_KERNEL(void, rk_clip,
          (float *y, const float *x, float lowest, float highest, ptrdiff_t count),
          (y, x, lowest, highest, count)) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const float v = x[i] > lowest ? x[i] : lowest;
    y[i] = v < highest ? v : highest;
  }
}

RK_KERNEL(void, rk_add, (float *y, const float *a, const float *b, ptrdiff_t count), (y, a, b, count)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

RK_KERNEL(void, rk_multiply, (float *y, const float *a, const float *b, ptrdiff_t count), (y, a, b, count)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

RK_KERNEL(void, rk_scale, (float *y, const float *x, float factor, ptrdiff_t count), (y, x, factor, count)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * factor;
}

RK_KERNEL(void, rk_affine,
          (float *y, const float *x, float factor, float offset, ptrdiff_t count),
          (y, x, factor, offset, count)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * factor + offset;
}

RK_KERNEL(double, rk_sum, (const float *x, ptrdiff_t count), (x, count)) {
  rk_d8 sum = {0};
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) sum += __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8);
  double result = rk_total(&sum);
  for (; i < count; i++) result += x[i];
  return result;
}

RK_KERNEL(void, rk_lrn,
          (const float *x, ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t size, float alpha, float beta, float bias,
           float *y),
          (x, channels, positions, size, alpha, beta, bias, y)) {
  const ptrdiff_t before = (size - 1) / 2, after = size - 1 - before;
  for (ptrdiff_t c = 0; c < channels; c++) {
    float *out = y + c * positions;
    for (ptrdiff_t i = 0; i < positions; i++) out[i] = 0;
    for (ptrdiff_t k = RK_MAX(c - before, 0); k <= RK_MIN(c + after, channels - 1); k++) {
      const float *in = x + k * positions;
      for (ptrdiff_t i = 0; i < positions; i++) out[i] += in[i] * in[i];
    }
    const float *in = x + c * positions;
    for (ptrdiff_t i = 0; i < positions; i++) out[i] = in[i] * powf(bias + alpha / (float)size * out[i], -beta);
  }
}
