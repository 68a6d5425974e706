// Convolutions whose groups have few channels, above all depthwise ones. A matrix product over so few channels would
// read and write more than it multiplies, so each vector of outputs is summed in registers. Planes are first laid out
// with their padding and the columns that a stride skips stored separately, so that every tap is a shift of whole rows.
#include "direct.h"

#include "windows.h"

static inline ptrdiff_t floor_divided(ptrdiff_t a, ptrdiff_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// --- Layout ----------------------------------------------------------------------------------------------------------

// The layout of one axis of a plane: `extent` elements for each of `phases` remainders of positions divided by the
// stride.
typedef struct {
  ptrdiff_t extent, phases, low;
} axis;

// For products: element j of phase p is position j·stride + p − pad.
static inline axis axis_of_product(ptrdiff_t outputs, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t dilation) {
  const ptrdiff_t reach = (kernel - 1) * dilation;
  return (axis){outputs + reach / stride, RK_MIN(stride, reach + 1), 0};
}

// For adjoints: element j is output low + j; position i takes tap k from output (i + pad − k·dilation)/stride.
static inline axis axis_of_adjoint(ptrdiff_t inputs, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t dilation, ptrdiff_t pad) {
  const ptrdiff_t low = floor_divided(pad, stride) - (kernel - 1) * dilation / stride;
  return (axis){floor_divided(pad + inputs - 1, stride) - low + 1, 1, low};
}

#define PRODUCT_Y(w) axis_of_product((w)->out_height, (w)->kernel_y, (w)->stride_y, (w)->dilation_y)
#define PRODUCT_X(w) axis_of_product((w)->out_width, (w)->kernel_x, (w)->stride_x, (w)->dilation_x)
#define ADJOINT_Y(w) axis_of_adjoint((w)->height, (w)->kernel_y, (w)->stride_y, (w)->dilation_y, (w)->pad_y)
#define ADJOINT_X(w) axis_of_adjoint((w)->width, (w)->kernel_x, (w)->stride_x, (w)->dilation_x, (w)->pad_x)

static inline ptrdiff_t plane_of(axis y, axis x) { return y.extent * y.phases * x.extent * x.phases; }

// Vectors are read completely, including the last one of the last row.
static inline ptrdiff_t with_slack(ptrdiff_t floats) { return floats + 2 * LANES; }

// Elements of one row: `to[j] ← row[first + j·step]` where that is inside the row, otherwise 0.
RK_INLINE void lay_out_row(const float *row, ptrdiff_t width, ptrdiff_t first, ptrdiff_t step, float *restrict to, ptrdiff_t count) {
  const ptrdiff_t from = RK_MIN(first >= 0 ? 0 : (-first + step - 1) / step, count);
  const ptrdiff_t end = RK_MAX(first >= width ? 0 : RK_MIN((width - 1 - first) / step + 1, count), from);
  for (ptrdiff_t j = 0; j < from; j++) to[j] = 0;
  const float *restrict source = row + first;
  if (step == 1) {
    for (ptrdiff_t j = from; j < end; j++) to[j] = source[j];
  } else if (step == 2) {
    for (ptrdiff_t j = from; j < end; j++) to[j] = source[2 * j];
  } else {
    for (ptrdiff_t j = from; j < end; j++) to[j] = source[step * j];
  }
  for (ptrdiff_t j = end; j < count; j++) to[j] = 0;
}

// Both phases of a row under stride 2: elements 2j − pad and 2j + 1 − pad.
RK_INLINE void lay_out_alternating(const float *row, ptrdiff_t width, ptrdiff_t pad, float *restrict even, float *restrict odd,
                                   ptrdiff_t count) {
  const ptrdiff_t from = RK_MIN(pad > 0 ? (pad + 1) / 2 : 0, count);
  const ptrdiff_t end = RK_MAX(RK_MIN(floor_divided(width + pad, 2), count), from);
  ptrdiff_t j = from;
  for (; j + HALF <= end; j += HALF) {
    const rk_v16 both = *(const rk_v16 *)(row + 2 * j - pad);
    *(rk_f8 *)(even + j) = __builtin_shufflevector(both, both, 0, 2, 4, 6, 8, 10, 12, 14);
    *(rk_f8 *)(odd + j) = __builtin_shufflevector(both, both, 1, 3, 5, 7, 9, 11, 13, 15);
  }
  for (; j < end; j++) {
    even[j] = row[2 * j - pad];
    odd[j] = row[2 * j + 1 - pad];
  }
  for (j = 0; j < count; j++) {
    if (j == from) j = end;
    if (j == count) return;
    const ptrdiff_t at = 2 * j - pad;
    even[j] = at >= 0 && at < width ? row[at] : 0;
    odd[j] = at + 1 >= 0 && at + 1 < width ? row[at + 1] : 0;
  }
}

RK_LOCAL_KERNEL(void, lay_out,
                (const float *x, ptrdiff_t inputs, const rk_window *w, float *laid),
                (x, inputs, w, laid)) {
  const axis ay = PRODUCT_Y(w), ax = PRODUCT_X(w);
  const ptrdiff_t phase = ay.extent * ax.extent;
  for (ptrdiff_t c = 0; c < inputs; c++, x += w->height * w->width)
    for (ptrdiff_t py = 0; py < ay.phases; py++) {
      if (w->stride_x == 2 && ax.phases == 2) {
        for (ptrdiff_t j = 0; j < ay.extent; j++, laid += ax.extent) {
          const ptrdiff_t y = j * w->stride_y + py - w->pad_y;
          if (y >= 0 && y < w->height) {
            lay_out_alternating(x + y * w->width, w->width, w->pad_x, laid, laid + phase, ax.extent);
          } else {
            memset(laid, 0, (size_t)ax.extent * sizeof(float));
            memset(laid + phase, 0, (size_t)ax.extent * sizeof(float));
          }
        }
        laid += phase;
        continue;
      }
      for (ptrdiff_t px = 0; px < ax.phases; px++)
        for (ptrdiff_t j = 0; j < ay.extent; j++, laid += ax.extent) {
          const ptrdiff_t y = j * w->stride_y + py - w->pad_y;
          if (y < 0 || y >= w->height) memset(laid, 0, (size_t)ax.extent * sizeof(float));
          else lay_out_row(x + y * w->width, w->width, px - w->pad_x, w->stride_x, laid, ax.extent);
        }
    }
}

RK_LOCAL_KERNEL(void, lay_out_back,
                (const float *s, ptrdiff_t outputs, const rk_window *w, float *laid),
                (s, outputs, w, laid)) {
  const axis ay = ADJOINT_Y(w), ax = ADJOINT_X(w);
  for (ptrdiff_t c = 0; c < outputs; c++, s += w->out_height * w->out_width)
    for (ptrdiff_t j = 0; j < ay.extent; j++, laid += ax.extent) {
      const ptrdiff_t y = ay.low + j;
      if (y < 0 || y >= w->out_height) memset(laid, 0, (size_t)ax.extent * sizeof(float));
      else lay_out_row(s + y * w->out_width, w->out_width, ax.low, 1, laid, ax.extent);
    }
}

// --- Weights ---------------------------------------------------------------------------------------------------------

// The number of channels from `channel` on that are summed together.
static inline int together(ptrdiff_t channel, ptrdiff_t channels) {
  // Images have three color channels.
  return channel + CHANNELS <= channels ? CHANNELS : channel + 3 == channels ? 3 : 1;
}

// Gathers the weights of `channels` channels, which are `step` apart, tap by tap.
static void gather(const float *weights, ptrdiff_t step, const int32_t *sources, ptrdiff_t taps, int channels, rk_part part, float *to) {
  for (ptrdiff_t tap = 0; tap < taps; tap++)
    for (int c = 0; c < channels; c++) *to++ = rk_weight(weights[sources[tap] + c * step], part);
}

int rk_direct_suits(const rk_window *w, ptrdiff_t inputs, ptrdiff_t outputs) {
  return RK_MAX(inputs, outputs) * w->kernel_y * w->kernel_x <= MOST_TAPS && w->stride_y * w->stride_x <= MOST_COMBS;
}

// --- Products --------------------------------------------------------------------------------------------------------

ptrdiff_t rk_direct_product_scratch(const rk_window *w, ptrdiff_t inputs) {
  return with_slack(inputs * plane_of(PRODUCT_Y(w), PRODUCT_X(w)));
}

void rk_direct_product(const float *x, ptrdiff_t groups, ptrdiff_t inputs, ptrdiff_t outputs, const rk_window *w,
                       const rk_direct_target *targets, ptrdiff_t count, ptrdiff_t plane, float *scratch) {
  const axis ay = PRODUCT_Y(w), ax = PRODUCT_X(w);
  const ptrdiff_t phase = ay.extent * ax.extent, laid_plane = plane_of(ay, ax), taps = inputs * w->kernel_y * w->kernel_x;
  places at;
  ptrdiff_t tap = 0;
  for (ptrdiff_t i = 0; i < inputs; i++)
    for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++)
      for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++, tap++) {
        const ptrdiff_t dy = ky * w->dilation_y, dx = kx * w->dilation_x;
        at.sources[tap] = (int32_t)tap;
        at.offsets[tap] = (int32_t)(i * laid_plane + (dy % w->stride_y * ax.phases + dx % w->stride_x) * phase +
                                    dy / w->stride_y * ax.extent + dx / w->stride_x);
      }
  float weights[MOST_TAPS * CHANNELS];
  sums s = {.x = scratch, .lead = ax.extent, .taps = taps, .offsets = at.offsets, .weights = weights, .rows = w->out_height,
            .columns = w->out_width, .y_lead = w->out_width, .y_plane = plane};
  for (ptrdiff_t g = 0; g < groups; g++) {
    lay_out(x + g * inputs * w->height * w->width, inputs, w, scratch);
    for (const rk_direct_target *t = targets; t < targets + count; t++) {
      s.relu = t->relu;
      s.accumulates = t->accumulates;
      for (ptrdiff_t o = g * outputs; o < (g + 1) * outputs;) {
        const int channels = together(o, (g + 1) * outputs);
        gather(t->weights + o * taps, taps, at.sources, taps, channels, t->part, weights);
        s.y = t->result + o * plane;
        s.bias = t->bias ? t->bias + o : 0;
        rk_sum_taps(&s, channels);
        o += channels;
      }
    }
  }
}

