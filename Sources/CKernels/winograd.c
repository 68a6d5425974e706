// Winograd's minimal filtering F(4×4, 3×3): 16 outputs of a 3×3 kernel from 36 products instead of 144.
//
// For a tile of 6×6 inputs d and a kernel g: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. Summing over channels turns the 36 products
// into 36 matrix products. A. Lavin, S. Gray, “Fast algorithms for convolutional neural networks”, CVPR 2016.
#include "CKernels.h"
#include "vectors.h"

// Rows of Bᵀ applied to six values.
#define RK_INPUT_TRANSFORM(d0, d1, d2, d3, d4, d5, o0, o1, o2, o3, o4, o5) \
  do {                                                                    \
    const float d0_ = d0, d1_ = d1, d2_ = d2, d3_ = d3, d4_ = d4, d5_ = d5; \
    const float even_ = d4_ - 4 * d2_, odd_ = d3_ - 4 * d1_;              \
    const float even2_ = d4_ - d2_, odd2_ = 2 * (d3_ - d1_);              \
    o0 = 4 * d0_ - 5 * d2_ + d4_;                                         \
    o1 = even_ + odd_;                                                    \
    o2 = even_ - odd_;                                                    \
    o3 = even2_ + odd2_;                                                  \
    o4 = even2_ - odd2_;                                                  \
    o5 = 4 * d1_ - 5 * d3_ + d5_;                                         \
  } while (0)

// Rows of Aᵀ applied to six values.
#define RK_OUTPUT_TRANSFORM(m0, m1, m2, m3, m4, m5, o0, o1, o2, o3)                       \
  do {                                                                                    \
    const float a_ = (m1) + (m2), b_ = (m1) - (m2), c_ = (m3) + (m4), e_ = (m3) - (m4);   \
    o0 = (m0) + a_ + c_;                                                                  \
    o1 = b_ + 2 * e_;                                                                     \
    o2 = a_ + 4 * c_;                                                                     \
    o3 = b_ + 8 * e_ + (m5);                                                              \
  } while (0)

// Rows of G applied to three values.
#define RK_KERNEL_TRANSFORM(g0, g1, g2, o0, o1, o2, o3, o4, o5)          \
  do {                                                                   \
    const float side_ = (g0) + (g2), wide_ = (g0) + 4 * (g2);            \
    o0 = (g0) * 0.25f;                                                   \
    o1 = -(side_ + (g1)) * (1.0f / 6);                                   \
    o2 = -(side_ - (g1)) * (1.0f / 6);                                   \
    o3 = (wide_ + 2 * (g1)) * (1.0f / 24);                               \
    o4 = (wide_ - 2 * (g1)) * (1.0f / 24);                               \
    o5 = (g2);                                                           \
  } while (0)

enum { LANES = 16 };

// Transforms up to LANES kernels side by side; `lanes` is a constant where the call is inlined, so its loops are vectors.
static inline __attribute__((always_inline)) void transform_kernels(const float *g, ptrdiff_t step, ptrdiff_t lanes,
                                                                    rk_part part, int turned, float *u, ptrdiff_t plane) {
  float taps[9][LANES], half[6][3][LANES];
  for (ptrdiff_t i = 0; i < lanes; i++)
    for (int t = 0; t < 9; t++) taps[t][i] = g[i * step + t];
  for (int t = 0; t < 9; t++)
    for (ptrdiff_t i = 0; i < lanes; i++) taps[t][i] = rk_weight(taps[t][i], part);
  for (int x = 0; x < 3; x++) {
    const float *a = taps[turned ? 8 - x : x], *b = taps[turned ? 5 - x : 3 + x], *c = taps[turned ? 2 - x : 6 + x];
    for (ptrdiff_t i = 0; i < lanes; i++)
      RK_KERNEL_TRANSFORM(a[i], b[i], c[i], half[0][x][i], half[1][x][i], half[2][x][i], half[3][x][i], half[4][x][i],
                          half[5][x][i]);
  }
  for (int k = 0; k < 6; k++) {
    float *o = u + k * 6 * plane;
    for (ptrdiff_t i = 0; i < lanes; i++)
      RK_KERNEL_TRANSFORM(half[k][0][i], half[k][1][i], half[k][2][i], o[i], o[plane + i], o[2 * plane + i],
                          o[3 * plane + i], o[4 * plane + i], o[5 * plane + i]);
  }
}

