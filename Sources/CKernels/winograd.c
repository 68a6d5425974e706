// Winograd's minimal filtering F(4×4, 3×3): 16 outputs of a 3×3 kernel from 36 products instead of 144.
//
// For a tile of 6×6 inputs d and a kernel g: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. Summing over channels turns the 36 products
// into 36 matrix products. A. Lavin, S. Gray, “Fast algorithms for convolutional neural networks”, CVPR 2016.
#include "CKernels.h"
#include "vectors.h"

// Rows of Bᵀ applied to six values.
#define RK_INPUT_TRANSFORM(type, d0, d1, d2, d3, d4, d5, o0, o1, o2, o3, o4, o5) \
  do {                                                                    \
    const type d0_ = d0, d1_ = d1, d2_ = d2, d3_ = d3, d4_ = d4, d5_ = d5; \
    const type even_ = d4_ - 4 * d2_, odd_ = d3_ - 4 * d1_;              \
    const type even2_ = d4_ - d2_, odd2_ = 2 * (d3_ - d1_);              \
    o0 = 4 * d0_ - 5 * d2_ + d4_;                                         \
    o1 = even_ + odd_;                                                    \
    o2 = even_ - odd_;                                                    \
    o3 = even2_ + odd2_;                                                  \
    o4 = even2_ - odd2_;                                                  \
    o5 = 4 * d1_ - 5 * d3_ + d5_;                                         \
  } while (0)

// Rows of Aᵀ applied to six values.
#define RK_OUTPUT_TRANSFORM(type, m0, m1, m2, m3, m4, m5, o0, o1, o2, o3)                       \
  do {                                                                                    \
    const type a_ = (m1) + (m2), b_ = (m1) - (m2), c_ = (m3) + (m4), e_ = (m3) - (m4);   \
    o0 = (m0) + a_ + c_;                                                                  \
    o1 = b_ + 2 * e_;                                                                     \
    o2 = a_ + 4 * c_;                                                                     \
    o3 = b_ + 8 * e_ + (m5);                                                              \
  } while (0)

// Rows of G applied to three values.
#define RK_KERNEL_TRANSFORM(g0, g1, g2, o)                              \
  do {                                                                  \
    const rk_v16 side_ = (g0) + (g2), wide_ = (g0) + 4 * (g2);          \
    (o)[0] = (g0) * 0.25f;                                              \
    (o)[1] = -(side_ + (g1)) * (1.0f / 6);                              \
    (o)[2] = -(side_ - (g1)) * (1.0f / 6);                              \
    (o)[3] = (wide_ + 2 * (g1)) * (1.0f / 24);                          \
    (o)[4] = (wide_ - 2 * (g1)) * (1.0f / 24);                          \
    (o)[5] = (g2);                                                      \
  } while (0)

enum {
  // The number of tiles that the output transform completes before it writes them: their rows stay in the first-level
  // cache.
  TILES_TOGETHER = 64,
};

// --- Kernels ---------------------------------------------------------------------------------------------------------

typedef float rk_v4 __attribute__((vector_size(16), aligned(4)));
typedef float rk_v8 __attribute__((vector_size(32), aligned(4)));