// --- Adjoint ---------------------------------------------------------------------------------------------------------

// The positions of one axis whose remainder is `phase`: the first one with an output, in steps of the stride, and their
// number.
typedef struct {
  ptrdiff_t quotient, first, count;
} comb;

static inline comb comb_of(ptrdiff_t phase, ptrdiff_t extent, ptrdiff_t stride, ptrdiff_t pad) {
  comb p;
  p.quotient = floor_divided(pad - phase + stride - 1, stride);
  p.first = p.quotient * stride + phase - pad;
  p.count = p.first >= extent ? 0 : (extent - 1 - p.first) / stride + 1;
  return p;
}

static inline ptrdiff_t comb_lead(const rk_window *w) { return (w->width + w->stride_x - 1) / w->stride_x; }
static inline ptrdiff_t comb_plane(const rk_window *w) { return (w->height + w->stride_y - 1) / w->stride_y * comb_lead(w); }
static inline int is_dense(const rk_window *w) { return w->stride_x == 1 && w->stride_y == 1; }

static inline ptrdiff_t laid_for_adjoint(const rk_window *w, ptrdiff_t outputs) {
  return with_slack(outputs * plane_of(ADJOINT_Y(w), ADJOINT_X(w)));
}

ptrdiff_t rk_direct_adjoint_scratch(const rk_window *w, ptrdiff_t outputs) {
  const ptrdiff_t combs = is_dense(w) ? 0 : w->stride_y * w->stride_x * CHANNELS * comb_plane(w) + w->width;
  return laid_for_adjoint(w, outputs) + combs;
}