RK_WIDE
void rk_winograd_kernels(const float *g, ptrdiff_t step, ptrdiff_t count, rk_part part, int turned, float *u,
                         ptrdiff_t plane) {
  ptrdiff_t first = 0;
  for (; first + LANES <= count; first += LANES) transform_kernels(g + first * step, step, LANES, part, turned, u + first, plane);
  if (first < count) transform_kernels(g + first * step, step, count - first, part, turned, u + first, plane);
}

ptrdiff_t rk_winograd_scratch(const rk_window *w) {
  // Six input rows after the vertical transform, and a row of zeros.
  const ptrdiff_t tiles = (w->out_width + 3) / 4;
  return 6 * (4 * tiles + 4) + w->width + 4 * 4 * tiles;
}

RK_WIDE
void rk_winograd_input(const float *x, const rk_window *w, ptrdiff_t row_first, ptrdiff_t row_last, float *v,
                       ptrdiff_t plane, float *scratch) {
  const ptrdiff_t tiles = (w->out_width + 3) / 4, columns = 4 * tiles + 2, stride = 4 * tiles + 4;
  float *zeros = scratch + 6 * stride;
  memset(zeros, 0, (size_t)w->width * sizeof(float));
  // Columns of the tiles that lie inside the plane.
  const ptrdiff_t from = RK_MIN(RK_MAX(w->pad_x, 0), columns), to = RK_MAX(RK_MIN(w->width + w->pad_x, columns), from);
  for (int k = 0; k < 6; k++) {
    memset(scratch + k * stride, 0, (size_t)from * sizeof(float));
    memset(scratch + k * stride + to, 0, (size_t)(stride - to) * sizeof(float));
  }
  float *restrict w0 = scratch, *restrict w1 = w0 + stride, *restrict w2 = w1 + stride, *restrict w3 = w2 + stride,
                  *restrict w4 = w3 + stride, *restrict w5 = w4 + stride;
  for (ptrdiff_t row = row_first; row < row_last; row++) {
    const float *d[6];
    for (int i = 0; i < 6; i++) {
      const ptrdiff_t y = row * 4 + i - w->pad_y;
      d[i] = (y >= 0 && y < w->height ? x + y * w->width : zeros) - w->pad_x;
    }
    const float *restrict d0 = d[0], *restrict d1 = d[1], *restrict d2 = d[2], *restrict d3 = d[3],
                          *restrict d4 = d[4], *restrict d5 = d[5];
    for (ptrdiff_t i = from; i < to; i++)
      RK_INPUT_TRANSFORM(d0[i], d1[i], d2[i], d3[i], d4[i], d5[i], w0[i], w1[i], w2[i], w3[i], w4[i], w5[i]);
    float *out = v + (row - row_first) * tiles;
    for (int k = 0; k < 6; k++) {
      const float *restrict s = scratch + k * stride;
      float *restrict o0 = out + (k * 6) * plane, *restrict o1 = o0 + plane, *restrict o2 = o1 + plane,
                      *restrict o3 = o2 + plane, *restrict o4 = o3 + plane, *restrict o5 = o4 + plane;
      for (ptrdiff_t t = 0; t < tiles; t++)
        RK_INPUT_TRANSFORM(s[4 * t], s[4 * t + 1], s[4 * t + 2], s[4 * t + 3], s[4 * t + 4], s[4 * t + 5], o0[t], o1[t],
                           o2[t], o3[t], o4[t], o5[t]);
    }
  }
}

