// Elementwise functions computed one after the other on the same short run, which stays in the first-level cache.
#include "CKernels.h"
#include "vectors.h"

static void fill(float *y, float value, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = value;
}

static void pair(rk_function f, float *y, const float *a, int a_moves, const float *b, int b_moves, ptrdiff_t count) {
  switch (f.kind) {
    case RK_ADD:
      if (a_moves && b_moves) return rk_add(y, a, b, count);
      if (a_moves) return rk_affine(y, a, 1, *b, count);
      if (b_moves) return rk_affine(y, b, 1, *a, count);
      return fill(y, *a + *b, count);
    case RK_SUBTRACT:
      if (a_moves && b_moves) return rk_subtract(y, a, b, count);
      if (a_moves) return rk_affine(y, a, 1, -*b, count);
      if (b_moves) return rk_affine(y, b, -1, *a, count);
      return fill(y, *a - *b, count);
    case RK_MULTIPLY:
      if (a_moves && b_moves) return rk_multiply(y, a, b, count);
      if (a_moves) return rk_scale(y, a, *b, count);
      if (b_moves) return rk_scale(y, b, *a, count);
      return fill(y, *a * *b, count);
    default:
      if (a_moves && b_moves) return rk_divide(y, a, b, count);
      if (a_moves) return rk_divide_by(y, a, *b, count);
      for (ptrdiff_t i = 0; i < count; i++) y[i] = *a / b[b_moves ? i : 0];
  }
}

void rk_apply(rk_function f, float *y, const float *a, int a_moves, const float *b, int b_moves, ptrdiff_t count) {
  switch (f.kind) {
    case RK_RELU: return rk_relu(y, a, count);
    case RK_CLIP: return rk_clip(y, a, f.p, f.q, count);
    case RK_EXP: return rk_exp(y, a, count);
    case RK_LOG: return rk_log(y, a, count);
    case RK_SIGMOID: return rk_sigmoid(y, a, count);
    case RK_TANH: return rk_tanh(y, a, count);
    case RK_SOFTPLUS: return rk_softplus(y, a, count);
    case RK_MISH: return rk_mish(y, a, count);
    case RK_ERF: return rk_erf(y, a, count);
    case RK_GELU: return rk_gelu(y, a, count);
    case RK_GELU_BY_TANH: return rk_gelu_by_tanh(y, a, count);
    case RK_SWISH: return rk_swish(y, a, f.p, count);
    case RK_HARD_SWISH: return rk_hard_swish(y, a, count);
    case RK_HARD_SIGMOID: return rk_hard_sigmoid(y, a, f.p, f.q, count);
    case RK_ELU: return rk_elu(y, a, f.p, f.q, f.r, count);
    case RK_LEAKY_RELU: return rk_leaky_relu(y, a, f.p, count);
    case RK_ADD:
    case RK_SUBTRACT:
    case RK_MULTIPLY:
    case RK_DIVIDE: return pair(f, y, a, a_moves, b, b_moves, count);
  }
}

// Computes elements start … start + count − 1, run by run of those along which operands move evenly.
static void follow(const rk_follower *f, ptrdiff_t start, ptrdiff_t count, float (*scratch)[RK_FOLLOWED]) {
  const rk_walk *walk = &f->walk;
  const int has_two = f->function.kind >= RK_ADD;
  const float *operands[2];
  ptrdiff_t distances[2];  // from an element's to where the operand is then
  for (int k = 0; k < 1 + has_two; k++) {
    const rk_place *place = &f->operands[k];
    operands[k] = place->slot >= 0 ? scratch[place->slot] : place->repeats ? place->values : place->values + start;
    distances[k] = 0;
  }
  float *y = f->result.slot >= 0 ? scratch[f->result.slot] : f->result.values + start;
  if (!has_two) return rk_apply(f->function, y, operands[0], 1, 0, 0, count);
  for (ptrdiff_t done = 0; done < count;) {
    ptrdiff_t rest = (start + done) / walk->run;
    const ptrdiff_t inside = (start + done) % walk->run, length = RK_MIN(walk->run - inside, count - done);
    for (int k = 0; k < 2; k++) distances[k] = inside * walk->steps[k];
    for (int axis = walk->axes - 1; axis >= 0; axis--) {
      const ptrdiff_t index = rest % walk->extents[axis];
      rest /= walk->extents[axis];
      for (int k = 0; k < 2; k++) distances[k] += index * walk->strides[axis][k];
    }
    const float *at[2];
    for (int k = 0; k < 2; k++) at[k] = operands[k] + (f->operands[k].repeats ? distances[k] : done);
    rk_apply(f->function, y + done, at[0], walk->steps[0] != 0, at[1], walk->steps[1] != 0, length);
    done += length;
  }
}

void rk_follow(const rk_follower *followers, ptrdiff_t follower_count, ptrdiff_t start, ptrdiff_t rows, ptrdiff_t lead,
               ptrdiff_t count) {
  float scratch[RK_FOLLOWER_SLOTS][RK_FOLLOWED];
  // Adjacent rows are merged.
  if (lead == count) {
    count *= rows;
    rows = 1;
  }
  for (ptrdiff_t row = 0; row < rows; row++, start += lead) {
    for (ptrdiff_t done = 0; done < count; done += RK_FOLLOWED)
      for (ptrdiff_t k = 0; k < follower_count; k++)
        follow(&followers[k], start + done, RK_MIN(count - done, RK_FOLLOWED), scratch);
  }
}
