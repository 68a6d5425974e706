#include "CKernels.h"
#include "windows.h"

#include <math.h>

RK_INLINE void max_pool_small(const float *x, const rk_window *w, ptrdiff_t lead, float *y) {
  float all[SMALL], columns[SMALL], largest[SMALL];
  const ptrdiff_t count = w->height * lead, padded = count + w->kernel_y * lead + w->kernel_x;
  fill(all, -INFINITY, padded);
  spread(x, w, lead, all + origin_of_small(w, lead));
  const ptrdiff_t wide = count + w->kernel_x;
  fill(columns, -INFINITY, wide);
  for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++)
    for (ptrdiff_t i = 0; i < wide; i++) columns[i] = all[i + ky * lead] > columns[i] ? all[i + ky * lead] : columns[i];
  fill(largest, -INFINITY, count);
  for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++)
    for (ptrdiff_t i = 0; i < count; i++) largest[i] = columns[i + kx] > largest[i] ? columns[i + kx] : largest[i];
  for (ptrdiff_t row = 0; row < w->height; row++)
    for (ptrdiff_t i = 0; i < w->width; i++) y[row * w->width + i] = largest[row * lead + i];
}

RK_KERNEL(void, rk_max_pool, (const float *x, const rk_window *w, float *y), (x, w, y)) {
  const ptrdiff_t lead = lead_of_small(w);
  if (lead) {
    max_pool_small(x, w, lead, y);
    return;
  }
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    float *restrict out = y + oy * w->out_width;
    for (ptrdiff_t i = 0; i < w->out_width; i++) out[i] = -INFINITY;
    for (ptrdiff_t ky = ty.from; ky < ty.to; ky++) {
      const float *row = x + (ty.origin + ky * w->dilation_y) * w->width;
      for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
        const ptrdiff_t shift = kx * w->dilation_x - w->pad_x;
        ptrdiff_t from, to;
        columns_inside(w, shift, 0, w->out_width, &from, &to);
        const float *restrict in = row + shift;
        if (w->stride_x == 1) {
          for (ptrdiff_t i = from; i < to; i++) out[i] = in[i] > out[i] ? in[i] : out[i];
        } else if (w->stride_x == 2) {
          for (ptrdiff_t i = from; i < to; i++) out[i] = in[2 * i] > out[i] ? in[2 * i] : out[i];
        } else {
          for (ptrdiff_t i = from; i < to; i++) out[i] = in[w->stride_x * i] > out[i] ? in[w->stride_x * i] : out[i];
        }
      }
    }
  }
}

// The divisor of the sum over a window.
static inline float divisor(const rk_window *w, taps ty, taps tx, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding) {
  if (!counts_padding) return (float)((ty.to - ty.from) * (tx.to - tx.from));
  // Taps inside the padded plane; in ceil mode the last window may extend beyond it.
  const ptrdiff_t rows = RK_MIN(w->kernel_y, (w->height + after_y - 1 - ty.origin) / w->dilation_y + 1);
  const ptrdiff_t columns = RK_MIN(w->kernel_x, (w->width + after_x - 1 - tx.origin) / w->dilation_x + 1);
  return (float)(rows * columns);
}

RK_KERNEL(void, rk_average_pool,
          (const float *x, const rk_window *w, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding, float *y),
          (x, w, after_y, after_x, counts_padding, y)) {
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    float *restrict out = y + oy * w->out_width;
    for (ptrdiff_t i = 0; i < w->out_width; i++) out[i] = 0;
    for (ptrdiff_t ky = ty.from; ky < ty.to; ky++) {
      const float *row = x + (ty.origin + ky * w->dilation_y) * w->width;
      for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
        const ptrdiff_t shift = kx * w->dilation_x - w->pad_x;
        ptrdiff_t from, to;
        columns_inside(w, shift, 0, w->out_width, &from, &to);
        const float *restrict in = row + shift;
        if (w->stride_x == 1) {
          for (ptrdiff_t i = from; i < to; i++) out[i] += in[i];
        } else if (w->stride_x == 2) {
          for (ptrdiff_t i = from; i < to; i++) out[i] += in[2 * i];
        } else {
          for (ptrdiff_t i = from; i < to; i++) out[i] += in[w->stride_x * i];
        }
      }
    }
    // Windows that are completely inside the plane's columns have the same divisor.
    ptrdiff_t first, last, other;
    columns_inside(w, -w->pad_x, 0, w->out_width, &first, &other);
    columns_inside(w, (w->kernel_x - 1) * w->dilation_x - w->pad_x, first, w->out_width, &other, &last);
    for (ptrdiff_t ox = 0; ox < w->out_width;) {
      const ptrdiff_t end = ox == first && last > first ? last : ox + 1;
      const float n = divisor(w, ty, RK_TAPS_X(w, ox), after_y, after_x, counts_padding);
      for (; ox < end; ox++) out[ox] = n > 0 ? out[ox] / n : 0;
    }
  }
}

void rk_average_pool_adjoint(const float *r, const rk_window *w, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding,
                             float *c) {
  clear(c, w);
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t ox = 0; ox < w->out_width; ox++) {
      const taps tx = RK_TAPS_X(w, ox);
      const float n = divisor(w, ty, tx, after_y, after_x, counts_padding);
      const float share = n > 0 ? r[oy * w->out_width + ox] / n : 0;
      RK_EACH_TAP(w, ty, tx, i, { c[i] += share; })
    }
  }
}