// Interleaves two combs to a row.
RK_INLINE void interleave(const float *combs, ptrdiff_t plane, const rk_window *w, float *restrict row) {
  const int starts = comb_of(0, w->width, 2, w->pad_x).first != 0;
  const float *restrict even = combs + (starts ? plane : 0), *restrict odd = combs + (starts ? 0 : plane);
  const ptrdiff_t pairs = w->width / 2;
  ptrdiff_t i = 0;
  for (; i + HALF <= pairs; i += HALF)
    *(rk_v16 *)(row + 2 * i) = __builtin_shufflevector(*(const rk_f8 *)(even + i), *(const rk_f8 *)(odd + i), 0, 8, 1, 9, 2, 10, 3, 11,
                                                       4, 12, 5, 13, 6, 14, 7, 15);
  for (; i < pairs; i++) {
    row[2 * i] = even[i];
    row[2 * i + 1] = odd[i];
  }
  if (w->width % 2) row[w->width - 1] = even[pairs];
}

// Merges the combs of one channel.
RK_LOCAL_KERNEL(void, merge,
                (const float *combs, const rk_window *w, const float *factor, int accumulates, float *restrict c, float *restrict row),
                (combs, w, factor, accumulates, c, row)) {
  const ptrdiff_t lead = comb_lead(w), plane = CHANNELS * comb_plane(w), stride = w->stride_x;
  for (ptrdiff_t py = 0; py < w->stride_y; py++) {
    const comb rows = comb_of(py, w->height, w->stride_y, w->pad_y);
    for (ptrdiff_t j = 0; j < rows.count; j++) {
      const ptrdiff_t at = (rows.first + j * w->stride_y) * w->width;
      if (stride == 2 && w->width > 1) {
        interleave(combs + 2 * py * plane + j * lead, plane, w, row);
      } else {
        for (ptrdiff_t px = 0; px < stride; px++) {
          const comb columns = comb_of(px, w->width, stride, w->pad_x);
          const float *restrict from = combs + (py * stride + px) * plane + j * lead;
          float *restrict to = row + columns.first;
          for (ptrdiff_t i = 0; i < columns.count; i++) to[stride * i] = from[i];
        }
      }
      if (factor)
        for (ptrdiff_t i = 0; i < w->width; i++) row[i] *= factor[at + i];
      if (accumulates)
        for (ptrdiff_t i = 0; i < w->width; i++) c[at + i] += row[i];
      else memcpy(c + at, row, (size_t)w->width * sizeof(float));
    }
  }
}

