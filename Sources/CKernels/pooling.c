#include "CKernels.h"
#include "vectors.h"

#include <math.h>

// The rows or columns of one window that lie inside the plane, as a range of taps.
typedef struct {
  ptrdiff_t origin, from, to;
} taps;

static inline taps taps_inside(ptrdiff_t index, ptrdiff_t stride, ptrdiff_t pad, ptrdiff_t kernel, ptrdiff_t dilation,
                               ptrdiff_t extent) {
  taps t;
  t.origin = index * stride - pad;
  t.from = t.origin >= 0 ? 0 : (-t.origin + dilation - 1) / dilation;
  t.to = t.origin >= extent ? 0 : RK_MIN(kernel, (extent - 1 - t.origin) / dilation + 1);
  if (t.from > t.to) t.from = t.to;
  return t;
}

#define RK_TAPS_Y(w, oy) taps_inside(oy, (w)->stride_y, (w)->pad_y, (w)->kernel_y, (w)->dilation_y, (w)->height)
#define RK_TAPS_X(w, ox) taps_inside(ox, (w)->stride_x, (w)->pad_x, (w)->kernel_x, (w)->dilation_x, (w)->width)

// Runs `body` with `i` the position of each element of the window given by ty, tx.
#define RK_EACH_TAP(w, ty, tx, i, body)                                                              \
  for (ptrdiff_t ky = (ty).from; ky < (ty).to; ky++) {                                               \
    const ptrdiff_t base_ = ((ty).origin + ky * (w)->dilation_y) * (w)->width + (tx).origin;         \
    for (ptrdiff_t kx = (tx).from; kx < (tx).to; kx++) {                                             \
      const ptrdiff_t i = base_ + kx * (w)->dilation_x;                                              \
      body                                                                                           \
    }                                                                                                \
  }

RK_WIDE
void rk_max_pool(const float *x, const rk_window *w, float *y) {
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t ox = 0; ox < w->out_width; ox++) {
      const taps tx = RK_TAPS_X(w, ox);
      float best = -INFINITY;
      RK_EACH_TAP(w, ty, tx, i, { best = x[i] > best ? x[i] : best; })
      y[oy * w->out_width + ox] = best;
    }
  }
}

void rk_max_pool_winners(const float *x, const float *y, const float *r, const rk_window *w, int split, float *c) {
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t ox = 0; ox < w->out_width; ox++) {
      const ptrdiff_t o = oy * w->out_width + ox;
      if (r[o] == 0) continue;
      const taps tx = RK_TAPS_X(w, ox);
      if (split) {
        ptrdiff_t winners = 0;
        RK_EACH_TAP(w, ty, tx, i, { winners += x[i] == y[o]; })
        const float share = r[o] / (float)RK_MAX(winners, 1);
        RK_EACH_TAP(w, ty, tx, i, { if (x[i] == y[o]) c[i] += share; })
      } else {
        RK_EACH_TAP(w, ty, tx, i, {
          if (x[i] == y[o]) {
            c[i] += r[o];
            goto next;
          }
        })
      }
    next:;
    }
  }
}

// The number that the sum over a window is divided by.
static inline float divisor(const rk_window *w, taps ty, taps tx, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding) {
  if (!counts_padding) return (float)((ty.to - ty.from) * (tx.to - tx.from));
  // Taps inside the padded plane; in ceil mode the last window may reach beyond it.
  const ptrdiff_t rows = RK_MIN(w->kernel_y, (w->height + after_y - 1 - ty.origin) / w->dilation_y + 1);
  const ptrdiff_t columns = RK_MIN(w->kernel_x, (w->width + after_x - 1 - tx.origin) / w->dilation_x + 1);
  return (float)(rows * columns);
}

RK_WIDE
void rk_average_pool(const float *x, const rk_window *w, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding, float *y) {
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t ox = 0; ox < w->out_width; ox++) {
      const taps tx = RK_TAPS_X(w, ox);
      float sum = 0;
      RK_EACH_TAP(w, ty, tx, i, { sum += x[i]; })
      const float n = divisor(w, ty, tx, after_y, after_x, counts_padding);
      y[oy * w->out_width + ox] = n > 0 ? sum / n : 0;
    }
  }
}

void rk_average_pool_adjoint(const float *r, const rk_window *w, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding,
                             float *c) {
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

void rk_average_pool_proportional(const float *x, const float *r, const rk_window *w, float *c) {
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t ox = 0; ox < w->out_width; ox++) {
      const taps tx = RK_TAPS_X(w, ox);
      float sum = 0;
      RK_EACH_TAP(w, ty, tx, i, { sum += x[i]; })
      if (sum == 0) continue;
      const float ratio = r[oy * w->out_width + ox] / sum;
      RK_EACH_TAP(w, ty, tx, i, { c[i] += x[i] * ratio; })
    }
  }
}
