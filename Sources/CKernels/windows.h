// The positions of windows on planes, for functions that pool over windows or propagate back through them.
#ifndef RK_WINDOWS_H
#define RK_WINDOWS_H

#include "vectors.h"

// The rows or columns of one window that are inside the plane, as a range of taps.
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

// Runs `body` for each element of the window given by ty and tx, with `i` as its position.
#define RK_EACH_TAP(w, ty, tx, i, body)                                                              \
  for (ptrdiff_t ky = (ty).from; ky < (ty).to; ky++) {                                               \
    const ptrdiff_t base_ = ((ty).origin + ky * (w)->dilation_y) * (w)->width + (tx).origin;         \
    for (ptrdiff_t kx = (tx).from; kx < (tx).to; kx++) {                                             \
      const ptrdiff_t i = base_ + kx * (w)->dilation_x;                                              \
      body                                                                                           \
    }                                                                                                \
  }

// The first, and one past the last, of the output columns first … last−1 whose tap at `shift` is inside the plane.
static inline void columns_inside(const rk_window *w, ptrdiff_t shift, ptrdiff_t first, ptrdiff_t last, ptrdiff_t *from,
                                  ptrdiff_t *to) {
  const ptrdiff_t s = w->stride_x;
  *from = RK_MAX(first, shift >= 0 ? 0 : (-shift + s - 1) / s);
  *to = shift >= w->width ? first : RK_MIN(last, (w->width - 1 - shift) / s + 1);
  if (*from > *to) *from = *to;
}

// --- Small maps ------------------------------------------------------------------------------------------------------
//
// The rows of small maps are too short for vectors. For windows with unit strides that keep the size, whole planes are
// treated as one row instead, with enough space between rows that no tap reaches another row.

enum { SMALL = 2048 };

// The number of floats from one row to the next; 0 if the window does not allow it.
static inline ptrdiff_t lead_of_small(const rk_window *w) {
  const ptrdiff_t after = w->kernel_x - 1 - w->pad_x, below = w->kernel_y - 1 - w->pad_y;
  if (w->stride_x != 1 || w->stride_y != 1 || w->dilation_x != 1 || w->dilation_y != 1) return 0;
  if (w->out_height != w->height || w->out_width != w->width || w->pad_x < 0 || w->pad_y < 0 || after < 0 || below < 0) return 0;
  const ptrdiff_t lead = w->width + RK_MAX(w->pad_x, after);
  return (w->height + w->kernel_y) * lead + w->kernel_x <= SMALL ? lead : 0;
}

// Copies the rows of a plane `lead` floats apart.
static inline void spread(const float *x, const rk_window *w, ptrdiff_t lead, float *to) {
  for (ptrdiff_t y = 0; y < w->height; y++)
    for (ptrdiff_t i = 0; i < w->width; i++) to[y * lead + i] = x[y * w->width + i];
}

static inline void fill(float *to, float value, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = value;
}

// The position of the first element of a plane after its padding.
static inline ptrdiff_t origin_of_small(const rk_window *w, ptrdiff_t lead) { return w->pad_y * lead + w->pad_x; }

static inline void clear(float *c, const rk_window *w) {
  memset(c, 0, (size_t)(w->height * w->width) * sizeof(float));
}

#endif