RK_WIDE
void rk_winograd_output(const float *m, ptrdiff_t plane, const rk_window *w, ptrdiff_t row_first, ptrdiff_t row_last,
                        float bias, int relu, const float *factor, float *y, float *scratch) {
  const ptrdiff_t tiles = (w->out_width + 3) / 4, stride = 4 * tiles;
  // Sums of six products for each of 6 rows × 4 columns of a run of tiles.
  float q[6][4][LANES];
  for (ptrdiff_t row = row_first; row < row_last; row++) {
    const float *in = m + (row - row_first) * tiles;
    for (ptrdiff_t first = 0; first < tiles; first += LANES) {
      const ptrdiff_t lanes = RK_MIN(LANES, tiles - first);
      for (int k = 0; k < 6; k++) {
        const float *restrict m0 = in + (k * 6) * plane + first, *restrict m1 = m0 + plane, *restrict m2 = m1 + plane,
                              *restrict m3 = m2 + plane, *restrict m4 = m3 + plane, *restrict m5 = m4 + plane;
        if (lanes == LANES) {
          for (int t = 0; t < LANES; t++)
            RK_OUTPUT_TRANSFORM(m0[t], m1[t], m2[t], m3[t], m4[t], m5[t], q[k][0][t], q[k][1][t], q[k][2][t], q[k][3][t]);
        } else {
          for (ptrdiff_t t = 0; t < lanes; t++)
            RK_OUTPUT_TRANSFORM(m0[t], m1[t], m2[t], m3[t], m4[t], m5[t], q[k][0][t], q[k][1][t], q[k][2][t], q[k][3][t]);
        }
      }
      float *restrict r0 = scratch + 4 * first, *restrict r1 = r0 + stride, *restrict r2 = r1 + stride,
                      *restrict r3 = r2 + stride;
      for (ptrdiff_t t = 0; t < lanes; t++)
        for (int j = 0; j < 4; j++)
          RK_OUTPUT_TRANSFORM(q[0][j][t], q[1][j][t], q[2][j][t], q[3][j][t], q[4][j][t], q[5][j][t], r0[4 * t + j],
                              r1[4 * t + j], r2[4 * t + j], r3[4 * t + j]);
    }
    for (ptrdiff_t i = 0; i < 4 && row * 4 + i < w->out_height; i++) {
      const float *restrict r = scratch + i * stride;
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

// Σ over channels and taps of x·part(w) for one window, in order: what im2col and a matrix product compute.
static float product_at(const float *x, ptrdiff_t channels, const rk_window *w, ptrdiff_t position, const float *weights,
                        rk_part part) {
  const ptrdiff_t y0 = position / w->out_width * w->stride_y - w->pad_y, x0 = position % w->out_width * w->stride_x - w->pad_x;
  float sum = 0;
  for (ptrdiff_t c = 0; c < channels; c++) {
    const float *plane = x + c * w->height * w->width;
    for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++) {
      const ptrdiff_t row = y0 + ky * w->dilation_y;
      if (row < 0 || row >= w->height) continue;
      for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
        const ptrdiff_t column = x0 + kx * w->dilation_x;
        if (column < 0 || column >= w->width) continue;
        const float weight = weights[(c * w->kernel_y + ky) * w->kernel_x + kx];
        sum += plane[row * w->width + column] * rk_weight(weight, part);
      }
    }
  }
  return sum;
}

ptrdiff_t rk_refine_small_products(const float *x, ptrdiff_t channels, const rk_window *w, const float *weights,
                                   rk_part part, const float *needed, float relative, float *z) {
  const ptrdiff_t positions = w->out_height * w->out_width;
  float largest = 0;
  for (ptrdiff_t p = 0; p < positions; p++) largest = z[p] > largest ? z[p] : largest;
  const float threshold = largest * relative;
  ptrdiff_t refined = 0;
  for (ptrdiff_t p = 0; p < positions; p++) {
    if (z[p] > threshold || (needed && needed[p] == 0)) continue;
    z[p] = product_at(x, channels, w, p, weights, part);
    refined++;
  }
  return refined;
}
