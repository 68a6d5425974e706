// Functions of each element, sixteen at a time. The polynomials were fitted to the functions in double precision.
// Errors are a few units in the last place for all floats, including infinities, NaN, subnormal numbers and −0.
#include "CKernels.h"
#include "functions.h"

RK_INLINE rk_v16 sigmoid(rk_v16 x) {
  const rk_power e = rk_exp_scaled(-rk_magnitude(x));
  const rk_v16 value = e.mantissa * e.scale;
  return rk_where(x < 0, value, rk_all(1)) / (1 + value);
}

// x·mantissa·scale; 0 where the power underflows, also for x = −∞.
RK_INLINE rk_v16 times_power(rk_v16 x, rk_v16 z, rk_v16 mantissa, rk_v16 scale) {
  return rk_where(z < -200, 0 * x, x) * mantissa * scale;
}

// x·σ(z). The product may be normal where σ is subnormal, so x is multiplied before the scale.
RK_INLINE rk_v16 times_sigmoid(rk_v16 x, rk_v16 z) {
  const rk_power e = rk_exp_scaled(-rk_magnitude(z));
  const rk_v16 divisor = 1 + e.mantissa * e.scale;
  return rk_where(z < 0, times_power(x, z, e.mantissa / divisor, e.scale), x / divisor);
}

RK_INLINE rk_v16 hyperbolic_tangent(rk_v16 x) {
  const rk_v16 e = rk_expm1_of(-2 * rk_magnitude(x));
  return rk_with_sign(-e / (2 + e), x);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^−|x|)
RK_INLINE rk_v16 softplus(rk_v16 x) {
  const rk_power p = rk_exp_scaled(-rk_magnitude(x));
  const rk_v16 e = p.mantissa * p.scale, u = 1 + e;
  // The rounding error of 1 + e.
  const rk_v16 log1p = rk_log_of(u) + (e - (u - 1)) / u;
  return rk_where(x < 0, rk_all(0), x) + log1p;
}

// x·tanh(log(1 + e^x)) = x·n(n + 2)/(n(n + 2) + 2) with n = e^x; beyond 20 the quotient is 1.
RK_INLINE rk_v16 mish(rk_v16 x) {
  const rk_power p = rk_exp_scaled(rk_where(x > 20, rk_all(20), x));
  const rk_v16 n = p.mantissa * p.scale;
  const rk_v16 quotient = (n + 2) / (n * (n + 2) + 2);
  return rk_where(x < 0, times_power(x, x, p.mantissa * quotient, p.scale), x * (n * quotient));
}

// P(N > u) for a normal N and u ≥ 0, as e^(−high − low)·R(u): R·(1 + 0.4 u) is a polynomial in 1/(1 + 0.4 u).
RK_INLINE rk_power normal_tail(rk_v16 u, rk_v16 high, rk_v16 low) {
  static const float c[] = {0.159575969f, 0.159626096f, 0.133149147f, 0.0913037956f, -0.0267921407f,
                            0.119475052f, -0.374098778f, 0.382406771f, -0.17687349f, 0.0322275609f};
  const rk_v16 t = 1 / (1 + 0.4f * u);
  rk_v16 r = rk_all(c[9]);
  for (int k = 8; k >= 0; k--) r = r * t + c[k];
  rk_power e = rk_exp_scaled(-high);
  // Where the power is 0, no correction is needed.
  e.mantissa *= r * t * (1 - rk_where(high < 110, low, rk_all(0)));
  return e;
}

RK_INLINE rk_v16 error_function(rk_v16 x) {
  static const float c[] = {1.12837911f, -0.37612626f, 0.112835854f, -0.026853811f, 0.00518832775f, -0.000801019312f, 7.85386001e-05f};
  const rk_v16 a = rk_magnitude(x), s = rk_where(a < 1, a * a, rk_all(0));
  rk_v16 near = rk_all(c[6]);
  for (int k = 5; k >= 0; k--) near = near * s + c[k];
  // Beyond 4 the value is 1.
  const rk_v16 b = rk_where(a > 4.5f, rk_all(4.5f), a), square = b * b;
  const rk_power tail = normal_tail(b * 1.41421356f, square, rk_square_rest(b, square));
  return rk_with_sign(rk_where(a < 1, a * near, 1 - 2 * (tail.mantissa * tail.scale)), x);
}

