#include "CKernels.h"
#include "vectors.h"

#include <math.h>

RK_WIDE void rk_relu(float *y, const float *x, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

RK_WIDE void rk_clip(float *y, const float *x, float lowest, float highest, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const float v = x[i] > lowest ? x[i] : lowest;
    y[i] = v < highest ? v : highest;
  }
}

RK_WIDE void rk_add(float *y, const float *a, const float *b, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

RK_WIDE void rk_multiply(float *y, const float *a, const float *b, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

RK_WIDE void rk_scale(float *y, const float *x, float factor, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * factor;
}

RK_WIDE void rk_affine(float *y, const float *x, float factor, float offset, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * factor + offset;
}

RK_WIDE void rk_subtract_scalar(float *y, const float *x, float offset, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] - offset;
}

RK_WIDE void rk_mask(float *r, const float *y, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) r[i] = y[i] > 0 ? r[i] : 0;
}

RK_WIDE void rk_divide_positive(float *r, const float *z, float stabiliser, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) {
    // The quotient is computed for every element so that the loop has no branch; a zero denominator is replaced first.
    const float denominator = z[i] > 0 ? z[i] + stabiliser : 1;
    const float quotient = r[i] / denominator;
    r[i] = z[i] > 0 ? quotient : 0;
  }
}

RK_WIDE void rk_divide_nonzero(float *r, const float *z, float stabiliser, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const float denominator = z[i] != 0 ? z[i] + (z[i] > 0 ? stabiliser : -stabiliser) : 1;
    const float quotient = r[i] / denominator;
    r[i] = z[i] != 0 ? quotient : 0;
  }
}

typedef double rk_d8 __attribute__((vector_size(64)));
typedef float rk_f8 __attribute__((vector_size(32), aligned(4)));

// In a fixed order.
static inline double total(const rk_d8 *sum) {
  double total = 0;
  for (int k = 0; k < 8; k++) total += (*sum)[k];
  return total;
}

RK_WIDE void rk_divide_losses(const float *r, const float *z, float stabiliser, int positive, ptrdiff_t count,
                              double kept[2]) {
  double zero[8] = {0}, stabilised[8] = {0};
  for (ptrdiff_t i = 0; i < count; i++) {
    const float size = z[i] > 0 || positive ? z[i] : -z[i];
    const float share = size > 0 ? stabiliser / (size + stabiliser) : 0;
    zero[i % 8] += size > 0 ? 0 : r[i];
    stabilised[i % 8] += r[i] * share;
  }
  for (int k = 0; k < 8; k++) {
    kept[0] += zero[k];
    kept[1] += stabilised[k];
  }
}

RK_WIDE double rk_sum(const float *x, ptrdiff_t count) {
  rk_d8 sum = {0};
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) sum += __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8);
  double result = total(&sum);
  for (; i < count; i++) result += x[i];
  return result;
}

RK_WIDE void rk_sums(const float *x, ptrdiff_t count, double sums[2]) {
  rk_d8 sum = {0}, size = {0};
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const rk_d8 v = __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8);
    sum += v;
    size += __builtin_elementwise_abs(v);
  }
  double result = total(&sum), magnitude = total(&size);
  for (; i < count; i++) {
    result += x[i];
    magnitude += fabsf(x[i]);
  }
  sums[0] += result;
  sums[1] += magnitude;
}

RK_WIDE void rk_lrn(const float *x, ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t size, float alpha, float beta,
                    float bias, float *y) {
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
