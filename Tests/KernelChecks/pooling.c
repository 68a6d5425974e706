#include "check.h"

CHECK(maxima) {
  for (int k = 0; k < window_count; k++) {
    const rk_window *w = &windows[k];
    const ptrdiff_t positions = w->out_height * w->out_width;
    const float *x = fractions(w->height * w->width);
    float *y = room(positions);
    double *expected = zeros(positions);
    for (ptrdiff_t p = 0; p < positions; p++) {
      expected[p] = -INFINITY;
      EACH_TAP(w, ky, kx) {
        const ptrdiff_t at = under_tap(w, p, ky, kx);
        if (at >= 0) expected[p] = fmax(expected[p], (double)x[at]);
      }
    }
    rk_max_pool(x, w, y);
    expect(y, expected, positions, EXACT, "window %d", k);
  }
}

// The padding after the plane is as wide as before it.
static double divisor(const rk_window *w, ptrdiff_t p, int counts_padding) {
  double count = 0;
  EACH_TAP(w, ky, kx) {
    const ptrdiff_t y = p / w->out_width * w->stride_y - w->pad_y + ky * w->dilation_y;
    const ptrdiff_t x = p % w->out_width * w->stride_x - w->pad_x + kx * w->dilation_x;
    count += counts_padding ? y < w->height + w->pad_y && x < w->width + w->pad_x : under_tap(w, p, ky, kx) >= 0;
  }
  return count;
}

CHECK(averages) {
  for (int k = 0; k < window_count; k++)
    for (int counts_padding = 0; counts_padding < 2; counts_padding++) {
      const rk_window *w = &windows[k];
      if (w->pad_y < 0) continue;
      const ptrdiff_t positions = w->out_height * w->out_width, plane = w->height * w->width;
      const float *x = fractions(plane), *r = fractions(positions);
      float *y = room(positions), *c = room(plane);
      double *means = zeros(positions), *shares = zeros(plane);
      for (ptrdiff_t p = 0; p < positions; p++) {
        const double count = divisor(w, p, counts_padding);
        EACH_TAP(w, ky, kx) {
          const ptrdiff_t at = under_tap(w, p, ky, kx);
          if (at < 0) continue;
          means[p] += (double)x[at] / count;
          shares[at] += (double)r[p] / count;
        }
      }
      rk_average_pool(x, w, w->pad_y, w->pad_x, counts_padding, y);
      rk_average_pool_adjoint(r, w, w->pad_y, w->pad_x, counts_padding, c);
      expect(y, means, positions, ROUNDING, "window %d, padding %d", k, counts_padding);
      expect(c, shares, plane, ROUNDING, "adjoint, window %d, padding %d", k, counts_padding);
    }
}

CHECK(winners) {
  for (int k = 0; k < window_count; k++)
    for (int split = 0; split < 2; split++) {
      const rk_window *w = &windows[k];
      const ptrdiff_t positions = w->out_height * w->out_width, plane = w->height * w->width;
      const float *x = wholes(plane, 0, 3), *r = fractions(positions);
      float *y = room(positions), *c = room(plane);
      double *expected = zeros(plane);
      for (ptrdiff_t p = 0; p < positions; p++) {
        double largest = -INFINITY, count = 0;
        EACH_TAP(w, ky, kx) {
          const ptrdiff_t at = under_tap(w, p, ky, kx);
          if (at < 0 || (double)x[at] < largest) continue;
          count = (double)x[at] > largest ? 1 : count + 1;
          largest = (double)x[at];
        }
        y[p] = (float)largest;
        double left = (double)r[p];
        EACH_TAP(w, ky, kx) {
          const ptrdiff_t at = under_tap(w, p, ky, kx);
          if (at < 0 || (double)x[at] != largest) continue;
          expected[at] += split ? (double)r[p] / count : left;
          left = 0;
        }
      }
      rk_max_pool_winners(x, y, r, w, split, c);
      expect(c, expected, plane, ROUNDING, "window %d, split %d", k, split);
    }
}

CHECK(proportional_shares) {
  for (int k = 0; k < window_count; k++) {
    const rk_window *w = &windows[k];
    const ptrdiff_t positions = w->out_height * w->out_width, plane = w->height * w->width;
    const float *x = wholes(plane, 0, 2), *r = fractions(positions);
    float *c = room(plane);
    double *expected = zeros(plane);
    for (ptrdiff_t p = 0; p < positions; p++) {
      double sum = 0;
      EACH_TAP(w, ky, kx) {
        const ptrdiff_t at = under_tap(w, p, ky, kx);
        sum += at < 0 ? 0 : (double)x[at];
      }
      EACH_TAP(w, ky, kx) {
        const ptrdiff_t at = under_tap(w, p, ky, kx);
        if (at >= 0 && sum != 0) expected[at] += (double)x[at] / sum * (double)r[p];
      }
    }
    rk_average_pool_proportional(x, r, w, c);
    expect(c, expected, plane, ROUNDING, "window %d", k);
  }
}
