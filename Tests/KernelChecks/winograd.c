// The transforms of F(4×4, 3×3), against their matrices (A. Lavin, S. Gray, CVPR 2016).
#include "check.h"

static const double of_input[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                      {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
static const double of_kernel[6][3] = {{1.0 / 4, 0, 0},
                                       {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                       {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                       {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                       {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                       {0, 0, 1}};
static const double of_output[4][6] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

// result ← M·x·Mᵀ for a matrix M of `rows` × n.
static void transform(const double *m, int rows, int n, const double *x, double *result) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < rows; j++) {
      double sum = 0;
      for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++) sum += m[i * n + a] * x[a * n + b] * m[j * n + b];
      result[i * rows + j] = sum;
    }
}

static int suits(const rk_window *w) {
  return w->kernel_y == 3 && w->kernel_x == 3 && w->stride_y == 1 && w->stride_x == 1 && w->dilation_y == 1 && w->dilation_x == 1;
}

CHECK(transforms_of_kernels) {
  enum { BLOCK = RK_PRODUCT_ROWS };
  for (int k = 0; k < part_count; k++)
    for (int turned = 0; turned < 2; turned++)
      for (ptrdiff_t rows = 1; rows <= 30; rows++) {
        const ptrdiff_t depth = rows % 5 + 1, step = turned ? 9 : depth * 9 + rows % 4, depth_step = turned ? rows * 9 + rows % 4 : 9;
        const ptrdiff_t blocks = (rows + BLOCK - 1) / BLOCK, plane = blocks * BLOCK * depth + rows % 3;
        const float *g = wholes((rows - 1) * step + (depth - 1) * depth_step + 9, -8, 8);
        float *u = room(36 * plane);
        double *expected = zeros(36 * plane);
        for (ptrdiff_t i = 0; i < 36 * plane; i++) expected[i] = NAN;
        for (ptrdiff_t row = 0; row < blocks * BLOCK; row++)
          for (ptrdiff_t p = 0; p < depth; p++) {
            // Missing rows repeat the kernels of the last row.
            const float *kernel = g + (row < rows ? row : rows - 1) * step + p * depth_step;
            double taps[9], result[36];
            for (int t = 0; t < 9; t++) taps[t] = part_of((double)kernel[turned ? 8 - t : t], parts[k]);
            transform(&of_kernel[0][0], 6, 3, taps, result);
            for (int i = 0; i < 36; i++) expected[i * plane + (row / BLOCK * depth + p) * BLOCK + row % BLOCK] = result[i];
          }
        rk_winograd_kernels(g, step, depth_step, rows, depth, parts[k], turned, u, plane);
        expect(u, expected, 36 * plane, ROUNDING, "part %d, turned %d, %td rows", k, turned, rows);
      }
}

CHECK(packed_tiles) {
  for (ptrdiff_t tiles = 1; tiles <= 50; tiles++) {
    const ptrdiff_t plane = tiles + 16, blocks = (tiles + 15) / 16, depth = tiles % 3 + 1, to_plane = blocks * 16 * depth + 5;
    const float *v = fractions(36 * plane);
    float *to = room(36 * to_plane);
    double *expected = zeros(36 * to_plane);
    for (ptrdiff_t i = 0; i < 36 * to_plane; i++) expected[i] = NAN;
    for (int k = 0; k < 36; k++)
      for (ptrdiff_t t = 0; t < blocks * 16; t++) expected[k * to_plane + t / 16 * depth * 16 + t % 16] = (double)v[k * plane + t];
    rk_winograd_pack(v, plane, tiles, to, to_plane, depth * 16);
    expect(to, expected, 36 * to_plane, EXACT, "%td tiles", tiles);
  }
}

CHECK(transforms_of_data) {
  for (int k = 0; k < window_count; k++) {
    const rk_window *w = &windows[k];
    if (!suits(w)) continue;
    const ptrdiff_t tiles = (w->out_width + 3) / 4, tile_rows = (w->out_height + 3) / 4;
    const float *x = wholes(w->height * w->width, -8, 8);
    for (ptrdiff_t first = 0; first < tile_rows; first += (tile_rows + 1) / 2) {
      const ptrdiff_t count = (tile_rows - first) * tiles, plane = count + 15;
      float *v = room(36 * plane), *scratch = room(rk_winograd_scratch(w));
      double *expected = zeros(36 * plane);
      for (ptrdiff_t tile = 0; tile < count; tile++) {
        double patch[36], result[36];
        for (int i = 0; i < 36; i++) {
          const ptrdiff_t row = (first + tile / tiles) * 4 + i / 6 - w->pad_y, column = tile % tiles * 4 + i % 6 - w->pad_x;
          const int inside = row >= 0 && row < w->height && column >= 0 && column < w->width;
          patch[i] = inside ? (double)x[row * w->width + column] : 0;
        }
        transform(&of_input[0][0], 6, 6, patch, result);
        for (int i = 0; i < 36; i++) expected[i * plane + tile] = result[i];
      }
      rk_winograd_input(x, w, first, tile_rows, v, plane, scratch);
      // Values after the last tile of a plane are arbitrary.
      for (int i = 0; i < 36; i++)
        for (ptrdiff_t tile = count; tile < plane; tile++) v[i * plane + tile] = 0;
      expect(v, expected, 36 * plane, EXACT, "window %d, from row %td", k, first);
    }
  }
}

CHECK(transforms_of_products) {
  for (int k = 0; k < window_count; k++)
    for (int kind = 0; kind < 4; kind++) {
      const rk_window *w = &windows[k];
      if (!suits(w)) continue;
      const ptrdiff_t tiles = (w->out_width + 3) / 4, tile_rows = (w->out_height + 3) / 4;
      const ptrdiff_t count = tiles * tile_rows, plane = count + 15, positions = w->out_height * w->out_width;
      const float *m = wholes(36 * plane, -8, 8), *factor = wholes(positions, -8, 8), *start = wholes(positions, -8, 8);
      float *y = room(positions), *scratch = room(rk_winograd_scratch(w));
      double *expected = zeros(positions);
      for (ptrdiff_t tile = 0; tile < count; tile++) {
        double products[36], result[16];
        for (int i = 0; i < 36; i++) products[i] = (double)m[i * plane + tile];
        transform(&of_output[0][0], 4, 6, products, result);
        for (int i = 0; i < 16; i++) {
          const ptrdiff_t row = tile / tiles * 4 + i / 4, column = tile % tiles * 4 + i % 4;
          if (row >= w->out_height || column >= w->out_width) continue;
          const ptrdiff_t p = row * w->out_width + column;
          expected[p] = kind == 2 ? result[i] * (double)factor[p] : kind == 1 ? fmax(result[i] + 3, 0) : result[i] + 3;
          if (kind == 3) expected[p] += (double)start[p];
        }
      }
      for (ptrdiff_t p = 0; kind == 3 && p < positions; p++) y[p] = start[p];
      rk_winograd_output(m, plane, w, 0, tile_rows, 3, kind == 1, kind == 2 ? factor : NULL, kind == 3, y, scratch);
      expect(y, expected, positions, EXACT, "window %d, kind %d", k, kind);
    }
}
