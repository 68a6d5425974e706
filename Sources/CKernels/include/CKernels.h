// The performance-critical loops that need wide vectors. Every function is pure: it reads and writes only the memory
// that it receives, keeps no state and can run on any thread. Images are planes of height × width floats, one per
// channel, row after row.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "rk_elements.h"

// A window that slides over a plane. Pairs of fields are vertical, horizontal.
typedef struct {
  ptrdiff_t height, width;          // of the input plane
  ptrdiff_t out_height, out_width;  // number of windows
  ptrdiff_t kernel_y, kernel_x;
  ptrdiff_t stride_y, stride_x;
  ptrdiff_t dilation_y, dilation_x;
  ptrdiff_t pad_y, pad_x;  // before the first row and column; may be negative
} rk_window;

// Tells the processor that a loop is waiting.
static inline void rk_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// --- Instruction sets ------------------------------------------------------------------------------------------------

// The vector units that kernels are compiled for. Processors other than x86-64 have only the first one, which the
// compiler's default selects.
typedef enum { RK_GENERIC = 1, RK_AVX2, RK_AVX512 } rk_isa;

// The largest set that this processor supports and whose registers the system saves.
rk_isa rk_largest_instruction_set(void);

// The set that kernels use on this thread: the set selected by rk_use_instruction_set, else the one in the environment
// variable RELEVANCEKIT_ISA if the processor supports it, else the largest.
rk_isa rk_instruction_set(void);

// Selects the set for this thread, which the processor must support; returns the previous selection, or 0 if there was
// none.
rk_isa rk_use_instruction_set(rk_isa set);

// --- Convolution -----------------------------------------------------------------------------------------------------

// cols[(c,ky,kx)][p − first] ← x[c] under tap (ky,kx) of window p, for windows first ≤ p < last; 0 outside the plane.
// Rows of cols are `stride` floats apart.
void rk_im2col(const float *x, ptrdiff_t channels, const rk_window *w, ptrdiff_t first, ptrdiff_t last, float *cols,
               ptrdiff_t stride);

// The transpose of im2col for part of the input: x[c][row − row_first][…] += Σ cols that land in input rows
// row_first ≤ row < row_last; channels of x are `x_plane` floats apart. cols holds windows first ≤ p < last; all windows that touch the rows must be among them.
void rk_col2im_rows(const float *cols, ptrdiff_t stride, ptrdiff_t channels, const rk_window *w, ptrdiff_t first,
                    ptrdiff_t last, ptrdiff_t row_first, ptrdiff_t row_last, float *x, ptrdiff_t x_plane);

// y[r][i] ← y[r][i] + bias[r] (bias may be null), then max(0, ·) if relu is not 0. Rows are `stride` floats apart.
void rk_bias_relu(float *y, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count, const float *bias, int relu);

// y[r][i] ← y[r][i] · x[r][i]; rows of both are `stride` floats apart.
void rk_multiply_rows(float *y, const float *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count);

// The modification of weights before a product: w·positive where w > 0 and w·negative elsewhere, w², or 1.
typedef enum { RK_SCALED, RK_SQUARED, RK_ONES } rk_form;
typedef struct {
  rk_form form;
  float positive, negative;  // of RK_SCALED
} rk_part;

// --- Products of packed matrices -------------------------------------------------------------------------------------

// The number of adjacent rows of a, and of adjacent columns of b.
enum { RK_PRODUCT_ROWS = 12, RK_PRODUCT_COLUMNS = 16 };

// The operations on sums before they are written, in this order: adding a bias for each row, or one for each column,
// replacing negative values by 0, and multiplying by a factor for each element. Null pointers skip an operation.
typedef struct {
  const float *bias;
  const float *column_bias;
  int rectifies;
  const float *factor;
  ptrdiff_t factor_lead;  // floats between its rows
} rk_product_end;

// Memory that the next product reads: `rows` rows of `count` floats, `step` floats apart.
typedef struct {
  const float *x;
  ptrdiff_t step, rows, count;
} rk_ahead;

// c ← a·b, or c + a·b, then the operations of `end` if it is given. Meanwhile the lines of `ahead`, if it is given, are
// brought into the second-level cache. a is in blocks of RK_PRODUCT_ROWS rows, a_step
// floats apart, each depth × RK_PRODUCT_ROWS; b is in blocks of RK_PRODUCT_COLUMNS columns, b_step floats apart, each
// depth × RK_PRODUCT_COLUMNS. Rows of c are `lead` floats apart. Each element is summed along the depth in order, so
// the division of a product into rows and columns does not change its bits. Up to 4 floats after the last block of a
// are read.
void rk_product(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_step, const float *b,
                ptrdiff_t b_step, float *c, ptrdiff_t lead, int accumulates, const rk_product_end *end, const rk_ahead *ahead);

