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

// Output columns that are computed side by side, in rows of floats that stay in the first cache.
enum { RUN = 256 };

// First and one past the last of the output columns first … last−1 whose tap at `shift` lies inside the plane.
static inline void columns_inside(const rk_window *w, ptrdiff_t shift, ptrdiff_t first, ptrdiff_t last, ptrdiff_t *from,
                                  ptrdiff_t *to) {
  const ptrdiff_t s = w->stride_x;
  *from = RK_MAX(first, shift >= 0 ? 0 : (-shift + s - 1) / s);
  *to = shift >= w->width ? first : RK_MIN(last, (w->width - 1 - shift) / s + 1);
  if (*from > *to) *from = *to;
}

// --- Small maps ------------------------------------------------------------------------------------------------------
//
// The rows of small maps are too short for vectors. Under windows with unit strides that leave the size as it is, whole planes
// are taken as one row instead: laid out with so much space between rows that no tap reaches another row.

enum { SMALL = 2048 };

// Floats from one row to the next; 0 if a window does not allow it.
static inline ptrdiff_t lead_of_small(const rk_window *w) {
  const ptrdiff_t after = w->kernel_x - 1 - w->pad_x, below = w->kernel_y - 1 - w->pad_y;
  if (w->stride_x != 1 || w->stride_y != 1 || w->dilation_x != 1 || w->dilation_y != 1) return 0;
  if (w->out_height != w->height || w->out_width != w->width || w->pad_x < 0 || w->pad_y < 0 || after < 0 || below < 0) return 0;
  const ptrdiff_t lead = w->width + RK_MAX(w->pad_x, after);
  return (w->height + w->kernel_y) * lead + w->kernel_x <= SMALL ? lead : 0;
}

// Rows of a plane, `lead` floats apart.
static inline void spread(const float *x, const rk_window *w, ptrdiff_t lead, float *to) {
  for (ptrdiff_t y = 0; y < w->height; y++)
    for (ptrdiff_t i = 0; i < w->width; i++) to[y * lead + i] = x[y * w->width + i];
}

static inline void fill(float *to, float value, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = value;
}

// Where the first element of a plane lies among its padding.
static inline ptrdiff_t origin_of_small(const rk_window *w, ptrdiff_t lead) { return w->pad_y * lead + w->pad_x; }

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

RK_WIDE
void rk_max_pool(const float *x, const rk_window *w, float *y) {
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

// Tap by tap, what a window has `left` goes where the maximum is. The stride is a constant where the call is inlined.
static inline __attribute__((always_inline)) void take_winner(const float *restrict in, const float *restrict largest,
                                                              float *restrict left, float *restrict out, ptrdiff_t stride,
                                                              ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const float share = in[i * stride] == largest[i] ? left[i] : 0;
    out[i * stride] += share;
    left[i] -= share;
  }
}

RK_INLINE void first_winners_small(const float *x, const float *y, const float *r, const rk_window *w, ptrdiff_t lead,
                                   float *c) {
  float all[SMALL], largest[SMALL], left[SMALL], out[SMALL];
  const ptrdiff_t count = w->height * lead, padded = count + w->kernel_y * lead + w->kernel_x;
  const ptrdiff_t origin = origin_of_small(w, lead);
  fill(all, -INFINITY, padded);
  spread(x, w, lead, all + origin);
  // What lies between rows equals nothing and has nothing to give.
  fill(largest, INFINITY, count);
  spread(y, w, lead, largest);
  fill(left, 0, count);
  spread(r, w, lead, left);
  fill(out, 0, padded);
  for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++)
    for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++)
      take_winner(all + ky * lead + kx, largest, left, out + ky * lead + kx, 1, count);
  for (ptrdiff_t row = 0; row < w->height; row++)
    for (ptrdiff_t i = 0; i < w->width; i++) c[row * w->width + i] += out[origin + row * lead + i];
}

