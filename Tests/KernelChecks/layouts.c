// Permutations of axes, and normalization.
#include "check.h"

CHECK(transposes) {
  static const ptrdiff_t sides[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 63, 64, 65, 72, 131};
  const int count = sizeof sides / sizeof *sides;
  for (int a = 0; a < count; a++)
    for (int b = 0; b < count; b++) {
      const ptrdiff_t rows = sides[a], columns = sides[b], lead = columns + a % 3, y_lead = rows + b % 2;
      const ptrdiff_t size = (columns - 1) * y_lead + rows;
      const float *x = fractions((rows - 1) * lead + columns);
      float *y = room(size);
      double *expected = zeros(size);
      for (ptrdiff_t i = 0; i < size; i++) expected[i] = i % y_lead < rows ? (double)x[i % y_lead * lead + i / y_lead] : NAN;
      rk_transpose(x, lead, rows, columns, y, y_lead);
      expect(y, expected, size, EXACT, "%td × %td", rows, columns);
      forget();
    }
}

// Includes numbers that differ little, whose squares would cancel.
CHECK(means_and_variances) {
  for (ptrdiff_t n = 1; n <= 70; n++)
    for (int kind = 0; kind < 4; kind++) {
      const int is_centered = kind & 1;
      const float *x = kind & 2 ? wholes(n, 1000000, 1000003) : fractions(n);
      double center = 0, squares = 0, mean = NAN, variance = NAN;
      for (ptrdiff_t i = 0; i < n && is_centered; i++) center += (double)x[i] / (double)n;
      for (ptrdiff_t i = 0; i < n; i++) squares += ((double)x[i] - center) * ((double)x[i] - center);
      rk_mean_and_variance(x, n, is_centered, &mean, &variance);
      expect_number(mean, center, 1e-12, "a mean");
      expect_number(variance, squares / (double)n, 1e-12, "a variance");
    }
}

CHECK(normalization) {
  for (ptrdiff_t n = 0; n <= 70; n++) {
    const float *x = wholes(n, -8, 8), *scale = wholes(n, -8, 8), *shift = wholes(n, -8, 8);
    float *shifted = room(n), *scaled = room(n), *alike = room(n);
    double *of_shifted = zeros(n), *of_scaled = zeros(n), *of_alike = zeros(n);
    for (ptrdiff_t i = 0; i < n; i++) {
      const double v = ((double)x[i] - 3) * 0.5;
      of_scaled[i] = v * (double)scale[i];
      of_shifted[i] = v * (double)scale[i] + (double)shift[i];
      of_alike[i] = v * 5 - 1;
    }
    rk_normalize(shifted, x, 3, 0.5f, scale, shift, n);
    rk_normalize(scaled, x, 3, 0.5f, scale, NULL, n);
    rk_normalize_alike(alike, x, 3, 0.5f, 5, -1, n);
    expect(shifted, of_shifted, n, EXACT, "%td elements", n);
    expect(scaled, of_scaled, n, EXACT, "%td elements without shift", n);
    expect(alike, of_alike, n, EXACT, "%td elements alike", n);
  }
}

CHECK(normalization_adjoints) {
  for (ptrdiff_t n = 1; n <= 70; n++)
    for (int kind = 0; kind < 4; kind++) {
      const int is_centered = kind & 1, holds_deviation = kind >> 1;
      const double mean = is_centered ? 0.25 : 0, factor = 0.5;
      const float *x = wholes(n, -8, 8);
      float *c = room(n);
      double *expected = zeros(n), sum = 0, projection = 0;
      for (ptrdiff_t i = 0; i < n; i++) {
        c[i] = (float)((i * 7) % 17 - 8);
        if (is_centered) sum += (double)c[i] / (double)n;
        if (!holds_deviation) projection += (double)c[i] * ((double)x[i] - mean) * factor / (double)n;
      }
      for (ptrdiff_t i = 0; i < n; i++)
        expected[i] = factor * ((double)c[i] - sum - ((double)x[i] - mean) * factor * projection);
      rk_normalization_adjoint(c, x, mean, factor, is_centered, holds_deviation, n);
      expect(c, expected, n, 1e-6, "%td elements, kind %d", n, kind);
      forget();
    }
}