// Packs part(a), with rows `step` floats apart whose elements are `depth_step` apart: depth × RK_PRODUCT_ROWS floats
// for each block, with zeros for missing rows.
void rk_pack_rows(const float *a, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t rows, ptrdiff_t depth, rk_part part, float *to);

// Packs columns in the same way, RK_PRODUCT_COLUMNS in a block. Blocks are `to_step` floats apart, so that they may be
// deeper.
void rk_pack_columns(const float *b, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t columns, ptrdiff_t depth, rk_part part, float *to,
                     ptrdiff_t to_step);

// Packs the windows first ≤ p < last as columns; of their depth (channel, ky, kx), the rows depth_first … depth_last −
// 1. `scratch` has room for rk_pack_windows_scratch floats.
void rk_pack_windows(const float *x, const rk_window *w, ptrdiff_t first, ptrdiff_t last, ptrdiff_t depth_first,
                     ptrdiff_t depth_last, float *scratch, float *to, ptrdiff_t to_step);
// The scratch floats for `count` windows.
ptrdiff_t rk_pack_windows_scratch(const rk_window *w, ptrdiff_t count);

// --- Winograd F(4×4, 3×3), for unit strides and dilations ------------------------------------------------------------

// u[36][…] ← G·part(g)·Gᵀ for the 3×3 kernels of some rows and depth, rotated by 180° on request, as packed rows of
// rk_product: blocks of RK_PRODUCT_ROWS × depth. In g, the kernels of two rows are `step` floats apart, and along the
// depth they are `depth_step` apart; the 36 planes of u are `plane` floats apart.
void rk_winograd_kernels(const float *g, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t rows, ptrdiff_t depth, rk_part part,
                         int turned, float *u, ptrdiff_t plane);

// The number of scratch floats of the two transforms below.
ptrdiff_t rk_winograd_scratch(const rk_window *w);

// v[36][tile] ← Bᵀ·d·B for the 4×4 tiles of one channel in tile rows row_first ≤ row < row_last, row by row. Up to 15
// floats after the last tile of each plane are overwritten.
void rk_winograd_input(const float *x, const rk_window *w, ptrdiff_t row_first, ptrdiff_t row_last, float *v,
                       ptrdiff_t plane, float *scratch);

// Stores v of one channel among the packed columns of rk_product: to[36][tile / 16][tile % 16], with blocks of 16
// `block` floats apart. Up to 15 floats after the last tile are read from each plane of v, and written.
void rk_winograd_pack(const float *v, ptrdiff_t v_plane, ptrdiff_t tiles, float *to, ptrdiff_t plane, ptrdiff_t block);

// y ← Aᵀ·m·A for the same tiles of one output channel, plus bias, and max(0, ·) if relu is not 0; times factor, if it
// is given; plus the previous values of y, if it accumulates. Up to 15 floats after the last tile are read from each
// plane.
void rk_winograd_output(const float *m, ptrdiff_t plane, const rk_window *w, ptrdiff_t row_first, ptrdiff_t row_last,
                        float bias, int relu, const float *factor, int accumulates, float *y, float *scratch);

// A summand of a product: the data, and the modification of the weights.
typedef struct {
  const float *x;
  rk_part part;
} rk_term;

// Recomputes directly those elements of z = Σ part(weights)·x over terms (one output channel) whose magnitude is at
// most `relative` times the largest, because rounding of the transforms matters there. If `needed` is given, positions
// with needed = 0 are skipped. Returns the number of recomputed elements.
ptrdiff_t rk_refine_small_products(const rk_term *terms, ptrdiff_t term_count, ptrdiff_t channels, const rk_window *w,
                                   const float *weights, const float *needed, float relative, float *z);

// --- Convolution of few channels, directly -----------------------------------------------------------------------------

// One of several results for the same data.
typedef struct {
  const float *weights;  // of the first group: outputs × inputs × taps
  rk_part part;
  float *result;        // of the first group's first channel
  int accumulates;      // whether it is added to what is there
  const float *bias;    // of products: one for each output, or null
  int relu;             // of products
  const float *factor;  // of adjoints: what the result is multiplied by, laid out like it; or null
} rk_direct_target;