// The first of several winners takes all.
RK_WIDE
static void first_winners(const float *x, const float *y, const float *r, const rk_window *w, float *c) {
  const ptrdiff_t lead = lead_of_small(w);
  if (lead) {
    first_winners_small(x, y, r, w, lead, c);
    return;
  }
  float left[RUN];
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t first = 0; first < w->out_width; first += RUN) {
      const ptrdiff_t last = RK_MIN(first + RUN, w->out_width);
      const float *largest = y + oy * w->out_width;
      memcpy(left, r + oy * w->out_width + first, (size_t)(last - first) * sizeof(float));
      for (ptrdiff_t ky = ty.from; ky < ty.to; ky++) {
        const ptrdiff_t row = (ty.origin + ky * w->dilation_y) * w->width;
        for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
          const ptrdiff_t shift = row + kx * w->dilation_x - w->pad_x, s = w->stride_x;
          ptrdiff_t from, to;
          columns_inside(w, shift - row, first, last, &from, &to);
          const float *in = x + shift + from * s;
          float *out = c + shift + from * s;
          if (s == 1) {
            take_winner(in, largest + from, left + from - first, out, 1, to - from);
          } else if (s == 2) {
            take_winner(in, largest + from, left + from - first, out, 2, to - from);
          } else {
            take_winner(in, largest + from, left + from - first, out, s, to - from);
          }
        }
      }
    }
  }
}

// Equal shares for all winners.
static void equal_winners(const float *x, const float *y, const float *r, const rk_window *w, float *c) {
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const taps ty = RK_TAPS_Y(w, oy);
    for (ptrdiff_t ox = 0; ox < w->out_width; ox++) {
      const ptrdiff_t o = oy * w->out_width + ox;
      const taps tx = RK_TAPS_X(w, ox);
      ptrdiff_t winners = 0;
      RK_EACH_TAP(w, ty, tx, i, { winners += x[i] == y[o]; })
      const float share = r[o] / (float)RK_MAX(winners, 1);
      RK_EACH_TAP(w, ty, tx, i, { if (x[i] == y[o]) c[i] += share; })
    }
  }
}

// Windows of two by two elements, side by side: each element belongs to one of them or to none.
RK_WIDE
static void first_winners_of_four(const float *x, const float *y, const float *r, const rk_window *w, float *c) {
  const ptrdiff_t width = w->width, covered = 2 * w->out_width;
  for (ptrdiff_t oy = 0; oy < w->out_height; oy++) {
    const float *restrict top = x + 2 * oy * width, *restrict bottom = top + width;
    const float *restrict largest = y + oy * w->out_width, *restrict give = r + oy * w->out_width;
    float *restrict to = c + 2 * oy * width, *restrict below = to + width;
    for (ptrdiff_t i = 0; i < w->out_width; i++) {
      const float m = largest[i], all = give[i];
      const float a = top[2 * i] == m ? all : 0, rest = all - a;
      const float b = top[2 * i + 1] == m ? rest : 0, lower = rest - b;
      const float e = bottom[2 * i] == m ? lower : 0;
      to[2 * i] = a;
      to[2 * i + 1] = b;
      below[2 * i] = e;
      below[2 * i + 1] = bottom[2 * i + 1] == m ? lower - e : 0;
    }
    for (ptrdiff_t i = covered; i < width; i++) to[i] = below[i] = 0;
  }
  memset(c + 2 * w->out_height * width, 0, (size_t)((w->height - 2 * w->out_height) * width) * sizeof(float));
}

static inline int is_two_by_two(const rk_window *w) {
  return w->kernel_y == 2 && w->kernel_x == 2 && w->stride_y == 2 && w->stride_x == 2 && w->dilation_y == 1 &&
         w->dilation_x == 1 && w->pad_y == 0 && w->pad_x == 0 && 2 * w->out_height <= w->height &&
         2 * w->out_width <= w->width;
}

static inline void clear(float *c, const rk_window *w) {
  memset(c, 0, (size_t)(w->height * w->width) * sizeof(float));
}

void rk_max_pool_winners(const float *x, const float *y, const float *r, const rk_window *w, int split, float *c) {
  if (!split && is_two_by_two(w)) {
    first_winners_of_four(x, y, r, w, c);
    return;
  }
  clear(c, w);
  if (split) {
    equal_winners(x, y, r, w, c);
  } else {
    first_winners(x, y, r, w, c);
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

void rk_average_pool_proportional(const float *x, const float *r, const rk_window *w, float *c) {
  clear(c, w);
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
