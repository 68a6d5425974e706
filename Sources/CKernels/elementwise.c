#include "CKernels.h"
#include "vectors.h"

#include <math.h>

RK_KERNEL(void, rk_relu, (float *y, const float *x, ptrdiff_t count), (y, x, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

RK_KERNEL(void, rk_clip,
          (float *y, const float *x, float lowest, float highest, ptrdiff_t count),
          (y, x, lowest, highest, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) {
    const float v = x[i] > lowest ? x[i] : lowest;
    y[i] = v < highest ? v : highest;
  }
}

RK_KERNEL(void, rk_add, (float *y, const float *a, const float *b, ptrdiff_t count), (y, a, b, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

RK_KERNEL(void, rk_multiply, (float *y, const float *a, const float *b, ptrdiff_t count), (y, a, b, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

RK_KERNEL(void, rk_scale, (float *y, const float *x, float factor, ptrdiff_t count), (y, x, factor, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * factor;
}

RK_KERNEL(void, rk_affine_relu, (float *y, const float *x, float factor, float offset, ptrdiff_t count),
          (y, x, factor, offset, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) {
    const float v = x[i] * factor + offset;
    y[i] = v > 0 ? v : 0;
  }
}

RK_KERNEL(void, rk_affine,
          (float *y, const float *x, float factor, float offset, ptrdiff_t count),
          (y, x, factor, offset, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * factor + offset;
}

RK_KERNEL(void, rk_subtract, (float *y, const float *a, const float *b, ptrdiff_t count), (y, a, b, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] - b[i];
}

RK_KERNEL(void, rk_divide, (float *y, const float *a, const float *b, ptrdiff_t count), (y, a, b, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] / b[i];
}

RK_KERNEL(void, rk_divide_by, (float *y, const float *a, float b, ptrdiff_t count), (y, a, b, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] / b;
}

RK_KERNEL(double, rk_sum, (const float *x, ptrdiff_t count), (x, count)) {
  rk_d8 sum = {0};
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) sum += __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8);
  double result = rk_total(&sum);
  for (; i < count; i++) result += x[i];
  return result;
}

// --- Normalization ---------------------------------------------------------------------------------------------------

RK_KERNEL(void, rk_mean_and_variance,
          (const float *x, ptrdiff_t count, int is_centered, double *mean, double *variance),
          (x, count, is_centered, mean, variance)) {
  const double center = is_centered ? rk_sum(x, count) / (double)count : 0;
  rk_d8 low = {0}, high = {0};
  ptrdiff_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const rk_d8 a = __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8) - center;
    const rk_d8 b = __builtin_convertvector(*(const rk_f8 *)(x + i + 8), rk_d8) - center;
    low += a * a;
    high += b * b;
  }
  low += high;
  double sum = rk_total(&low);
  for (; i < count; i++) sum += (x[i] - center) * (x[i] - center);
  *mean = center;
  *variance = sum / (double)count;
}

RK_KERNEL(void, rk_normalize,
          (float *y, const float *x, float mean, float factor, const float *scale, const float *shift, ptrdiff_t count),
          (y, x, mean, factor, scale, shift, count)) {
  if (shift) {
    RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale[i] + shift[i];
  } else {
    RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale[i];
  }
}

RK_KERNEL(void, rk_normalize_alike,
          (float *y, const float *x, float mean, float factor, float scale, float shift, ptrdiff_t count),
          (y, x, mean, factor, scale, shift, count)) {
  RK_EACH for (ptrdiff_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale + shift;
}

RK_KERNEL(void, rk_normalization_adjoint,
          (float *c, const float *x, double mean, double factor, int is_centered, int holds_deviation, ptrdiff_t count),
          (c, x, mean, factor, is_centered, holds_deviation, count)) {
  double sum = is_centered ? rk_sum(c, count) : 0, projection = 0;
  ptrdiff_t i = 0;
  if (!holds_deviation) {
    rk_d8 sums = {0};
    for (; i + 8 <= count; i += 8)
      sums += __builtin_convertvector(*(const rk_f8 *)(c + i), rk_d8) *
              (__builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8) - mean);
    projection = rk_total(&sums);
    for (; i < count; i++) projection += (double)c[i] * ((double)x[i] - mean);
    // One factor for each of the two normalized values.
    projection *= factor * factor;
  }
  sum /= (double)count;
  projection /= (double)count;
  for (i = 0; i + 8 <= count; i += 8) {
    const rk_d8 own = __builtin_convertvector(*(const rk_f8 *)(c + i), rk_d8);
    const rk_d8 from_mean = __builtin_convertvector(*(const rk_f8 *)(x + i), rk_d8) - mean;
    *(rk_f8 *)(c + i) = __builtin_convertvector(factor * (own - sum - from_mean * projection), rk_f8);
  }
  for (; i < count; i++) c[i] = (float)(factor * ((double)c[i] - sum - ((double)x[i] - mean) * projection));
}

// --- Order of axes ---------------------------------------------------------------------------------------------------

typedef float rk_m8 __attribute__((vector_size(32), aligned(4)));

// Transposes eight rows of eight numbers.
RK_INLINE void transpose_block(const float *x, ptrdiff_t lead, float *y, ptrdiff_t y_lead) {
  rk_m8 a[8], b[8];
  for (int r = 0; r < 8; r++) a[r] = *(const rk_m8 *)(x + r * lead);
  for (int r = 0; r < 8; r += 2) {
    b[r] = __builtin_shufflevector(a[r], a[r + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    b[r + 1] = __builtin_shufflevector(a[r], a[r + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int half = 0; half < 8; half += 4)
    for (int r = 0; r < 2; r++) {
      a[half + r] = __builtin_shufflevector(b[half + r], b[half + r + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      a[half + r + 2] = __builtin_shufflevector(b[half + r], b[half + r + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int r = 0; r < 4; r++) {
    *(rk_m8 *)(y + r * y_lead) = __builtin_shufflevector(a[r], a[r + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *(rk_m8 *)(y + (r + 4) * y_lead) = __builtin_shufflevector(a[r], a[r + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

RK_KERNEL(void, rk_transpose,
          (const float *x, ptrdiff_t lead, ptrdiff_t rows, ptrdiff_t columns, float *restrict y, ptrdiff_t y_lead),
          (x, lead, rows, columns, y, y_lead)) {
  // The side of squares whose rows on both sides stay in the first-level cache.
  const ptrdiff_t square = 64;
  for (ptrdiff_t top = 0; top < rows; top += square)
    for (ptrdiff_t left = 0; left < columns; left += square) {
      const ptrdiff_t bottom = RK_MIN(top + square, rows), right = RK_MIN(left + square, columns);
      for (ptrdiff_t r = top; r < bottom; r += 8)
        for (ptrdiff_t c = left; c < right; c += 8) {
          if (r + 8 <= bottom && c + 8 <= right) {
            transpose_block(x + r * lead + c, lead, y + c * y_lead + r, y_lead);
          } else {
            for (ptrdiff_t i = r; i < RK_MIN(r + 8, bottom); i++)
              for (ptrdiff_t k = c; k < RK_MIN(c + 8, right); k++) y[k * y_lead + i] = x[i * lead + k];
          }
        }
    }
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