void rk_direct_adjoint(const float *r, ptrdiff_t groups, ptrdiff_t inputs, ptrdiff_t outputs, const rk_window *w,
                       const rk_direct_target *targets, ptrdiff_t count, ptrdiff_t plane, float *scratch) {
  const axis ay = ADJOINT_Y(w), ax = ADJOINT_X(w);
  const ptrdiff_t taps = w->kernel_y * w->kernel_x, phases = w->stride_y * w->stride_x;
  places at;
  ptrdiff_t ends[MOST_COMBS], tap = 0;
  for (ptrdiff_t p = 0; p < phases; p++) {
    for (ptrdiff_t o = 0; o < outputs; o++)
      for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++)
        for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
          const ptrdiff_t dy = ky * w->dilation_y, dx = kx * w->dilation_x;
          if (dy % w->stride_y != p / w->stride_x || dx % w->stride_x != p % w->stride_x) continue;
          at.offsets[tap] = (int32_t)((o * ay.extent - dy / w->stride_y) * ax.extent - dx / w->stride_x);
          at.sources[tap++] = (int32_t)(o * inputs * taps + ky * w->kernel_x + kx);
        }
    ends[p] = tap;
  }
  const int dense = is_dense(w);
  float *combs = scratch + laid_for_adjoint(w, outputs), weights[MOST_TAPS * CHANNELS];
  const ptrdiff_t comb_size = comb_plane(w);
  for (ptrdiff_t g = 0; g < groups; g++) {
    lay_out_back(r + g * outputs * w->out_height * w->out_width, outputs, w, scratch);
    for (const rk_direct_target *t = targets; t < targets + count; t++) {
      for (ptrdiff_t i = 0; i < inputs;) {
        const int channels = together(i, inputs);
        float *c = t->result + (g * inputs + i) * plane;
        const float *factor = t->factor ? t->factor + (g * inputs + i) * plane : 0;
        for (ptrdiff_t p = 0; p < phases; p++) {
          const comb rows = comb_of(p / w->stride_x, w->height, w->stride_y, w->pad_y);
          const comb columns = comb_of(p % w->stride_x, w->width, w->stride_x, w->pad_x);
          if (!rows.count || !columns.count) continue;
          const ptrdiff_t first = p ? ends[p - 1] : 0;
          const sums s = {
              .x = scratch + (rows.quotient - ay.low) * ax.extent + columns.quotient - ax.low, .lead = ax.extent,
              .taps = ends[p] - first, .offsets = at.offsets + first, .weights = weights, .rows = rows.count, .columns = columns.count,
              .y = dense ? c : combs + p * CHANNELS * comb_size, .y_lead = dense ? w->width : comb_lead(w),
              .y_plane = dense ? plane : comb_size, .factor = dense ? factor : 0, .accumulates = dense && t->accumulates};
          gather(t->weights + (g * outputs * inputs + i) * taps, taps, at.sources + first, s.taps, channels, t->part, weights);
          rk_sum_taps(&s, channels);
        }
        if (!dense)
          for (int k = 0; k < channels; k++)
            merge(combs + k * comb_size, w, factor ? factor + k * plane : 0, t->accumulates, c + k * plane,
                  combs + phases * CHANNELS * comb_size);
        i += channels;
      }
    }
  }
}
