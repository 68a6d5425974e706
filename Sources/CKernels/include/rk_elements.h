// Loops over elements or pairs of elements; part of CKernels.h.
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
// y[i] ← max(0, x[i]·factor + offset)
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
// positive·x where that is positive, otherwise negative·(e^(steepness·x) − 1)
void rk_elu(float *y, const float *x, float positive, float negative, float steepness, ptrdiff_t count);
void rk_leaky_relu(float *y, const float *x, float slope, ptrdiff_t count);

// Derivatives.
void rk_sigmoid_slope(float *y, const float *x, ptrdiff_t count);
void rk_tanh_slope(float *y, const float *x, ptrdiff_t count);
void rk_gelu_slope(float *y, const float *x, ptrdiff_t count);
void rk_hard_swish_slope(float *y, const float *x, ptrdiff_t count);
void rk_swish_slope(float *y, const float *x, float alpha, ptrdiff_t count);

// The functions above, with their parameters in the order of the arguments; functions of pairs come last.
typedef enum {
  RK_RELU, RK_CLIP, RK_EXP, RK_LOG, RK_SIGMOID, RK_TANH, RK_SOFTPLUS, RK_MISH, RK_ERF, RK_GELU, RK_GELU_BY_TANH, RK_SWISH, RK_HARD_SWISH,
  RK_HARD_SIGMOID, RK_ELU, RK_LEAKY_RELU,
  RK_ADD, RK_SUBTRACT, RK_MULTIPLY, RK_DIVIDE,
} rk_function_kind;
typedef struct {
  rk_function_kind kind;
  float p, q, r;
} rk_function;

// y[i] ← f(a[i], b[i]). An operand that does not move is a single number; functions of one operand ignore b.
void rk_apply(rk_function f, float *y, const float *a, int a_moves, const float *b, int b_moves, ptrdiff_t count);

// The positions of two operands for elements in row-major order: along each run of `run` elements they advance by
// steps, 0 or 1; from run to run they advance along axes, the last of which is the fastest, by strides.
enum { RK_WALK_AXES = 4 };
typedef struct {
  ptrdiff_t run, steps[2];
  int axes;
  ptrdiff_t extents[RK_WALK_AXES], strides[RK_WALK_AXES][2];
} rk_walk;

// The places of the values of functions that are computed together: all of them in memory, or those of one run of at
// most RK_FOLLOWED in a slot, if the slot is ≥ 0. Values that repeat are found by the walk; others are at the position
// of the element.
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

// Computes functions one after the other for `rows` runs of `count` elements, the first at `start`, each `lead`
// elements after the previous one.
void rk_follow(const rk_follower *followers, ptrdiff_t follower_count, ptrdiff_t start, ptrdiff_t rows, ptrdiff_t lead, ptrdiff_t count);

// e^x / Σ e^x, or its logarithm, over neighboring elements.
void rk_softmax(float *y, const float *x, int is_logarithm, ptrdiff_t count);
// The gradient before the softmax, for the upstream gradient s and the result y: y·(s − Σ y·s), or s − e^y Σ s for the
// logarithm.
void rk_softmax_adjoint(float *c, const float *s, const float *y, int is_logarithm, ptrdiff_t count);

#endif
