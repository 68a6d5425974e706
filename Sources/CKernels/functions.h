// Elementary functions of sixteen floats.
#ifndef RK_FUNCTIONS_H
#define RK_FUNCTIONS_H

#include <math.h>

#include "vectors.h"

RK_INLINE rk_v16 rk_all(float value) { return (rk_v16){0} + value; }
RK_INLINE rk_v16 rk_where(rk_i16 mask, rk_v16 yes, rk_v16 no) { return (rk_v16)(((rk_i16)yes & mask) | ((rk_i16)no & ~mask)); }
RK_INLINE rk_v16 rk_magnitude(rk_v16 x) { return (rk_v16)((rk_i16)x & 0x7fffffff); }
RK_INLINE rk_v16 rk_with_sign(rk_v16 x, rk_v16 sign) {
  return (rk_v16)(((rk_i16)x & 0x7fffffff) | ((rk_i16)sign & (int32_t)0x80000000));
}

// Runs over `count` elements: v is the vector that is read, `value` the vector that is written.
#define RK_EACH_VECTOR(count, v, x, y, value)                            \
  ptrdiff_t i_ = 0;                                                      \
  for (; i_ + LANES <= (count); i_ += LANES) {                           \
    const rk_v16 v = *(const rk_v16 *)((x) + i_);                        \
    *(rk_v16 *)((y) + i_) = value;                                       \
  }                                                                      \
  if (i_ < (count)) {                                                    \
    const size_t rest_ = (size_t)((count) - i_) * sizeof(float);         \
    rk_v16 some_ = {0};                                                  \
    memcpy(&some_, (x) + i_, rest_);                                     \
    const rk_v16 v = some_;                                              \
    some_ = value;                                                       \
    memcpy((y) + i_, &some_, rest_);                                     \
  }

// A power of e as mantissa·scale. Neither factor overflows or becomes subnormal before they are multiplied.
typedef struct {
  rk_v16 mantissa, scale;
} rk_power;

// x·log₂e rounded to an integer, and e^x divided by that power of two, minus 1.
typedef struct {
  rk_v16 exponent, rest;
} rk_reduced;

RK_INLINE rk_reduced rk_reduce(rk_v16 x) {
  // The addition rounds to an integer, which is in the lowest bits.
  const float magic = 12582912.0f;
  rk_reduced e;
  // Stored as the sum, whose bits contain the integer.
  e.exponent = x * 1.44269504f + magic;
  const rk_v16 n = e.exponent - magic, r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  rk_v16 q = rk_all(1.98412698e-4f);
  q = q * r + 1.38888889e-3f;
  q = q * r + 8.33333333e-3f;
  q = q * r + 4.16666667e-2f;
  q = q * r + 1.66666667e-1f;
  q = q * r + 0.5f;
  e.rest = q * r * r + r;
  return e;
}

// e^x. Below −104 it is 0, and above 89 it is ∞.
RK_INLINE rk_power rk_exp_scaled(rk_v16 x) {
  const rk_reduced e = rk_reduce(rk_where(x > 89, rk_all(89), rk_where(x < -125, rk_all(-125), x)));
  const rk_i16 n = (rk_i16)e.exponent - 0x4b400000;
  // 2ⁿ as two factors, each a normal number.
  const rk_i16 half = n >> 1;
  return (rk_power){(1 + e.rest) * (rk_v16)((half + 127) << 23), (rk_v16)((n - half + 127) << 23)};
}

RK_INLINE rk_v16 rk_exp_of(rk_v16 x) {
  const rk_power e = rk_exp_scaled(x);
  return e.mantissa * e.scale;
}

// e^x − 1
RK_INLINE rk_v16 rk_expm1_of(rk_v16 x) {
  const rk_v16 bounded = rk_where(x > 89, rk_all(89), rk_where(x < -30, rk_all(-30), x));
  const rk_reduced e = rk_reduce(bounded);
  const rk_i16 n = (rk_i16)e.exponent - 0x4b400000, half = n >> 1;
  const rk_v16 first = (rk_v16)((half + 127) << 23), second = (rk_v16)((n - half + 127) << 23);
  // 2ⁿ(1 + rest) − 1, from the smaller numbers unless they overflow.
  const rk_v16 value = rk_where(n < 64, first * second * e.rest + (first * second - 1), (1 + e.rest) * first * second);
  // Keeps −0.
  return rk_where(x == 0, x, value);
}

// The natural logarithm; −∞ at 0, NaN below.
RK_INLINE rk_v16 rk_log_of(rk_v16 x) {
  const rk_i16 is_small = x < 1.17549435e-38f;
  const rk_v16 scaled = rk_where(is_small, x * 8388608, x);
  // The mantissa is between √½ and √2.
  const rk_i16 bits = (rk_i16)scaled - 0x3f3504f3, exponent = bits >> 23;
  const rk_v16 m = (rk_v16)((bits & 0x7fffff) + 0x3f3504f3) - 1;
  const rk_v16 n = __builtin_convertvector(exponent - (is_small & 23), rk_v16), square = m * m;
  rk_v16 p = rk_all(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const rk_v16 value = (m + ((p * m * square - n * 2.12194440e-4f) - 0.5f * square)) + n * 0.693359375f;
  const rk_v16 infinity = rk_all(__builtin_inff());
  // Where x is neither positive, zero nor negative, it is NaN.
  return rk_where(x > 0, rk_where(x == infinity, x, value), rk_where(x == 0, -infinity, rk_all(__builtin_nanf(""))));
}

// x·x − square, where square is the rounded x·x, and x has at most 12 bits before its exponent is too large to split.
RK_INLINE rk_v16 rk_square_rest(rk_v16 x, rk_v16 square) {
  const rk_v16 high = (rk_v16)((rk_i16)x & (int32_t)0xfffff000), low = x - high;
  return ((high * high - square) + 2 * high * low) + low * low;
}

#endif