// x Φ(x), computed from the tail, which avoids cancellation.
RK_INLINE rk_v16 gelu(rk_v16 x) {
  const rk_v16 a = rk_magnitude(x), u = rk_where(a > 15, rk_all(15), a), square = u * u;
  const rk_power tail = normal_tail(u, 0.5f * square, 0.5f * rk_square_rest(u, square));
  return rk_where(x < 0, times_power(x, x, tail.mantissa, tail.scale), x * (1 - tail.mantissa * tail.scale));
}

// x/2·(1 + tanh w) = x·σ(2w) with w = √(2/π)·(x + 0.044715 x³)
RK_INLINE rk_v16 gelu_by_tanh(rk_v16 x) {
  // Beyond these limits, σ is 0 or 1.
  const rk_v16 b = rk_where(x > 20, rk_all(20), rk_where(x < -20, rk_all(-20), x));
  return times_sigmoid(x, 1.59576912f * (b + 0.044715f * b * b * b));
}

// The order of comparisons keeps NaN.
RK_INLINE rk_v16 clipped(rk_v16 x) { return rk_where(x > 1, rk_all(1), rk_where(x < 0, rk_all(0), x)); }

#define RK_FUNCTION(name, value)                                                          \
  RK_KERNEL(void, name, (float *y, const float *x, ptrdiff_t count), (y, x, count)) {     \
    RK_EACH_VECTOR(count, v, x, y, value)                                                 \
  }

RK_FUNCTION(rk_exp, rk_exp_of(v))
RK_FUNCTION(rk_log, rk_log_of(v))
RK_FUNCTION(rk_sigmoid, sigmoid(v))
RK_FUNCTION(rk_tanh, hyperbolic_tangent(v))
RK_FUNCTION(rk_softplus, softplus(v))
RK_FUNCTION(rk_mish, mish(v))
RK_FUNCTION(rk_erf, error_function(v))
RK_FUNCTION(rk_gelu, gelu(v))
RK_FUNCTION(rk_gelu_by_tanh, gelu_by_tanh(v))
RK_FUNCTION(rk_hard_swish, v * clipped(v / 6 + 0.5f))

RK_KERNEL(void, rk_swish, (float *y, const float *x, float alpha, ptrdiff_t count), (y, x, alpha, count)) {
  RK_EACH_VECTOR(count, v, x, y, times_sigmoid(v, alpha * v))
}

RK_KERNEL(void, rk_hard_sigmoid, (float *y, const float *x, float alpha, float beta, ptrdiff_t count), (y, x, alpha, beta, count)) {
  RK_EACH_VECTOR(count, v, x, y, clipped(alpha * v + beta))
}

RK_KERNEL(void, rk_elu,
          (float *y, const float *x, float positive, float negative, float steepness, ptrdiff_t count),
          (y, x, positive, negative, steepness, count)) {
  RK_EACH_VECTOR(count, v, x, y, rk_where(v > 0, positive * v, negative * rk_expm1_of(v * steepness)))
}

RK_KERNEL(void, rk_leaky_relu, (float *y, const float *x, float slope, ptrdiff_t count), (y, x, slope, count)) {
  RK_EACH_VECTOR(count, v, x, y, rk_where(v > 0, v, slope * v))
}

// --- Derivatives -----------------------------------------------------------------------------------------------------

// σ'(x) = e/(1 + e)² with e = e^−|x|
RK_INLINE rk_v16 sigmoid_slope(rk_v16 x) {
  const rk_power e = rk_exp_scaled(-rk_magnitude(x));
  const rk_v16 u = 1 + e.mantissa * e.scale;
  return e.mantissa / (u * u) * e.scale;
}

RK_INLINE rk_v16 swish_slope(rk_v16 z) {
  const rk_v16 s = sigmoid(z);
  // Where σ is 0 or 1, the second term is 0.
  return s + rk_where(rk_magnitude(z) > 200, rk_all(0), z) * sigmoid_slope(z);
}

