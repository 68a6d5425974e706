// Products with matrices that are read from memory once, because reading takes most of the time. Model files are mapped
// in pages of 4 KB, at whose ends the processor's prefetching stops, so the loops prefetch explicitly.
#include "CKernels.h"
#include "vectors.h"

enum {
  // How many floats ahead of their use weights are prefetched: half a page.
  AHEAD = 512,
  // The number of rows that are added together, so that the sum is read and written once for all of them.
  ROWS = 4,
};

// Adds sixteen partial sums in a fixed order.
RK_INLINE float total(rk_v16 sums) {
  float sum = 0;
  for (int i = 0; i < 8; i++) sum += sums[i] + sums[i + 8];
  return sum;
}

// `has_all` and `part.form` are constants where the call is inlined.
RK_INLINE void multiply(const float *w, ptrdiff_t stride, ptrdiff_t rows, const float *x, ptrdiff_t count, rk_part part,
                        int has_all, float *all, float *some) {
  const rk_v16 zero = {0};
  for (ptrdiff_t r = 0; r < rows; r++, w += stride) {
    rk_v16 a0 = zero, a1 = zero, p0 = zero, p1 = zero;
    ptrdiff_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
      __builtin_prefetch(w + i + AHEAD);
      __builtin_prefetch(w + i + AHEAD + LANES);
      const rk_v16 w0 = *(const rk_v16 *)(w + i), w1 = *(const rk_v16 *)(w + i + LANES);
      const rk_v16 x0 = *(const rk_v16 *)(x + i), x1 = *(const rk_v16 *)(x + i + LANES);
      if (has_all) {
        a0 += w0 * x0;
        a1 += w1 * x1;
      }
      p0 += rk_weights(w0, part) * x0;
      p1 += rk_weights(w1, part) * x1;
    }
    float a = total(a0 + a1), p = total(p0 + p1);
    for (; i < count; i++) {
      a += w[i] * x[i];
      p += rk_weight(w[i], part) * x[i];
    }
    if (has_all) all[r] = a;
    some[r] = p;
  }
}

RK_KERNEL(void, rk_products,
          (const float *w, ptrdiff_t stride, ptrdiff_t rows, const float *x, ptrdiff_t count, rk_part part, float *all,
           float *some),
          (w, stride, rows, x, count, part, all, some)) {
  const rk_part whole = {RK_SCALED, 1, 1}, positive = {RK_SCALED, 1, 0};
  if (part.form == RK_SCALED && part.positive == 1 && part.negative == 0) {
    if (all) multiply(w, stride, rows, x, count, positive, 1, all, some);
    else multiply(w, stride, rows, x, count, positive, 0, all, some);
  } else if (part.form == RK_SCALED && part.positive == 1 && part.negative == 1) {
    multiply(w, stride, rows, x, count, whole, 0, all, some);
    if (all) memcpy(all, some, (size_t)rows * sizeof(float));
  } else if (all) {
    multiply(w, stride, rows, x, count, part, 1, all, some);
  } else {
    multiply(w, stride, rows, x, count, part, 0, all, some);
  }
}

// y[i] += Σ s[r]·part(w[r][i]) over ROWS rows.
RK_INLINE void accumulate(float *restrict y, const float *const w[ROWS], const float *const next[ROWS], const float s[ROWS],
                          ptrdiff_t count, rk_part part) {
  const float *restrict w0 = w[0], *restrict w1 = w[1], *restrict w2 = w[2], *restrict w3 = w[3];
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    for (int r = 0; r < ROWS; r++) __builtin_prefetch(next[r] + i);
    rk_v16 sum = *(const rk_v16 *)(y + i);
    sum += rk_weights(*(const rk_v16 *)(w0 + i), part) * s[0];
    sum += rk_weights(*(const rk_v16 *)(w1 + i), part) * s[1];
    sum += rk_weights(*(const rk_v16 *)(w2 + i), part) * s[2];
    sum += rk_weights(*(const rk_v16 *)(w3 + i), part) * s[3];
    *(rk_v16 *)(y + i) = sum;
  }
  for (; i < count; i++)
    for (int r = 0; r < ROWS; r++) y[i] += rk_weight(w[r][i], part) * s[r];
}

RK_KERNEL(void, rk_accumulate_rows,
          (float *y, const float *w, ptrdiff_t stride, const ptrdiff_t *rows, ptrdiff_t row_count, const float *s,
           ptrdiff_t count, rk_part part),
          (y, w, stride, rows, row_count, s, count, part)) {
  const rk_part positive = {RK_SCALED, 1, 0};
  const int is_positive = part.form == RK_SCALED && part.positive == 1 && part.negative == 0;
  for (ptrdiff_t first = 0; first < row_count; first += ROWS) {
    const float *some[ROWS], *next[ROWS];
    float factors[ROWS];
    for (int r = 0; r < ROWS; r++) {
      const ptrdiff_t at = first + r;
      // A missing row is replaced by one whose factor is 0.
      some[r] = w + rows[RK_MIN(at, row_count - 1)] * stride;
      next[r] = w + rows[RK_MIN(at + ROWS, row_count - 1)] * stride;
      factors[r] = at < row_count ? s[rows[at]] : 0;
    }
    if (is_positive) accumulate(y, some, next, factors, count, positive);
    else accumulate(y, some, next, factors, count, part);
  }
}

RK_KERNEL(void, rk_part_copy,
          (float *restrict y, const float *restrict w, ptrdiff_t count, rk_part part),
          (y, w, count, part)) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = rk_weight(w[i], part);
}

RK_KERNEL(void, rk_nonzero_columns, (const float *x, ptrdiff_t rows, ptrdiff_t count, unsigned char *flags), (x, rows, count, flags)) {
  for (ptrdiff_t i = 0; i < count; i++) flags[i] = 0;
  for (ptrdiff_t row = 0; row < rows; row++, x += count)
    for (ptrdiff_t i = 0; i < count; i++) flags[i] |= x[i] != 0;
}
