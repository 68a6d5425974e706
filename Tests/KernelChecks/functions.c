// Functions of each element, over all magnitudes of both signs.
#include "check.h"

#include <float.h>
#include <string.h>

static const float special[] = {
    0,        -0.0f,    INFINITY, -INFINITY, NAN,     0x1p-149f, -0x1p-149f, FLT_MIN, -FLT_MIN, 0x1.fffffcp-127f, FLT_MAX, -FLT_MAX,
    88.7228f, 88.7229f, -87.3f,   -87.4f,    -103.9f, -104.5f,   1,          -1,      3,        -3,               20,      -20,
    15,       -15,      4.5f,     -4.5f,     200,     -200,      89,         -89,     -125,     -125.5f,
};
enum {
  SPECIAL = sizeof special / sizeof *special,
  // The step between the bit patterns of tested floats; a grid covers the range where functions bend.
  BITS_STEP = 40009,
  ALL_BITS = UINT32_MAX / BITS_STEP + 1,
  GRID = 16001,
};

typedef void loop(float *y, const float *x, ptrdiff_t n);

// The accepted difference of y: units in the last place, plus the error of the definition in single precision.
static double slack_of(double y, double units, double lost) {
  const double size = fmax(fabs(y), (double)FLT_MIN);
  return units * ldexp(1, ilogb(fmin(size, (double)FLT_MAX)) - 23) + lost;
}

static void compare(loop *run, double (*definition)(double), double (*lost)(double), double units, const float *x, ptrdiff_t n,
                    const char *what) {
  float *y = room(n), *both = room(n);
  double *expected = zeros(n), *slack = zeros(n);
  for (ptrdiff_t i = 0; i < n; i++) {
    both[i] = x[i];
    expected[i] = definition((double)x[i]);
    slack[i] = slack_of(expected[i], units, lost((double)x[i]));
  }
  run(y, x, n);
  run(both, both, n);
  expect_each(y, expected, slack, n, "%s of %td", what, n);
  expect_each(both, expected, slack, n, "%s of %td, in place", what, n);
}

static void check_function(loop *run, double (*definition)(double), double (*lost)(double), double units) {
  float *x = room(ALL_BITS);
  for (uint32_t i = 0; i < ALL_BITS; i++) {
    const uint32_t bits = i * BITS_STEP;
    memcpy(&x[i], &bits, sizeof bits);
  }
  compare(run, definition, lost, units, x, ALL_BITS, "floats");
  forget();
  x = room(GRID);
  for (int i = 0; i < GRID; i++) x[i] = (float)(i - GRID / 2) / 400;
  compare(run, definition, lost, units, x, GRID, "grid");
  forget();
  // Each special value is also tested in the tail of a vector.
  for (ptrdiff_t n = 0; n <= SPECIAL + 20; n++) {
    x = fractions(n);
    for (ptrdiff_t i = 0; i < n && i < SPECIAL; i++) x[n - 1 - i] = special[i];
    compare(run, definition, lost, units, x, n, "special values");
  }
}

// A check of `call`, from x to y, against the value at x.
#define FUNCTION(name, units, loses, value, call)                                                        \
  static double name##_value(double x) { return value; }                                                 \
  static double name##_lost(double x) { return (void)x, loses; }                                         \
  static void name##_run(float *y, const float *x, ptrdiff_t n) { call; }                                \
  CHECK(name) { check_function(name##_run, name##_value, name##_lost, units); }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double sigmoid_slope(double x) {
  const double e = exp(-fabs(x));
  return e / ((1 + e) * (1 + e));
}
// NaN is kept.
static double clipped(double x) { return x > 1 ? 1 : x < 0 ? 0 : x; }
static double bounded(double x, double most) { return x > most ? most : x < -most ? -most : x; }
static double larger(double x, double y) { return x < y ? y : x; }

FUNCTION(exponentials, 4, 0, exp(x), rk_exp(y, x, n))
FUNCTION(logarithms, 4, 0, log(x), rk_log(y, x, n))
FUNCTION(sigmoids, 4, 0, sigmoid(x), rk_sigmoid(y, x, n))
FUNCTION(hyperbolic_tangents, 4, 0, tanh(x), rk_tanh(y, x, n))
FUNCTION(softplus, 4, 0, larger(x, 0) + log1p(exp(-fabs(x))), rk_softplus(y, x, n))
// tanh(log(1 + n)) for n = e^x, without cancellation.
static double mish_of(double x) {
  const double n = exp(x > 50 ? 50 : x);
  return x * (n * (n + 2) / (n * (n + 2) + 2));
}
FUNCTION(mish, 4, 0, mish_of(x), rk_mish(y, x, n))
FUNCTION(error_functions, 4, 0, erf(x), rk_erf(y, x, n))
FUNCTION(gelu, 8, 0, x * (0.5 * erfc(-x / sqrt(2))), rk_gelu(y, x, n))
// The rounded exponent of gelu.
static double gelu_exponent(double x) { return 2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x); }
FUNCTION(gelu_by_tanh, 4, x < 0 ? -x * sigmoid(gelu_exponent(x)) * fmin(-gelu_exponent(x), 200) * 0x1p-21 : 0,
         x * sigmoid(gelu_exponent(x)), rk_gelu_by_tanh(y, x, n))
