#include "check.h"

// Checks y[i] as a function of x[i] and z[i], for every tail of a vector.
#define EACH_ELEMENT(tolerance, call, definition)                                     \
  do {                                                                                \
    for (ptrdiff_t n = 0; n <= 70; n++) {                                             \
      float *x = fractions(n), *z = wholes(n, -2, 2), *y = room(n);                   \
      double *expected = zeros(n);                                                    \
      for (ptrdiff_t i = 0; i < n; i++) expected[i] = definition((double)x[i], (double)z[i]); \
      (void)z;                                                                        \
      call;                                                                           \
      expect(y, expected, n, tolerance, "%td elements", n);                           \
    }                                                                                 \
  } while (0)

static double rectified(double x, double z) { return (void)z, fmax(x, 0); }
static double clipped(double x, double z) { return (void)z, fmin(fmax(x, -1), 2); }
static double sum(double x, double z) { return x + z; }
static double product(double x, double z) { return x * z; }
static double difference(double x, double z) { return x - z; }
static double quotient(double x, double z) { return x / z; }
static double part_of_seven(double x, double z) { return (void)z, x / 7; }
static double scaled(double x, double z) { return (void)z, x * 0.75; }
static double affine(double x, double z) { return (void)z, x * 0.75 - 3; }
static double shifted(double x, double z) { return (void)z, x - 0.5; }
static double masked(double x, double z) { return z > 0 ? x : 0; }
static double negative_kept(double x, double z) { return z < 0 ? x : 0; }
static double others_kept(double x, double z) { return z < 0 ? 0 : x; }
static double over_positive(double x, double z) { return z > 0 ? x / (z + 0.25) : 0; }
static double over_nonzero(double x, double z) { return z == 0 ? 0 : x / (z > 0 ? z + 0.25 : z - 0.25); }

static float *copy(float *to, const float *from, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) to[i] = from[i];
  return to;
}

CHECK(rectifiers) { EACH_ELEMENT(EXACT, rk_relu(y, x, n), rectified); }
CHECK(clips) { EACH_ELEMENT(EXACT, rk_clip(y, x, -1, 2, n), clipped); }
CHECK(sums_of_two) { EACH_ELEMENT(ROUNDING, rk_add(y, x, z, n), sum); }
CHECK(products_of_two) { EACH_ELEMENT(ROUNDING, rk_multiply(y, x, z, n), product); }
// Rounded once, including zeros.
CHECK(differences_of_two) { EACH_ELEMENT(EXACT, rk_subtract(y, x, z, n), difference); }
CHECK(quotients_of_two) { EACH_ELEMENT(EXACT, rk_divide(y, x, z, n), quotient); }
CHECK(quotients_by_one) { EACH_ELEMENT(EXACT, rk_divide_by(y, x, 7, n), part_of_seven); }
CHECK(multiples) { EACH_ELEMENT(ROUNDING, rk_scale(y, x, 0.75f, n), scaled); }
static double affine_relu(double x, double z) { return fmax(affine(x, z), 0); }
CHECK(rectified_affine_maps) { EACH_ELEMENT(ROUNDING, rk_affine_relu(y, x, 0.75f, -3, n), affine_relu); }
CHECK(affine_maps) { EACH_ELEMENT(ROUNDING, rk_affine(y, x, 0.75f, -3, n), affine); }
CHECK(differences) { EACH_ELEMENT(ROUNDING, rk_subtract_scalar(y, x, 0.5f, n), shifted); }
CHECK(masks) { EACH_ELEMENT(EXACT, rk_mask(copy(y, x, n), z, n), masked); }
CHECK(signs) {
  EACH_ELEMENT(EXACT, rk_keep_sign(copy(y, x, n), z, 1, n), negative_kept);
  EACH_ELEMENT(EXACT, rk_keep_sign(copy(y, x, n), z, 0, n), others_kept);
}
CHECK(divisions) {
  EACH_ELEMENT(ROUNDING, rk_divide_positive(copy(y, x, n), z, 0.25f, n), over_positive);
  EACH_ELEMENT(ROUNDING, rk_divide_nonzero(copy(y, x, n), z, 0.25f, n), over_nonzero);
}