// Four floats of each of twelve kernels, `step` floats apart: kernels i, 4 + i, 8 + i side by side.
RK_INLINE rk_v16 take_quads(const float *const rows[RK_PRODUCT_ROWS], ptrdiff_t at, int i) {
  const rk_v4 a = *(const rk_v4 *)(rows[i] + at), b = *(const rk_v4 *)(rows[i + 4] + at), c = *(const rk_v4 *)(rows[i + 8] + at);
  const rk_v8 ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7), cc = __builtin_shufflevector(c, c, 0, 1, 2, 3, 0, 1, 2, 3);
  return __builtin_shufflevector(ab, cc, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// Four taps of twelve kernels, from tap `at` on: lane r contains kernel r.
RK_INLINE void take_taps(const float *const rows[RK_PRODUCT_ROWS], ptrdiff_t at, rk_v16 taps[4]) {
  const rk_v16 a = take_quads(rows, at, 0), b = take_quads(rows, at, 1), c = take_quads(rows, at, 2), d = take_quads(rows, at, 3);
  // Every four lanes contain: a0 b0 a1 b1, a2 b2 a3 b3, and so on.
  const rk_v16 ab = __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
  const rk_v16 AB = __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  const rk_v16 cd = __builtin_shufflevector(c, d, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
  const rk_v16 CD = __builtin_shufflevector(c, d, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  taps[0] = __builtin_shufflevector(ab, cd, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
  taps[1] = __builtin_shufflevector(ab, cd, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  taps[2] = __builtin_shufflevector(AB, CD, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
  taps[3] = __builtin_shufflevector(AB, CD, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

// Transforms a block of rows, twelve kernels at a time. Full vectors are written; their last four floats belong to the
// next element of the depth, which is written later.
RK_INLINE void transform_block(const float *g, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t rows, ptrdiff_t depth, rk_part part,
                               int turned, float *u, ptrdiff_t plane) {
  const float *row[RK_PRODUCT_ROWS];
  for (ptrdiff_t r = 0; r < RK_PRODUCT_ROWS; r++) row[r] = g + RK_MIN(r, rows - 1) * step;
  for (ptrdiff_t p = 0; p < depth; p++, u += RK_PRODUCT_ROWS) {
    // The last four floats overlap the previous ones, so that no memory after a kernel is read.
    rk_v16 w[9], last[4];
    take_taps(row, p * depth_step, w);
    take_taps(row, p * depth_step + 4, w + 4);
    take_taps(row, p * depth_step + 5, last);
    w[8] = last[3];
    for (int t = 0; t < 9; t++) w[t] = rk_weights(w[t], part);
    rk_v16 half[3][6];
#pragma unroll
    for (int x = 0; x < 3; x++) {
      if (turned) RK_KERNEL_TRANSFORM(w[8 - x], w[5 - x], w[2 - x], half[x]);
      else RK_KERNEL_TRANSFORM(w[x], w[3 + x], w[6 + x], half[x]);
    }
#pragma unroll
    for (int k = 0; k < 6; k++) {
      rk_v16 o[6];
      RK_KERNEL_TRANSFORM(half[0][k], half[1][k], half[2][k], o);
#pragma unroll
      for (int j = 0; j < 6; j++) {
        float *to = u + (k * 6 + j) * plane;
        if (p + 1 < depth) *(rk_v16 *)to = o[j];
        else memcpy(to, &o[j], RK_PRODUCT_ROWS * sizeof(float));
      }
    }
  }
}

RK_KERNEL(void, rk_winograd_kernels,
          (const float *g, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t rows, ptrdiff_t depth, rk_part part, int turned, float *u,
           ptrdiff_t plane),
          (g, step, depth_step, rows, depth, part, turned, u, plane)) {
  const rk_part whole = {RK_SCALED, 1, 1}, positive = {RK_SCALED, 1, 0};
  const int is_scaled = part.form == RK_SCALED && part.positive == 1;
  for (ptrdiff_t first = 0; first < rows; first += RK_PRODUCT_ROWS, g += RK_PRODUCT_ROWS * step, u += RK_PRODUCT_ROWS * depth) {
    const ptrdiff_t count = rows - first;
    // Constants here are resolved before the loop.
    if (is_scaled && part.negative == 1 && !turned) transform_block(g, step, depth_step, count, depth, whole, 0, u, plane);
    else if (is_scaled && part.negative == 0 && turned) transform_block(g, step, depth_step, count, depth, positive, 1, u, plane);
    else transform_block(g, step, depth_step, count, depth, part, turned, u, plane);
  }
}

// --- Data ------------------------------------------------------------------------------------------------------------

// The number of tile rows whose tiles fill one vector.
static inline ptrdiff_t rows_per_vector(ptrdiff_t tiles) { return tiles * 2 <= LANES ? LANES / tiles : 1; }

ptrdiff_t rk_winograd_scratch(const rk_window *w) {
  const ptrdiff_t tiles = (w->out_width + 3) / 4;
  // Six rows of input after the vertical transform with space for full vectors, a row of zeros, and the rows of one
  // vector side by side.
  const ptrdiff_t input = 6 * (4 * tiles + 5 * LANES) + w->width + 2 * 6 * 4 * LANES;
  const ptrdiff_t output = 4 * 4 * (tiles + TILES_TOGETHER + LANES);
  return RK_MAX(input, output);
}

// Elements 0, 4, 8, … of 64 floats, and 1, 5, 9, ….
// The two vectors are those of the first and the last 32 floats.
#define RK_EVERY_FOURTH(a, k) \
  __builtin_shufflevector(a[0], a[1], k, k + 4, k + 8, k + 12, k + 16, k + 20, k + 24, k + 28, k + 1, k + 5, k + 9, k + 13, \
                          k + 17, k + 21, k + 25, k + 29), \
      __builtin_shufflevector(a[2], a[3], k, k + 4, k + 8, k + 12, k + 16, k + 20, k + 24, k + 28, k + 1, k + 5, k + 9, k + 13, \
                              k + 17, k + 21, k + 25, k + 29)
RK_INLINE void take_two(rk_v16 low, rk_v16 high, rk_v16 *first, rk_v16 *second) {
  *first = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  *second = __builtin_shufflevector(low, high, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

// The horizontal transform of sixteen tiles. Row k of the vertically transformed input starts at a + k·stride for the
// first four columns of tiles, and at b + k·stride for the columns from the fifth on.
RK_INLINE void transform_tiles(const float *a, const float *b, ptrdiff_t stride, float *v, ptrdiff_t plane) {
#pragma unroll
  for (int k = 0; k < 6; k++) {
    const rk_v16 *p = (const rk_v16 *)(a + k * stride), *q = (const rk_v16 *)(b + k * stride);
    rk_v16 s0, s1, s2, s3, s4, s5;
    take_two(RK_EVERY_FOURTH(p, 0), &s0, &s1);
    take_two(RK_EVERY_FOURTH(p, 2), &s2, &s3);
    take_two(RK_EVERY_FOURTH(q, 0), &s4, &s5);
    rk_v16 o0, o1, o2, o3, o4, o5;
    RK_INPUT_TRANSFORM(rk_v16, s0, s1, s2, s3, s4, s5, o0, o1, o2, o3, o4, o5);
    float *o = v + k * 6 * plane;
    *(rk_v16 *)o = o0;
    *(rk_v16 *)(o + plane) = o1;
    *(rk_v16 *)(o + 2 * plane) = o2;
    *(rk_v16 *)(o + 3 * plane) = o3;
    *(rk_v16 *)(o + 4 * plane) = o4;
    *(rk_v16 *)(o + 5 * plane) = o5;
  }
}

RK_KERNEL(void, rk_winograd_input,
          (const float *x, const rk_window *w, ptrdiff_t row_first, ptrdiff_t row_last, float *v, ptrdiff_t plane,
           float *scratch),
          (x, w, row_first, row_last, v, plane, scratch)) {
  const ptrdiff_t tiles = (w->out_width + 3) / 4, columns = 4 * tiles + 2, stride = 4 * tiles + 5 * LANES;
  float *zeros = scratch + 6 * stride, *a = zeros + w->width, *b = a + 6 * 4 * LANES;
  memset(zeros, 0, (size_t)w->width * sizeof(float));
  // The columns of the tiles that are inside the plane.
  const ptrdiff_t from = RK_MIN(RK_MAX(w->pad_x, 0), columns), to = RK_MAX(RK_MIN(w->width + w->pad_x, columns), from);
  for (int k = 0; k < 6; k++) {
    memset(scratch + k * stride, 0, (size_t)from * sizeof(float));
    memset(scratch + k * stride + to, 0, (size_t)(stride - to) * sizeof(float));
  }
  float *restrict w0 = scratch, *restrict w1 = w0 + stride, *restrict w2 = w1 + stride, *restrict w3 = w2 + stride,
                  *restrict w4 = w3 + stride, *restrict w5 = w4 + stride;
  const ptrdiff_t together = rows_per_vector(tiles);
  for (ptrdiff_t row = row_first; row < row_last; row++, v += tiles) {
    const float *d[6];
    for (int i = 0; i < 6; i++) {
      const ptrdiff_t y = row * 4 + i - w->pad_y;
      d[i] = (y >= 0 && y < w->height ? x + y * w->width : zeros) - w->pad_x;
    }
    const float *restrict d0 = d[0], *restrict d1 = d[1], *restrict d2 = d[2], *restrict d3 = d[3],
                          *restrict d4 = d[4], *restrict d5 = d[5];
    for (ptrdiff_t i = from; i < to; i++)
      RK_INPUT_TRANSFORM(float, d0[i], d1[i], d2[i], d3[i], d4[i], d5[i], w0[i], w1[i], w2[i], w3[i], w4[i], w5[i]);
    if (together == 1) {
      for (ptrdiff_t t = 0; t < tiles; t += LANES)
        transform_tiles(scratch + 4 * t, scratch + 4 * t + 4, stride, v + t, plane);
      continue;
    }
    // In narrow maps, the tiles of several rows are side by side.
    const ptrdiff_t place = (row - row_first) % together;
    for (int k = 0; k < 6; k++) {
      memcpy(a + k * 4 * LANES + 4 * tiles * place, scratch + k * stride, (size_t)tiles * 4 * sizeof(float));
      memcpy(b + k * 4 * LANES + 4 * tiles * place, scratch + k * stride + 4, (size_t)tiles * 4 * sizeof(float));
    }
    if (place == together - 1 || row == row_last - 1) transform_tiles(a, b, 4 * LANES, v - place * tiles, plane);
  }
}

RK_KERNEL(void, rk_winograd_pack,
          (const float *v, ptrdiff_t v_plane, ptrdiff_t tiles, float *to, ptrdiff_t plane, ptrdiff_t block),
          (v, v_plane, tiles, to, plane, block)) {
  for (ptrdiff_t p = 0; p < 36; p++, v += v_plane, to += plane)
    for (ptrdiff_t t = 0; t < tiles; t += LANES) *(rk_v16 *)(to + t / LANES * block) = *(const rk_v16 *)(v + t);
}

// a[0], b[0], a[1], b[1], … of the first or second half of two vectors.
#define RK_ZIP(a, b, k)                                                                                              \
  __builtin_shufflevector(a, b, k, k + 16, k + 1, k + 17, k + 2, k + 18, k + 3, k + 19, k + 4, k + 20, k + 5, k + 21, \
                          k + 6, k + 22, k + 7, k + 23)
// The same for pairs of floats.
#define RK_ZIP_PAIRS(a, b, k)                                                                                        \
  __builtin_shufflevector(a, b, k, k + 1, k + 16, k + 17, k + 2, k + 3, k + 18, k + 19, k + 4, k + 5, k + 20, k + 21, \
                          k + 6, k + 7, k + 22, k + 23)

// Transforms sixteen tiles back. Row i of their outputs is written to y + i·stride, with four columns for each tile.
RK_INLINE void restore_tiles(const float *m, ptrdiff_t plane, float *y, ptrdiff_t stride) {
  rk_v16 q[4][6];
#pragma unroll
  for (int k = 0; k < 6; k++) {
    const float *in = m + k * plane;
    const rk_v16 m0 = *(const rk_v16 *)in, m1 = *(const rk_v16 *)(in + 6 * plane), m2 = *(const rk_v16 *)(in + 12 * plane),
                 m3 = *(const rk_v16 *)(in + 18 * plane), m4 = *(const rk_v16 *)(in + 24 * plane),
                 m5 = *(const rk_v16 *)(in + 30 * plane);
    RK_OUTPUT_TRANSFORM(rk_v16, m0, m1, m2, m3, m4, m5, q[0][k], q[1][k], q[2][k], q[3][k]);
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    rk_v16 r0, r1, r2, r3;
    RK_OUTPUT_TRANSFORM(rk_v16, q[i][0], q[i][1], q[i][2], q[i][3], q[i][4], q[i][5], r0, r1, r2, r3);
    const rk_v16 a0 = RK_ZIP(r0, r1, 0), a1 = RK_ZIP(r0, r1, 8), b0 = RK_ZIP(r2, r3, 0), b1 = RK_ZIP(r2, r3, 8);
    rk_v16 *o = (rk_v16 *)(y + i * stride);
    o[0] = RK_ZIP_PAIRS(a0, b0, 0);
    o[1] = RK_ZIP_PAIRS(a0, b0, 8);
    o[2] = RK_ZIP_PAIRS(a1, b1, 0);
    o[3] = RK_ZIP_PAIRS(a1, b1, 8);
  }
}

RK_KERNEL(void, rk_winograd_output,
          (const float *m, ptrdiff_t plane, const rk_window *w, ptrdiff_t row_first, ptrdiff_t row_last, float bias,
           int relu, const float *factor, int accumulates, float *y, float *scratch),
          (m, plane, w, row_first, row_last, bias, relu, factor, accumulates, y, scratch)) {
  const ptrdiff_t tiles = (w->out_width + 3) / 4, stride = 4 * (tiles + TILES_TOGETHER + LANES);
  const ptrdiff_t together = RK_MAX(TILES_TOGETHER / tiles, 1);
  for (ptrdiff_t top = row_first; top < row_last; top += together, m += together * tiles) {
    const ptrdiff_t rows = RK_MIN(together, row_last - top);
    for (ptrdiff_t t = 0; t < rows * tiles; t += LANES) restore_tiles(m + t, plane, scratch + 4 * t, stride);
    for (ptrdiff_t row = top; row < top + rows; row++) {
      for (ptrdiff_t i = 0; i < 4 && row * 4 + i < w->out_height; i++) {
        const float *restrict r = scratch + i * stride + (row - top) * 4 * tiles;
        float *restrict o = y + (row * 4 + i) * w->out_width;
        if (factor) {
          const float *restrict f = factor + (row * 4 + i) * w->out_width;
          for (ptrdiff_t t = 0; t < w->out_width; t++) o[t] = r[t] * f[t];
        } else if (accumulates) {
          for (ptrdiff_t t = 0; t < w->out_width; t++) o[t] += r[t] + bias;
        } else if (relu) {
          for (ptrdiff_t t = 0; t < w->out_width; t++) {
            const float value = r[t] + bias;
            o[t] = value > 0 ? value : 0;
          }
        } else {
          for (ptrdiff_t t = 0; t < w->out_width; t++) o[t] = r[t] + bias;
        }
      }
    }
  }
}
