// Direct convolutions of whole numbers, whose sums are exact in any order.
#include "check.h"

typedef struct {
  ptrdiff_t groups, inputs, outputs;
} grouping;

// Numbers of channels below and above the number that is summed together.
static const grouping groupings[] = {{5, 1, 1}, {2, 1, 2}, {1, 3, 4}, {1, 2, 7}, {2, 4, 3}, {1, 5, 6}, {1, 1, 8}};
static const int grouping_count = sizeof groupings / sizeof *groupings;

// Additional windows: strides that skip elements, exceed the kernel and exceed the plane; large and negative padding;
// rows about as long as vectors.
static const rk_window others[] = {
    {9, 33, 5, 17, 1, 1, 2, 2, 1, 1, 0, 0},  {10, 11, 3, 3, 2, 2, 4, 4, 1, 1, 0, 1},   {20, 41, 3, 6, 3, 3, 8, 8, 1, 1, 1, 1},
    {3, 2, 9, 9, 3, 4, 1, 1, 1, 1, 4, 5},    {8, 40, 3, 17, 3, 5, 2, 2, 1, 1, -1, -1}, {12, 37, 4, 16, 3, 3, 2, 2, 2, 2, 1, 2},
    {7, 1, 7, 1, 3, 3, 1, 1, 1, 1, 1, 1},    {7, 1, 4, 2, 3, 3, 2, 2, 1, 1, 1, 2},     {5, 24, 5, 24, 3, 3, 1, 1, 1, 1, 1, 1},
    {6, 47, 3, 24, 3, 3, 2, 2, 1, 1, 1, 1},  {7, 7, 7, 7, 7, 7, 1, 1, 1, 1, 3, 3},     {4, 90, 4, 30, 3, 3, 1, 3, 1, 2, 1, 1},
    {17, 31, 17, 16, 5, 5, 1, 2, 1, 1, 2, 2}, {6, 8, 3, 8, 3, 3, 2, 1, 1, 1, 1, 1},    {5, 19, 2, 5, 2, 4, 3, 4, 1, 3, 1, 3},
};
static const int other_count = sizeof others / sizeof *others;

static const rk_window *window_of(int k) { return k < window_count ? &windows[k] : &others[k - window_count]; }

// Runs `statement` wherever a weight connects an element of the input with one of the output, with `from` and `to` as
// their positions.
#define EACH_PRODUCT(w, g, in_plane, out_plane, from, to, weight, statement)                                        \
  EACH_TAP(w, ky_, kx_)                                                                                             \
    for (ptrdiff_t p_ = 0; p_ < (w)->out_height * (w)->out_width; p_++) {                                           \
      const ptrdiff_t at_ = under_tap(w, p_, ky_, kx_), taps_ = (w)->kernel_y * (w)->kernel_x;                      \
      if (at_ < 0) continue;                                                                                        \
      for (ptrdiff_t o_ = 0; o_ < (g).groups * (g).outputs; o_++)                                                   \
        for (ptrdiff_t i_ = 0; i_ < (g).inputs; i_++) {                                                             \
          const ptrdiff_t from = (o_ / (g).outputs * (g).inputs + i_) * (in_plane) + at_, to = o_ * (out_plane) + p_; \
          const ptrdiff_t weight = (o_ * (g).inputs + i_) * taps_ + ky_ * (w)->kernel_x + kx_;                      \
          statement;                                                                                                \
        }                                                                                                           \
    }

// Sets the previous values: NaN, except where values are accumulated.
static void begin(float *result, const float *start, int accumulates, ptrdiff_t plane, ptrdiff_t area, ptrdiff_t size) {
  for (ptrdiff_t i = 0; i < size; i++) result[i] = accumulates && i % plane < area ? start[i] : NAN;
}

// One target for each part of the weights, with all combinations of a bias, a rectifier and accumulation.
CHECK(direct_products) {
  enum { MOST = 8 };
  for (int k = 0; k < window_count + other_count; k++)
    for (int j = 0; j < grouping_count; j++) {
      const rk_window *w = window_of(k);
      const grouping g = groupings[j];
      const ptrdiff_t in_plane = w->height * w->width, area = w->out_height * w->out_width, plane = area + (k + j) % 3;
      const ptrdiff_t channels = g.groups * g.outputs, weight_count = channels * g.inputs * w->kernel_y * w->kernel_x;
      const ptrdiff_t size = (channels - 1) * plane + area;
      const float *x = wholes(g.groups * g.inputs * in_plane, -8, 8), *start = wholes(size, -8, 8), *bias = wholes(channels, -99, 99);
      float *scratch = room(rk_direct_product_scratch(w, g.inputs));
      rk_direct_target targets[MOST];
      double *expected[MOST];
      const double *part_weights[MOST];
      for (int t = 0; t < part_count; t++) {
        const int kind = (t + k + 3 * j) % 8, accumulates = kind & 1;
        const float *weights = wholes(weight_count, -8, 8);
        double *changed = zeros(weight_count);
        for (ptrdiff_t i = 0; i < weight_count; i++) changed[i] = part_of((double)weights[i], parts[t]);
        part_weights[t] = changed;
        expected[t] = zeros(size);
        targets[t] = (rk_direct_target){weights, parts[t], room(size), accumulates, kind & 2 ? bias : NULL, kind & 4, NULL};
        begin(targets[t].result, start, accumulates, plane, area, size);
      }
      EACH_PRODUCT(w, g, in_plane, plane, from, to, weight,
                   for (int t = 0; t < part_count; t++) expected[t][to] += part_weights[t][weight] * (double)x[from]);
      rk_direct_product(x, g.groups, g.inputs, g.outputs, w, targets, part_count, plane, scratch);
      for (int t = 0; t < part_count; t++) {
        for (ptrdiff_t i = 0; i < size; i++) {
          double v = expected[t][i] + (targets[t].bias ? (double)bias[i / plane] : 0);
          if (targets[t].relu) v = fmax(v, 0);
          expected[t][i] = i % plane >= area ? NAN : v + (targets[t].accumulates ? (double)start[i] : 0);
        }
        expect(targets[t].result, expected[t], size, EXACT, "window %d, grouping %d, part %d", k, j, t);
      }
      expect(scratch, NULL, 0, EXACT, "scratch of window %d, grouping %d", k, j);
      forget();
    }
}