FUNCTION(hard_swish, 4, fabs(x) * 0x1p-24, x * clipped(x / 6 + 0.5), rk_hard_swish(y, x, n))
FUNCTION(swish, 4, 0, x * sigmoid(x), rk_swish(y, x, 1, n))
FUNCTION(swish_of_half, 4, 0, x * sigmoid(0.5 * x), rk_swish(y, x, 0.5f, n))
FUNCTION(hard_sigmoids, 4, 0x1p-24, clipped(0.25 * x + 0.5), rk_hard_sigmoid(y, x, 0.25f, 0.5f, n))
FUNCTION(elu, 4, 0, x > 0 ? 1.5 * x : 0.75 * expm1(0.5 * x), rk_elu(y, x, 1.5f, 0.75f, 0.5f, n))
FUNCTION(leaky_rectifiers, 4, 0, x > 0 ? x : 0.125 * x, rk_leaky_relu(y, x, 0.125f, n))

FUNCTION(slopes_of_sigmoids, 4, 0, sigmoid_slope(x), rk_sigmoid_slope(y, x, n))
FUNCTION(slopes_of_tangents, 4, 0, 4 * sigmoid_slope(2 * x), rk_tanh_slope(y, x, n))
FUNCTION(slopes_of_hard_swish, 4, 0x1p-23, x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5, rk_hard_swish_slope(y, x, n))
// Two rounded summands that cancel near the extremum of the functions.
static double gelu_slope(double x) { return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * M_PI); }
FUNCTION(slopes_of_gelu, 8, 0x1p-21 * exp(-x * x / 2) * (1 + fmin(fabs(x), 1000)) + 0x1p-149 * fmin(fabs(x), 1000),
         gelu_slope(bounded(x, 100)), rk_gelu_slope(y, x, n))
static double swish_slope(double z) { return sigmoid(z) + z * sigmoid_slope(z); }
FUNCTION(slopes_of_swish, 4, (0x1p-22 * sigmoid_slope(x / 2) + 0x1p-149) * (1 + fmin(fabs(x), 1000)),
         swish_slope(bounded(x / 2, 700)), rk_swish_slope(y, x, 0.5f, n))

// Shifted numbers whose powers alone would overflow or underflow, some of them −∞; the last cases are a NaN, and −∞
// alone.
CHECK(softmax) {
  static const float shifts[] = {0, 1000, -1000, 0x1p20f};
  for (ptrdiff_t n = 0; n <= 70; n++)
    for (int kind = 0; kind < 14; kind++) {
      const int is_logarithm = kind % 2, shift = kind / 2;
      float *x = wholes(n, -120, 120), *y = room(n);
      double *expected = zeros(n), largest = -INFINITY, sum = 0;
      for (ptrdiff_t i = 0; i < n; i++) {
        x[i] = shift == 6 ? -INFINITY : shift == 4 && i % 3 == 1 ? -INFINITY : x[i] / 4 + shifts[shift % 4];
        if (shift == 5 && i == n / 2) x[i] = NAN;
        largest = larger(largest, (double)x[i]);
        y[i] = x[i];
      }
      for (ptrdiff_t i = 0; i < n; i++) sum += exp((double)x[i] - largest);
      for (ptrdiff_t i = 0; i < n; i++)
        expected[i] = is_logarithm ? (double)x[i] - largest - log(sum) : exp((double)x[i] - largest) / sum;
      rk_softmax(y, y, is_logarithm, n);
      double *slack = zeros(n);
      for (ptrdiff_t i = 0; i < n; i++) slack[i] = is_logarithm ? slack_of(expected[i], 4, 0x1p-22) : slack_of(expected[i], 8, 0);
      expect_each(y, expected, slack, n, "%td elements, kind %d", n, kind);
      forget();
    }
}

CHECK(softmax_adjoints) {
  for (ptrdiff_t n = 1; n <= 70; n++)
    for (int is_logarithm = 0; is_logarithm < 2; is_logarithm++) {
      const float *s = wholes(n, -8, 8), *y = wholes(n, -8, 0);
      float *c = room(n);
      double *expected = zeros(n), sum = 0;
      for (ptrdiff_t i = 0; i < n; i++) sum += is_logarithm ? (double)s[i] : (double)s[i] * (double)y[i];
      for (ptrdiff_t i = 0; i < n; i++)
        expected[i] = is_logarithm ? (double)s[i] - exp((double)y[i]) * sum : (double)y[i] * ((double)s[i] - sum);
      rk_softmax_adjoint(c, s, y, is_logarithm, n);
      expect(c, expected, n, 1e-6, "%td elements, kind %d", n, is_logarithm);
      forget();
    }
}
