// Loops over elements, which see no more of others than a pair's; part of CKernels.h.
#ifndef RK_ELEMENTS_H
#define RK_ELEMENTS_H

#include <stddef.h>

// --- Elementwise -----------------------------------------------------------------------------------------------------

void rk_relu(float *y, const float *x, ptrdiff_t count);
void rk_clip(float *y, const float *x, float lowest, float highest, ptrdiff_t count);
void rk_add(float *y, const float *a, const float *b, ptrdiff_t count);
void rk_multiply(float *y, const float *a, const float *b, ptrdiff_t count);
void rk_subtract(float *y, const float *a, const float *b, ptrdiff_t count);
void rk_divide(float *y, const float *a, const float *b, ptrdiff_t count);
void rk_divide_by(float *y, const float *a, float b, ptrdiff_t count);
void rk_scale(float *y, const float *x, float factor, ptrdiff_t count);
// y[i] ← x[i]·factor + offset
void rk_affine(float *y, const float *x, float factor, float offset, ptrdiff_t count);
// The same, then max(0, ·).
void rk_affine_relu(float *y, const float *x, float factor, float offset, ptrdiff_t count);
// Σ x[i] in double precision, in an order that does not depend on the machine.
double rk_sum(const float *x, ptrdiff_t count);

// --- Functions of each element; x and y may be the same ------------------------------------------------------------------

void rk_exp(float *y, const float *x, ptrdiff_t count);
void rk_log(float *y, const float *x, ptrdiff_t count);
void rk_sigmoid(float *y, const float *x, ptrdiff_t count);
void rk_tanh(float *y, const float *x, ptrdiff_t count);
void rk_softplus(float *y, const float *x, ptrdiff_t count);
void rk_mish(float *y, const float *x, ptrdiff_t count);
void rk_erf(float *y, const float *x, ptrdiff_t count);
void rk_gelu(float *y, const float *x, ptrdiff_t count);
void rk_gelu_by_tanh(float *y, const float *x, ptrdiff_t count);
void rk_hard_swish(float *y, const float *x, ptrdiff_t count);
// x·σ(alpha·x)
void rk_swish(float *y, const float *x, float alpha, ptrdiff_t count);
// min(max(alpha·x + beta, 0), 1)
void rk_hard_sigmoid(float *y, const float *x, float alpha, float beta, ptrdiff_t count);
// positive·x where that is positive, else negative·(e^(steepness·x) − 1)
void rk_elu(float *y, const float *x, float positive, float negative, float steepness, ptrdiff_t count);
void rk_leaky_relu(float *y, const float *x, float slope, ptrdiff_t count);

// Derivatives.
void rk_sigmoid_slope(float *y, const float *x, ptrdiff_t count);
void rk_tanh_slope(float *y, const float *x, ptrdiff_t count);
void rk_gelu_slope(float *y, const float *x, ptrdiff_t count);
void rk_hard_swish_slope(float *y, const float *x, ptrdiff_t count);
void rk_swish_slope(float *y, const float *x, float alpha, ptrdiff_t count);

// One of the functions above, with its parameters in the order in which it takes them; those of pairs come last.
typedef enum {
  RK_RELU, RK_CLIP, RK_EXP, RK_LOG, RK_SIGMOID, RK_TANH, RK_SOFTPLUS, RK_MISH, RK_ERF, RK_GELU, RK_GELU_BY_TANH, RK_SWISH, RK_HARD_SWISH,
  RK_HARD_SIGMOID, RK_ELU, RK_LEAKY_RELU,
  RK_ADD, RK_SUBTRACT, RK_MULTIPLY, RK_DIVIDE,
} rk_function_kind;
typedef struct {
  rk_function_kind kind;
  float p, q, r;
} rk_function;

// y[i] ← f(a[i], b[i]). What does not move is one number; b is not looked at by functions of one.
void rk_apply(rk_function f, float *y, const float *a, int a_moves, const float *b, int b_moves, ptrdiff_t count);

// How two operands lie beside elements in row-major order: along each run of `run` they move by steps, 0 or 1; from run to run along axes,
// the last of which is the fastest, by strides.
enum { RK_WALK_AXES = 4 };
typedef struct {
  ptrdiff_t run, steps[2];
  int axes;
  ptrdiff_t extents[RK_WALK_AXES], strides[RK_WALK_AXES][2];
} rk_walk;

// Where values of functions are that are computed together: all of them in memory, or those of one run of at most RK_FOLLOWED in a slot, if
// that is ≥ 0. Values that repeat are looked up by the walk, others lie where the elements do.
enum { RK_FOLLOWED = 512, RK_FOLLOWER_SLOTS = 6 };
typedef struct {
  float *values;
  int slot, repeats;
} rk_place;
typedef struct {
  rk_function function;
  rk_place operands[2], result;
  rk_walk walk;  // of functions of pairs
} rk_follower;

// Computes functions one after the other for `rows` runs of `count` elements, the first from `start` on, each `lead` after the one before.
void rk_follow(const rk_follower *followers, ptrdiff_t follower_count, ptrdiff_t start, ptrdiff_t rows, ptrdiff_t lead, ptrdiff_t count);

// e^x / Σ e^x, or its logarithm, over neighboring elements.
void rk_softmax(float *y, const float *x, int is_logarithm, ptrdiff_t count);
// What an upstream gradient s becomes before it, y being its result: y·(s − Σ y·s), or s − e^y Σ s.
void rk_softmax_adjoint(float *c, const float *s, const float *y, int is_logarithm, ptrdiff_t count);

#endif
