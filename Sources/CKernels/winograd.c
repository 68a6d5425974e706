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
  // How many rows of kernels ahead of their use they are fetched from memory: rows are too short for the processor to guess.
  ROWS_AHEAD = 4,
  // Tiles that the output transform finishes before it writes them: their rows stay in the first cache.
  TILES_TOGETHER = 64,
};

// --- Kernels ---------------------------------------------------------------------------------------------------------

// Where tap t of kernel i is in vectors v and v+1 of the nine that hold sixteen kernels one after the other; −1 if it is in
// neither.
#define RK_PLACE(t, i, v)                                     \
  ((9 * (i) + (t)) / LANES == (v)       ? (9 * (i) + (t)) % LANES \
   : (9 * (i) + (t)) / LANES == (v) + 1 ? LANES + (9 * (i) + (t)) % LANES : -1)
// Lane i of the first operand if the tap is in a vector before v, else of the second.
#define RK_SIDE(t, i, v) ((9 * (i) + (t)) / LANES < (v) ? (i) : LANES + (i))
#define RK_EACH_LANE(f, t, v)                                                                                     \
  f(t, 0, v), f(t, 1, v), f(t, 2, v), f(t, 3, v), f(t, 4, v), f(t, 5, v), f(t, 6, v), f(t, 7, v), f(t, 8, v),     \
      f(t, 9, v), f(t, 10, v), f(t, 11, v), f(t, 12, v), f(t, 13, v), f(t, 14, v), f(t, 15, v)
#define RK_TAKE(t, v, a, b) __builtin_shufflevector(a, b, RK_EACH_LANE(RK_PLACE, t, v))
#define RK_JOIN(t, v, a, b) __builtin_shufflevector(a, b, RK_EACH_LANE(RK_SIDE, t, v))
// Tap t of sixteen kernels.
#define RK_TAP(g, t)                                                                                            \
  RK_JOIN(t, 8,                                                                                                 \
          RK_JOIN(t, 4, RK_JOIN(t, 2, RK_TAKE(t, 0, (g)[0], (g)[1]), RK_TAKE(t, 2, (g)[2], (g)[3])),            \
                  RK_JOIN(t, 6, RK_TAKE(t, 4, (g)[4], (g)[5]), RK_TAKE(t, 6, (g)[6], (g)[7]))),                 \
          RK_TAKE(t, 8, (g)[8], (g)[8]))

// Transforms sixteen kernels.
RK_INLINE void transform_kernels(const float *g, rk_part part, int turned, float *u, ptrdiff_t plane) {
  const rk_v16 *v = (const rk_v16 *)g;
  const rk_v16 w[9] = {
      rk_weights(RK_TAP(v, 0), part), rk_weights(RK_TAP(v, 1), part), rk_weights(RK_TAP(v, 2), part),
      rk_weights(RK_TAP(v, 3), part), rk_weights(RK_TAP(v, 4), part), rk_weights(RK_TAP(v, 5), part),
      rk_weights(RK_TAP(v, 6), part), rk_weights(RK_TAP(v, 7), part), rk_weights(RK_TAP(v, 8), part),
  };
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
    for (int j = 0; j < 6; j++) *(rk_v16 *)(u + (k * 6 + j) * plane) = o[j];
  }
}

RK_INLINE void transform_rows(const float *g, ptrdiff_t rows, ptrdiff_t step, ptrdiff_t count, rk_part part, int turned,
                              float *u, ptrdiff_t lead, ptrdiff_t plane) {
  for (ptrdiff_t row = 0; row < rows; row++, g += step, u += lead) {
    ptrdiff_t first = 0;
    for (; first + LANES <= count; first += LANES) {
      const float *from = g + first * 9;
      for (int i = 0; i < 9; i++) __builtin_prefetch(from + ROWS_AHEAD * step + i * LANES);
      transform_kernels(from, part, turned, u + first, plane);
    }
    if (first < count) {
      float some[9 * LANES] = {0}, out[36 * LANES];
      memcpy(some, g + first * 9, (size_t)(count - first) * 9 * sizeof(float));
      transform_kernels(some, part, turned, out, LANES);
      for (int k = 0; k < 36; k++)
        memcpy(u + first + k * plane, out + k * LANES, (size_t)(count - first) * sizeof(float));
    }
  }
}

RK_KERNEL(void, rk_winograd_kernels,
          (const float *g, ptrdiff_t rows, ptrdiff_t step, ptrdiff_t count, rk_part part, int turned, float *u,
           ptrdiff_t lead, ptrdiff_t plane),
          (g, rows, step, count, part, turned, u, lead, plane)) {
  if (turned) transform_rows(g, rows, step, count, part, 1, u, lead, plane);
  else transform_rows(g, rows, step, count, part, 0, u, lead, plane);
}

// --- Data ------------------------------------------------------------------------------------------------------------

// Tile rows whose tiles fill one vector.
static inline ptrdiff_t rows_per_vector(ptrdiff_t tiles) { return tiles * 2 <= LANES ? LANES / tiles : 1; }

ptrdiff_t rk_winograd_scratch(const rk_window *w) {
  const ptrdiff_t tiles = (w->out_width + 3) / 4;
  // Six rows of input after the vertical transform with room for whole vectors, a row of zeros, and one vector's rows
  // side by side.
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

// The horizontal transform of sixteen tiles: row k of the vertically transformed input is at a + k·stride, from each tile's
// first column on, and at b + k·stride from its fifth on.
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
  // Columns of the tiles that lie inside the plane.
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
    // Narrow maps: the tiles of several rows side by side.
    const ptrdiff_t place = (row - row_first) % together;
    for (int k = 0; k < 6; k++) {
      memcpy(a + k * 4 * LANES + 4 * tiles * place, scratch + k * stride, (size_t)tiles * 4 * sizeof(float));
      memcpy(b + k * 4 * LANES + 4 * tiles * place, scratch + k * stride + 4, (size_t)tiles * 4 * sizeof(float));
    }
    if (place == together - 1 || row == row_last - 1) transform_tiles(a, b, 4 * LANES, v - place * tiles, plane);
  }
}

// a[0], b[0], a[1], b[1], … of the first or the second half of two vectors.
#define RK_ZIP(a, b, k)                                                                                              \
  __builtin_shufflevector(a, b, k, k + 16, k + 1, k + 17, k + 2, k + 18, k + 3, k + 19, k + 4, k + 20, k + 5, k + 21, \
                          k + 6, k + 22, k + 7, k + 23)
// The same by pairs.
#define RK_ZIP_PAIRS(a, b, k)                                                                                        \
  __builtin_shufflevector(a, b, k, k + 1, k + 16, k + 17, k + 2, k + 3, k + 18, k + 19, k + 4, k + 5, k + 20, k + 21, \
                          k + 6, k + 7, k + 22, k + 23)

// Transforms sixteen tiles back: row i of their outputs goes to y + i·stride, four columns of each tile in turn.
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
           int relu, const float *factor, float *y, float *scratch),
          (m, plane, w, row_first, row_last, bias, relu, factor, y, scratch)) {
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
