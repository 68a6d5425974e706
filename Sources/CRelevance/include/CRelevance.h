// Loops that only relevance propagation needs: shares, divisions and the relevance they absorb, and winners of windows.
// As in CKernels, every function is pure and can run on any thread.
#ifndef CRELEVANCE_H
#define CRELEVANCE_H

#include "CKernels.h"

// --- Elementwise -----------------------------------------------------------------------------------------------------

// y[i] ← x[i] − offset
void rk_subtract_scalar(float *y, const float *x, float offset, ptrdiff_t count);

// r[i] ← r[i] where y[i] > 0, otherwise 0: the derivative of a rectifier whose output is y.
void rk_mask(float *r, const float *y, ptrdiff_t count);

// r[i] ← r[i] where y[i] < 0 (if negative is 0: where y[i] ≥ 0), otherwise 0.
void rk_keep_sign(float *r, const float *y, int negative, ptrdiff_t count);

// r[i] ← r[i] / (z[i] + stabilizer) where z[i] > 0, otherwise 0: for denominators that are never negative.
void rk_divide_positive(float *r, const float *z, float stabilizer, ptrdiff_t count);

// r[i] ← r[i] / (z[i] + sign(z[i])·stabilizer) where z[i] ≠ 0, otherwise 0.
void rk_divide_nonzero(float *r, const float *z, float stabilizer, ptrdiff_t count);

// The relevance that a division by z absorbs: kept[0] += Σ r where z = 0 (or z ≤ 0, if z is never negative), and
// kept[1] += Σ r·stabilizer / (|z| + stabilizer) elsewhere.
void rk_divide_losses(const float *r, const float *z, float stabilizer, int positive, ptrdiff_t count, double kept[2]);

// sums[0] += Σ x[i] and sums[1] += Σ |x[i]|, in the order of rk_sum.
void rk_sums(const float *x, ptrdiff_t count, double sums[2]);

// --- Pooling, one plane at a time ------------------------------------------------------------------------------------

// Sends r of each window to the first element that equals the maximum, or in equal shares to all of them: c[i] ← Σ …
void rk_max_pool_winners(const float *x, const float *y, const float *r, const rk_window *w, int split, float *c);

// c[i] ← Σ x[i] / Σ_window x · r over the windows of an element; 0 where the sum is 0.
void rk_average_pool_proportional(const float *x, const float *r, const rk_window *w, float *c);

#endif
