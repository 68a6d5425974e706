#include "CRelevance.h"
#include "vectors.h"

#include <math.h>

RK_KERNEL(void, rk_subtract_scalar, (float *y, const float *x, float offset, ptrdiff_t count), (y, x, offset, count)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] - offset;
}

RK_KERNEL(void, rk_mask, (float *r, const float *y, ptrdiff_t count), (r, y, count)) {
  for (ptrdiff_t i = 0; i < count; i++) r[i] = y[i] > 0 ? r[i] : 0;
}

RK_KERNEL(void, rk_keep_sign, (float *r, const float *y, int negative, ptrdiff_t count), (r, y, negative, count)) {
  for (ptrdiff_t i = 0; i < count; i++) r[i] = (y[i] < 0) == negative ? r[i] : 0;
}

RK_KERNEL(void, rk_divide_positive,
          (float *r, const float *z, float stabilizer, ptrdiff_t count),
          (r, z, stabilizer, count)) {
  for (ptrdiff_t i = 0; i < count; i++) {
    // The quotient is computed for every element, so that the loop has no branch; zero denominators are replaced first.
    const float denominator = z[i] > 0 ? z[i] + stabilizer : 1;
    const float quotient = r[i] / denominator;
    r[i] = z[i] > 0 ? quotient : 0;
  }
}

RK_KERNEL(void, rk_divide_nonzero,
          (float *r, const float *z, float stabilizer, ptrdiff_t count),
          (r, z, stabilizer, count)) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const float denominator = z[i] != 0 ? z[i] + (z[i] > 0 ? stabilizer : -stabilizer) : 1;
    const float quotient = r[i] / denominator;
    r[i] = z[i] != 0 ? quotient : 0;
  }
}

RK_KERNEL(void, rk_divide_losses,
          (const float *r, const float *z, float stabilizer, int positive, ptrdiff_t count, double kept[2]),
          (r, z, stabilizer, positive, count, kept)) {
  double zero[8] = {0}, stabilized[8] = {0};
  for (ptrdiff_t i = 0; i < count; i++) {
    const float size = z[i] > 0 || positive ? z[i] : -z[i];
    const float share = size > 0 ? stabilizer / (size + stabilizer) : 0;
    zero[i % 8] += size > 0 ? 0 : r[i];
    stabilized[i % 8] += r[i] * share;
  }
  for (int k = 0; k < 8; k++) {
    kept[0] += zero[k];
    kept[1] += stabilized[k];
  }
}

RK_KERNEL(void, rk_sums, (const float *x, ptrdiff_t count, double sums[2]), (x, count, sums)) {
  rk_d8 sum = {0}, size = {0};
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const rk_d8 v = __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8);
    sum += v;
    size += __builtin_elementwise_abs(v);
  }
  double result = rk_total(&sum), magnitude = rk_total(&size);
  for (; i < count; i++) {
    result += x[i];
    magnitude += fabsf(x[i]);
  }
  sums[0] += result;
  sums[1] += magnitude;
}
