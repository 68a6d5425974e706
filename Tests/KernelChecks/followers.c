// Functions by their kind, and several functions on the same runs.
#include "check.h"

// The value of a function by its definition, in double precision.
static double value(rk_function f, double a, double b) {
  switch (f.kind) {
    case RK_RELU: return fmax(a, 0);
    case RK_CLIP: return fmin(fmax(a, (double)f.p), (double)f.q);
    case RK_EXP: return exp(a);
    case RK_LOG: return log(a);
    case RK_SIGMOID: return 1 / (1 + exp(-a));
    case RK_TANH: return tanh(a);
    case RK_SOFTPLUS: return log1p(exp(a));
    case RK_MISH: return a * tanh(log1p(exp(a)));
    case RK_ERF: return erf(a);
    case RK_GELU: return a * 0.5 * erfc(-a / sqrt(2));
    case RK_GELU_BY_TANH: return a * 0.5 * (1 + tanh(sqrt(2 / M_PI) * (a + 0.044715 * a * a * a)));
    case RK_SWISH: return a / (1 + exp(-(double)f.p * a));
    case RK_HARD_SWISH: return a * fmin(fmax(a / 6 + 0.5, 0), 1);
    case RK_HARD_SIGMOID: return fmin(fmax((double)f.p * a + (double)f.q, 0), 1);
    case RK_ELU: return a > 0 ? (double)f.p * a : (double)f.q * expm1((double)f.r * a);
    case RK_LEAKY_RELU: return a > 0 ? a : (double)f.p * a;
    case RK_ADD: return a + b;
    case RK_SUBTRACT: return a - b;
    case RK_MULTIPLY: return a * b;
    case RK_DIVIDE: return a / b;
  }
  return NAN;
}

static const rk_function functions[] = {
    {RK_RELU, 0, 0, 0},        {RK_CLIP, -1, 2, 0},         {RK_EXP, 0, 0, 0},          {RK_LOG, 0, 0, 0},
    {RK_SIGMOID, 0, 0, 0},     {RK_TANH, 0, 0, 0},          {RK_SOFTPLUS, 0, 0, 0},     {RK_MISH, 0, 0, 0},
    {RK_ERF, 0, 0, 0},         {RK_GELU, 0, 0, 0},          {RK_GELU_BY_TANH, 0, 0, 0}, {RK_SWISH, 1.5f, 0, 0},
    {RK_HARD_SWISH, 0, 0, 0},  {RK_HARD_SIGMOID, 0.25f, 0.5f, 0}, {RK_ELU, 1.25f, 0.5f, 2, }, {RK_LEAKY_RELU, 0.125f, 0, 0},
    {RK_ADD, 0, 0, 0},         {RK_SUBTRACT, 0, 0, 0},      {RK_MULTIPLY, 0, 0, 0},     {RK_DIVIDE, 0, 0, 0},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

CHECK(functions_by_kind) {
  for (int k = 0; k < FUNCTIONS; k++)
    for (int moves = 0; moves < 4; moves++)
      for (ptrdiff_t n = 1; n <= 40; n += 13) {
        const int a_moves = moves & 1, b_moves = moves >> 1;
        if (functions[k].kind < RK_ADD && moves != 1) continue;
        float *a = fractions(n), *b = wholes(n, 1, 5), *y = room(n);
        double *expected = zeros(n);
        for (ptrdiff_t i = 0; i < n; i++) {
          // Logarithms need positive operands.
          if (functions[k].kind == RK_LOG) a[i] = fabsf(a[i]) + 0.25f;
          expected[i] = value(functions[k], (double)a[a_moves ? i : 0], (double)b[b_moves ? i : 0]);
        }
        rk_apply(functions[k], y, a, a_moves, b, b_moves, n);
        expect(y, expected, n, ROUNDING, "function %d of %td, moves %d", k, n, moves);
      }
}

// z[c][p] ← σ(x)·x + s[c], then z − q[p], for a part of the channels and positions. The sigmoid is stored in a slot,
// the product in another slot, and the sum in the operand's place.
static void follow(ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t first, ptrdiff_t columns) {
  const ptrdiff_t n = channels * positions;
  float *x = fractions(n), *kept = room(n), *z = room(n), *s = wholes(channels, -3, 3), *q = wholes(positions, -3, 3);
  double *of_x = zeros(n), *of_z = zeros(n);
  for (ptrdiff_t i = 0; i < n; i++) {
    kept[i] = x[i];
    of_x[i] = x[i];
    of_z[i] = NAN;
  }
  const rk_walk along_channels = {.run = positions, .steps = {1, 0}, .axes = 1, .extents = {channels}, .strides = {{positions, 1}}};
  const rk_walk along_positions = {.run = positions, .steps = {1, 1}, .axes = 1, .extents = {channels}, .strides = {{positions, 0}}};
  const rk_walk along_all = {.run = n, .steps = {1, 1}};
  const rk_place at_x = {x, -1, 0}, slot = {0, 2, 0}, other = {0, 5, 0}, at_z = {z, -1, 0};
  const rk_follower all[] = {
      {.function = {.kind = RK_SIGMOID}, .operands = {at_x}, .result = slot},
      {.function = {.kind = RK_MULTIPLY}, .operands = {at_x, slot}, .result = other, .walk = along_all},
      {.function = {.kind = RK_ADD}, .operands = {other, {s, -1, 1}}, .result = at_x, .walk = along_channels},
      {.function = {.kind = RK_SUBTRACT}, .operands = {at_x, {q, -1, 1}}, .result = at_z, .walk = along_positions},
  };
  for (ptrdiff_t c = 0; c < channels; c++)
    for (ptrdiff_t p = first; p < first + columns; p++) {
      const ptrdiff_t i = c * positions + p;
      of_x[i] = (double)kept[i] / (1 + exp(-(double)kept[i])) + (double)s[c];
      of_z[i] = of_x[i] - (double)q[p];
    }
  rk_follow(all, 4, first, channels, positions, columns);
  expect(x, of_x, n, ROUNDING, "in place, %td × %td of %td", channels, columns, positions);
  expect(z, of_z, n, ROUNDING, "after it, %td × %td of %td", channels, columns, positions);
  forget();
}

CHECK(functions_that_follow) {
  follow(1, 1, 0, 1);
  follow(5, 49, 0, 49);
  follow(7, 196, 0, 112);
  follow(7, 196, 112, 84);
  follow(3, 3000, 17, 2400);
  follow(3, 1024, 0, 1024);
}