// As a whole, and in two bands of rows; the second band starts at any remainder of the stride.
CHECK(direct_adjoints) {
  for (int k = 0; k < window_count + other_count; k++)
    for (int j = 0; j < grouping_count; j++) {
      const rk_window *w = window_of(k);
      const grouping g = groupings[j];
      const ptrdiff_t area = w->height * w->width, out_plane = w->out_height * w->out_width, plane = area + (k + j) % 3;
      const ptrdiff_t channels = g.groups * g.inputs, weight_count = channels * g.outputs * w->kernel_y * w->kernel_x;
      const ptrdiff_t size = (channels - 1) * plane + area;
      const float *r = wholes(g.groups * g.outputs * out_plane, -8, 8), *start = wholes(size, -8, 8), *factor = wholes(size, -8, 8);
      const float *weights = wholes(weight_count, -8, 8), *more_weights = wholes(weight_count, -8, 8);
      // Two targets whose kinds and parts vary between cases.
      rk_direct_target targets[2];
      double *expected[2];
      for (int t = 0; t < 2; t++) {
        const int kind = (k + j / 2 + 3 * t) % 4, part = (k + j + 2 * t) % part_count;
        targets[t] = (rk_direct_target){t ? more_weights : weights, parts[part], NULL, kind & 1, NULL, 0, kind & 2 ? factor : NULL};
        expected[t] = zeros(size);
      }
      EACH_PRODUCT(w, g, plane, out_plane, to, from, weight,
                   for (int t = 0; t < 2; t++)
                     expected[t][to] += part_of((double)targets[t].weights[weight], targets[t].part) * (double)r[from]);
      for (int t = 0; t < 2; t++)
        for (ptrdiff_t i = 0; i < size; i++) {
          const double v = expected[t][i] * (targets[t].factor ? (double)factor[i] : 1);
          expected[t][i] = i % plane >= area ? NAN : v + (targets[t].accumulates ? (double)start[i] : 0);
        }
      for (int bands = 1; bands <= 2; bands++) {
        float *results[] = {room(size), room(size)};
        for (int t = 0; t < 2; t++) begin(results[t], start, targets[t].accumulates, plane, area, size);
        const ptrdiff_t middle = bands == 1 ? 0 : (w->height + 1) / 3;
        for (int b = 0; b < bands; b++) {
          const ptrdiff_t top = b == bands - 1 ? middle : 0, bottom = b == bands - 1 ? w->height : middle;
          if (top == bottom) continue;
          rk_window band = *w;
          band.pad_y += top;
          band.height = bottom - top;
          rk_direct_target some[] = {targets[0], targets[1]};
          for (int t = 0; t < 2; t++) {
            some[t].result = results[t] + top * w->width;
            if (some[t].factor) some[t].factor += top * w->width;
          }
          float *scratch = room(rk_direct_adjoint_scratch(&band, g.outputs));
          rk_direct_adjoint(r, g.groups, g.inputs, g.outputs, &band, some, 2, plane, scratch);
          expect(scratch, NULL, 0, EXACT, "scratch of window %d, grouping %d, band %d", k, j, b);
        }
        for (int t = 0; t < 2; t++)
          expect(results[t], expected[t], size, EXACT, "window %d, grouping %d, target %d, %d bands", k, j, t, bands);
      }
      forget();
    }
}

CHECK(direct_limits) {
  for (int k = 0; k < window_count + other_count; k++) {
    for (int j = 0; j < grouping_count; j++)
      expect_number(rk_direct_suits(window_of(k), groupings[j].inputs, groupings[j].outputs) != 0, 1, 0, "whether few channels suit");
    expect_number(rk_direct_suits(window_of(k), 5000, 1), 0, 0, "whether many inputs suit");
    expect_number(rk_direct_suits(window_of(k), 1, 5000), 0, 0, "whether many outputs suit");
  }
  const rk_window far = {90, 90, 9, 9, 3, 3, 10, 10, 1, 1, 0, 0};
  expect_number(rk_direct_suits(&far, 1, 1), 0, 0, "whether large strides suit");
}
