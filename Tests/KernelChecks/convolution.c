#include "check.h"

CHECK(windows_as_columns) {
  for (int k = 0; k < window_count; k++) {
    const rk_window *w = &windows[k];
    const ptrdiff_t channels = 2, plane = w->height * w->width, positions = w->out_height * w->out_width;
    const ptrdiff_t depth = channels * w->kernel_y * w->kernel_x;
    const float *x = fractions(channels * plane);
    for (int some = 0; some < 2; some++) {
      const ptrdiff_t first = some ? positions / 3 : 0, last = some ? positions - positions / 4 : positions;
      const ptrdiff_t count = last - first, stride = count + 2 * some;
      float *columns = room(depth * stride);
      double *expected = zeros(depth * stride);
      for (ptrdiff_t i = 0; i < depth * stride; i++) expected[i] = NAN;
      ptrdiff_t row = 0;
      for (ptrdiff_t c = 0; c < channels; c++)
        EACH_TAP(w, ky, kx) {
          for (ptrdiff_t p = first; p < last; p++) {
            const ptrdiff_t at = under_tap(w, p, ky, kx);
            expected[row * stride + p - first] = at < 0 ? 0 : (double)x[c * plane + at];
          }
          row++;
        }
      rk_im2col(x, channels, w, first, last, columns, stride);
      expect(columns, expected, depth * stride, EXACT, "window %d, %td to %td", k, first, last);
    }
  }
}

// Adds all windows in some of the rows.
CHECK(columns_added_up) {
  for (int k = 0; k < window_count; k++) {
    const rk_window *w = &windows[k];
    const ptrdiff_t channels = 2, positions = w->out_height * w->out_width, taps = w->kernel_y * w->kernel_x;
    const float *columns = wholes(channels * taps * positions, -8, 8);
    for (ptrdiff_t top = 0; top < w->height; top += (w->height + 1) / 2) {
      const ptrdiff_t bottom = top + (w->height + 1) / 2 < w->height ? top + (w->height + 1) / 2 : w->height;
      const ptrdiff_t plane = (bottom - top) * w->width;
      float *x = wholes(channels * plane, 1, 1);
      double *expected = zeros(channels * plane);
      for (ptrdiff_t i = 0; i < channels * plane; i++) expected[i] = 1;
      for (ptrdiff_t c = 0; c < channels; c++)
        EACH_TAP(w, ky, kx)
          for (ptrdiff_t p = 0; p < positions; p++) {
            const ptrdiff_t at = under_tap(w, p, ky, kx), row = at / w->width;
            if (at < 0 || row < top || row >= bottom) continue;
            expected[c * plane + at - top * w->width] += (double)columns[(c * taps + ky * w->kernel_x + kx) * positions + p];
          }
      rk_col2im_rows(columns, positions, channels, w, 0, positions, top, bottom, x, plane);
      expect(x, expected, channels * plane, EXACT, "window %d, rows %td to %td", k, top, bottom);
    }
  }
}

CHECK(small_products_anew) {
  const rk_part part = {RK_SCALED, 1, 0};
  for (int k = 0; k < window_count; k++)
    for (int has_needed = 0; has_needed < 2; has_needed++) {
      const rk_window *w = &windows[k];
      const ptrdiff_t channels = 3, plane = w->height * w->width, positions = w->out_height * w->out_width;
      const ptrdiff_t taps = w->kernel_y * w->kernel_x;
      const float *x = wholes(channels * plane, 0, 3), *weights = wholes(channels * taps, -8, 8);
      const float *needed = wholes(positions, 0, 1), *start = wholes(positions, 0, 2);
      float *z = room(positions);
      double *expected = zeros(positions);
      ptrdiff_t count = 0;
      for (ptrdiff_t p = 0; p < positions; p++) {
        z[p] = start[p] * 1000;
        expected[p] = (double)z[p];
        if (start[p] > 0 || (has_needed && needed[p] == 0)) continue;
        expected[p] = 0;
        count++;
        for (ptrdiff_t c = 0; c < channels; c++)
          EACH_TAP(w, ky, kx) {
            const ptrdiff_t at = under_tap(w, p, ky, kx);
            const double weight = (double)weights[c * taps + ky * w->kernel_x + kx];
            if (at >= 0) expected[p] += (double)x[c * plane + at] * part_of(weight, part);
          }
      }
      // The same operand twice; the second term subtracts half of the weights.
      const rk_term terms[] = {{x, {RK_SCALED, 1.5f, 0}}, {x, {RK_SCALED, -0.5f, 0}}};
      const ptrdiff_t found = rk_refine_small_products(terms, 2, channels, w, weights, has_needed ? needed : NULL, 1e-4f, z);
      expect_number((double)found, (double)count, 0, "the number of small products");
      expect(z, expected, positions, EXACT, "window %d, needed %d", k, has_needed);
    }
}