// Whether the two functions below can compute a convolution with this number of channels per group.
int rk_direct_suits(const rk_window *w, ptrdiff_t inputs, ptrdiff_t outputs);

// The number of scratch floats that they need.
ptrdiff_t rk_direct_product_scratch(const rk_window *w, ptrdiff_t inputs);
ptrdiff_t rk_direct_adjoint_scratch(const rk_window *w, ptrdiff_t outputs);

// For each target: y ← part(W) ∗ x + bias, then max(0, ·) if relu is not 0, for adjacent groups with `inputs` and
// `outputs` channels. Planes of results are `plane` floats apart.
void rk_direct_product(const float *x, ptrdiff_t groups, ptrdiff_t inputs, ptrdiff_t outputs, const rk_window *w,
                       const rk_direct_target *targets, ptrdiff_t count, ptrdiff_t plane, float *scratch);

// For each target: c ← factor ⊙ part(W)ᵀ·r.
void rk_direct_adjoint(const float *r, ptrdiff_t groups, ptrdiff_t inputs, ptrdiff_t outputs, const rk_window *w,
                       const rk_direct_target *targets, ptrdiff_t count, ptrdiff_t plane, float *scratch);

// --- Fully connected layers ------------------------------------------------------------------------------------------

// some[r] ← Σ_i part(w[r][i])·x[i] and, unless `all` is null, all[r] ← Σ_i w[r][i]·x[i], in a single read of w.
void rk_products(const float *w, ptrdiff_t stride, ptrdiff_t rows, const float *x, ptrdiff_t count, rk_part part,
                 float *all, float *some);

// y[i] += Σ_r s[r]·part(w[r][i]) over the listed rows; rows of w are `stride` floats apart.
void rk_accumulate_rows(float *y, const float *w, ptrdiff_t stride, const ptrdiff_t *rows, ptrdiff_t row_count,
                        const float *s, ptrdiff_t count, rk_part part);

// flags[i] ← 1 where one of `rows` rows of x, each with `count` floats, is not 0; otherwise 0.
void rk_nonzero_columns(const float *x, ptrdiff_t rows, ptrdiff_t count, unsigned char *flags);

// y[i] ← part(w[i])
void rk_part_copy(float *y, const float *w, ptrdiff_t count, rk_part part);

// --- Pooling, one plane at a time ------------------------------------------------------------------------------------

void rk_max_pool(const float *x, const rk_window *w, float *y);

// y ← the mean of each window. Divides by the number of elements inside the plane or, if counts_padding, inside the
// plane padded by pad_y/pad_x before and after_y/after_x after it.
void rk_average_pool(const float *x, const rk_window *w, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding, float *y);

// The transpose: c[i] ← Σ r / divisor over the windows of an element.
void rk_average_pool_adjoint(const float *r, const rk_window *w, ptrdiff_t after_y, ptrdiff_t after_x, int counts_padding,
                             float *c);

// --- Normalization ---------------------------------------------------------------------------------------------------

// The mean, or 0 if not centered, and the variance around it, in double precision and in an order that does not depend
// on the machine.
void rk_mean_and_variance(const float *x, ptrdiff_t count, int is_centered, double *mean, double *variance);
// y[i] ← (x[i] − mean)·factor·scale[i] + shift[i]; shift may be null.
void rk_normalize(float *y, const float *x, float mean, float factor, const float *scale, const float *shift, ptrdiff_t count);
// Normalizes with a single scale and shift.
void rk_normalize_alike(float *y, const float *x, float mean, float factor, float scale, float shift, ptrdiff_t count);

// c[i] ← factor·(c[i] − Σ c / count − x̂[i]·Σ c·x̂ / count) with x̂ = (x − mean)·factor; without the second term if not
// centered, and without the last term if holds_deviation.
void rk_normalization_adjoint(float *c, const float *x, double mean, double factor, int is_centered, int holds_deviation, ptrdiff_t count);

// y[c][r] ← x[r][c]; rows of x are `lead` floats apart, and rows of y `y_lead` floats.
void rk_transpose(const float *x, ptrdiff_t lead, ptrdiff_t rows, ptrdiff_t columns, float *y, ptrdiff_t y_lead);

// Local response normalization of one item: channels × positions.
void rk_lrn(const float *x, ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t size, float alpha, float beta, float bias,
            float *y);

#endif