CHECK(totals) {
  for (ptrdiff_t n = 0; n <= 70; n++) {
    const float *x = fractions(n);
    double total = 0, size = 0, both[2] = {100, 200};
    for (ptrdiff_t i = 0; i < n; i++) total += (double)x[i], size += fabs((double)x[i]);
    rk_sums(x, n, both);
    expect_number(rk_sum(x, n), total, 1e-12, "a sum");
    expect_number(both[0], 100 + total, 1e-12, "a sum");
    expect_number(both[1], 200 + size, 1e-12, "a sum of magnitudes");
  }
}

CHECK(losses_of_divisions) {
  for (ptrdiff_t n = 0; n <= 70; n++)
    for (int positive = 0; positive < 2; positive++) {
      const float *r = fractions(n), *z = wholes(n, -2, 2);
      double zero = 100, stabilized = 200, kept[2] = {100, 200};
      for (ptrdiff_t i = 0; i < n; i++) {
        if (positive ? z[i] <= 0 : z[i] == 0) zero += (double)r[i];
        else stabilized += (double)r[i] * 0.25 / (fabs((double)z[i]) + 0.25);
      }
      rk_divide_losses(r, z, 0.25f, positive, n, kept);
      expect_number(kept[0], zero, 1e-6, "absorbed by zero denominators");
      expect_number(kept[1], stabilized, 1e-6, "absorbed by the stabilizer");
    }
}

CHECK(local_response_normalization) {
  for (ptrdiff_t positions = 1; positions <= 70; positions += 3)
    for (ptrdiff_t size = 1; size <= 5; size++) {
      const ptrdiff_t channels = positions % 7 + 1;
      const float *x = fractions(channels * positions);
      float *y = room(channels * positions);
      double *expected = zeros(channels * positions);
      for (ptrdiff_t c = 0; c < channels; c++)
        for (ptrdiff_t i = 0; i < positions; i++) {
          double squares = 0;
          for (ptrdiff_t k = c - (size - 1) / 2; k <= c + size / 2; k++)
            if (k >= 0 && k < channels) squares += pow((double)x[k * positions + i], 2);
          expected[c * positions + i] = (double)x[c * positions + i] * pow(2 + 0.5 / (double)size * squares, -0.75);
        }
      rk_lrn(x, channels, positions, size, 0.5f, 0.75f, 2, y);
      expect(y, expected, channels * positions, ROUNDING, "%td positions, size %td", positions, size);
    }
}

CHECK(rows_with_biases) {
  for (ptrdiff_t n = 0; n <= 70; n += 3)
    for (int kind = 0; kind < 4; kind++) {
      const ptrdiff_t stride = n + 3;
      const float *start = fractions(3 * stride), *bias = fractions(3), *factor = fractions(3 * stride);
      float *y = copy(room(3 * stride), start, 3 * stride), *scaled_rows = copy(room(3 * stride), start, 3 * stride);
      double *expected = zeros(3 * stride), *products = zeros(3 * stride);
      for (ptrdiff_t i = 0; i < 3 * stride; i++) {
        const double v = (double)start[i] + (kind & 1 ? (double)bias[i / stride] : 0);
        expected[i] = i % stride >= n ? (double)start[i] : kind & 2 ? fmax(v, 0) : v;
        products[i] = (double)start[i] * (i % stride >= n ? 1 : (double)factor[i]);
      }
      rk_bias_relu(y, stride, 3, n, kind & 1 ? bias : NULL, kind & 2);
      expect(y, expected, 3 * stride, ROUNDING, "%td columns, kind %d", n, kind);
      rk_multiply_rows(scaled_rows, factor, stride, 3, n);
      expect(scaled_rows, products, 3 * stride, ROUNDING, "%td columns", n);
    }
}