// Φ(x) + x φ(x)
RK_INLINE rk_v16 gelu_slope(rk_v16 x) {
  const rk_v16 b = rk_where(x > 15, rk_all(15), rk_where(x < -15, rk_all(-15), x)), u = rk_magnitude(b), square = u * u;
  const rk_v16 high = 0.5f * square, low = 0.5f * rk_square_rest(u, square);
  const rk_power tail = normal_tail(u, high, low);
  const rk_v16 beyond = tail.mantissa * tail.scale, density = 0.398942280f * (1 - low) * rk_exp_of(-high);
  return rk_where(x < 0, beyond, 1 - beyond) + b * density;
}

RK_FUNCTION(rk_sigmoid_slope, sigmoid_slope(v))
RK_FUNCTION(rk_tanh_slope, 4 * sigmoid_slope(2 * v))
RK_FUNCTION(rk_gelu_slope, gelu_slope(v))
RK_FUNCTION(rk_hard_swish_slope, rk_where(v <= -3, rk_all(0), rk_where(v >= 3, rk_all(1), v / 3 + 0.5f)))

RK_KERNEL(void, rk_swish_slope, (float *y, const float *x, float alpha, ptrdiff_t count), (y, x, alpha, count)) {
  RK_EACH_VECTOR(count, v, x, y, swish_slope(alpha * v))
}

// --- Softmax ---------------------------------------------------------------------------------------------------------

// Adds both halves of sixteen numbers in double precision.
RK_INLINE rk_d8 rk_doubled(rk_v16 v) {
  return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7), rk_d8) +
         __builtin_convertvector(__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15), rk_d8);
}

// The largest number that is not NaN.
RK_INLINE float rk_largest(const float *x, ptrdiff_t count) {
  rk_v16 most = rk_all(-__builtin_inff());
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    const rk_v16 v = *(const rk_v16 *)(x + i);
    most = rk_where(v > most, v, most);
  }
  float largest = -__builtin_inff();
  for (int k = 0; k < LANES; k++) largest = most[k] > largest ? most[k] : largest;
  for (; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

RK_KERNEL(void, rk_softmax, (float *y, const float *x, int is_logarithm, ptrdiff_t count), (y, x, is_logarithm, count)) {
  if (count <= 0) return;
  const float largest = rk_largest(x, count);
  rk_d8 sums = {0};
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const ptrdiff_t here = RK_MIN(count - i, LANES);
    rk_v16 v;
    if (here == LANES) {
      v = rk_exp_of(*(const rk_v16 *)(x + i) - largest);
      if (!is_logarithm) *(rk_v16 *)(y + i) = v;
    } else {
      v = rk_all(-__builtin_inff());
      memcpy(&v, x + i, (size_t)here * sizeof(float));
      v = rk_exp_of(v - largest);
      for (ptrdiff_t k = here; k < LANES; k++) v[k] = 0;
      if (!is_logarithm) memcpy(y + i, &v, (size_t)here * sizeof(float));
    }
    sums += rk_doubled(v);
  }
  const double sum = rk_total(&sums);
  if (is_logarithm) {
    const double logarithm = log(sum);
    for (ptrdiff_t i = 0; i < count; i++) y[i] = (float)((double)(x[i] - largest) - logarithm);
  } else {
    const double factor = 1 / sum;
    for (ptrdiff_t i = 0; i < count; i++) y[i] = (float)((double)y[i] * factor);
  }
}

RK_KERNEL(void, rk_softmax_adjoint, (float *c, const float *s, const float *y, int is_logarithm, ptrdiff_t count),
          (c, s, y, is_logarithm, count)) {
  rk_d8 sums = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    const rk_v16 own = *(const rk_v16 *)(s + i);
    sums += rk_doubled(is_logarithm ? own : own * *(const rk_v16 *)(y + i));
  }
  double sum = rk_total(&sums);
  for (; i < count; i++) sum += is_logarithm ? s[i] : s[i] * y[i];
  const float total = (float)sum;
  if (is_logarithm) {
    for (i = 0; i < count; i += LANES) {
      const ptrdiff_t here = RK_MIN(count - i, LANES);
      rk_v16 v = {0};
      memcpy(&v, y + i, (size_t)here * sizeof(float));
      v = rk_exp_of(v);
      for (ptrdiff_t k = 0; k < here; k++) c[i + k] = s[i + k] - v[k] * total;
    }
  } else {
    for (i = 0; i < count; i++) c[i] = y[i] * (s[i] - total);
  }
}
