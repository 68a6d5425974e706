#include "check.h"

CHECK(parts_of_weights) {
  for (int k = 0; k < part_count; k++)
    for (ptrdiff_t n = 0; n <= 70; n++) {
      const float *w = fractions(n);
      float *y = room(n);
      double *expected = zeros(n);
      for (ptrdiff_t i = 0; i < n; i++) expected[i] = part_of((double)w[i], parts[k]);
      rk_part_copy(y, w, n, parts[k]);
      expect(y, expected, n, ROUNDING, "part %d, %td elements", k, n);
    }
}

CHECK(matrix_times_vector) {
  for (int k = 0; k < part_count; k++)
    for (ptrdiff_t n = 0; n <= 543; n += n < 70 ? 1 : 43) {
      const ptrdiff_t rows = n % 4 + 1, stride = n + n % 3;
      const float *w = fractions(rows * stride), *x = fractions(n);
      float *all = room(rows), *some = room(rows), *alone = room(rows);
      double *of_all = zeros(rows), *of_some = zeros(rows);
      for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < n; i++) {
          of_all[r] += (double)w[r * stride + i] * (double)x[i];
          of_some[r] += part_of((double)w[r * stride + i], parts[k]) * (double)x[i];
        }
      rk_products(w, stride, rows, x, n, parts[k], all, some);
      rk_products(w, stride, rows, x, n, parts[k], NULL, alone);
      expect(all, of_all, rows, 1e-4, "all, %td columns", n);
      expect(some, of_some, rows, 1e-4, "part %d, %td columns", k, n);
      expect(alone, of_some, rows, 1e-4, "part %d alone, %td columns", k, n);
    }
}

CHECK(sums_of_rows) {
  static const ptrdiff_t listed[] = {8, 0, 1, 2, 6, 5, 3};
  for (int k = 0; k < part_count; k++)
    for (ptrdiff_t n = 0; n <= 70; n++) {
      const ptrdiff_t stride = n + n % 3, count = n % 8;
      const float *w = wholes(9 * stride, -8, 8), *s = wholes(9, -8, 8), *start = wholes(n, -8, 8);
      float *y = room(n);
      double *expected = zeros(n);
      for (ptrdiff_t i = 0; i < n; i++) {
        y[i] = start[i];
        expected[i] = (double)start[i];
        for (ptrdiff_t r = 0; r < count; r++)
          expected[i] += (double)s[listed[r]] * part_of((double)w[listed[r] * stride + i], parts[k]);
      }
      rk_accumulate_rows(y, w, stride, listed, count, s, n, parts[k]);
      expect(y, expected, n, EXACT, "part %d, %td columns of %td rows", k, n, count);
    }
}

CHECK(columns_that_are_not_all_zero) {
  for (ptrdiff_t n = 0; n <= 70; n++) {
    const ptrdiff_t rows = n % 4;
    const float *x = wholes(rows * n, -1, 1);
    unsigned char flags[80];
    rk_nonzero_columns(x, rows, n, flags);
    for (ptrdiff_t i = 0; i < n; i++) {
      int expected = 0;
      for (ptrdiff_t r = 0; r < rows; r++) expected |= x[r * n + i] != 0;
      expect_number(flags[i], expected, EXACT, "a flag");
    }
    forget();
  }
}
