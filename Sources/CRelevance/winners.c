#include "CRelevance.h"
#include "windows.h"

#include <math.h>

// The number of output columns that are computed side by side, in rows of floats that stay in the first-level cache.
enum { RUN = 256 };

// Tap by tap, sends the relevance in `left` of each window to its maximum. The stride is a constant where the call is
// inlined.
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
  // The space between rows equals no value and has no relevance to send.
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

// The first of several winners receives all relevance.
RK_LOCAL_KERNEL(void, first_winners,
          (const float *x, const float *y, const float *r, const rk_window *w, float *c),
          (x, y, r, w, c)) {
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
          if (from >= to) continue;
          const float *in = x + shift + from * s;
          float *out = c + shift + from * s;
          if (s == 1) {
            take_winner(in, largest + from, left + (from - first), out, 1, to - from);
          } else if (s == 2) {
            take_winner(in, largest + from, left + (from - first), out, 2, to - from);
          } else {
            take_winner(in, largest + from, left + (from - first), out, s, to - from);
          }
        }
      }
    }
  }
}

// All winners receive equal shares.
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

// Adjacent windows of two by two elements: each element belongs to one window or to none.
RK_LOCAL_KERNEL(void, first_winners_of_four,
          (const float *x, const float *y, const float *r, const rk_window *w, float *c),
          (x, y, r, w, c)) {
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
