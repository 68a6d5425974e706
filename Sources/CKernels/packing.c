// The operands of `rk_product`, packed in the order in which it reads them.
#include "CKernels.h"
#include "vectors.h"

// Transposes a square in each quarter of four vectors of sixteen numbers: the four numbers of a quarter come from all
// four vectors.
RK_INLINE void turn_quarters(rk_v16 v[4]) {
  rk_v16 pairs[4];
  for (int i = 0; i < 4; i += 2) {
    pairs[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    pairs[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  for (int i = 0; i < 2; i++) {
    v[2 * i] = __builtin_shufflevector(pairs[i], pairs[i + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    v[2 * i + 1] = __builtin_shufflevector(pairs[i], pairs[i + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
}

// Transposes the numbers of `count` rows or columns, `step` apart, at sixteen positions of the depth: the numbers of a
// position become adjacent, and positions are `count` apart, which is 12 or 16.
RK_INLINE void turn(const float *from, ptrdiff_t step, rk_part part, int is_whole, int count, float *to) {
  rk_v16 v[4][4];
  for (int k = 0; k < count / 4; k++) {
    for (int i = 0; i < 4; i++) {
      v[k][i] = *(const rk_v16 *)(from + (4 * k + i) * step);
      if (!is_whole) v[k][i] = rk_weights(v[k][i], part);
    }
    turn_quarters(v[k]);
  }
  // Quarter q of v[k][i] contains rows 4k … 4k + 3 at position 4q + i.
  for (int i = 0; i < 4; i++) {
    if (count == 16) {
      const rk_v16 low = __builtin_shufflevector(v[0][i], v[1][i], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const rk_v16 high = __builtin_shufflevector(v[0][i], v[1][i], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const rk_v16 low2 = __builtin_shufflevector(v[2][i], v[3][i], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const rk_v16 high2 = __builtin_shufflevector(v[2][i], v[3][i], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      float *out = to + i * 16;
      *(rk_v16 *)out = __builtin_shufflevector(low, low2, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      *(rk_v16 *)(out + 64) = __builtin_shufflevector(low, low2, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
      *(rk_v16 *)(out + 128) = __builtin_shufflevector(high, high2, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      *(rk_v16 *)(out + 192) = __builtin_shufflevector(high, high2, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    } else {
      for (int k = 0; k < count / 4; k++) {
        float *out = to + i * count + 4 * k;
        *(rk_v4 *)out = __builtin_shufflevector(v[k][i], v[k][i], 0, 1, 2, 3);
        *(rk_v4 *)(out + 4 * count) = __builtin_shufflevector(v[k][i], v[k][i], 4, 5, 6, 7);
        *(rk_v4 *)(out + 8 * count) = __builtin_shufflevector(v[k][i], v[k][i], 8, 9, 10, 11);
        *(rk_v4 *)(out + 12 * count) = __builtin_shufflevector(v[k][i], v[k][i], 12, 13, 14, 15);
      }
    }
  }
}

// Packs `count` rows or columns of an operand in blocks of `width`, with zeros after the last one. They are `step`
// floats apart, and their elements are `depth_step` apart along the depth.
RK_INLINE void pack(const float *from, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t count, ptrdiff_t depth, ptrdiff_t width,
                    rk_part part, int is_whole, float *restrict to, ptrdiff_t to_step) {
  for (ptrdiff_t first = 0; first < count; first += width, from += width * step, to += to_step) {
    const ptrdiff_t there = RK_MIN(count - first, width);
    if (step == 1) {
      for (ptrdiff_t p = 0; p < depth; p++) {
        for (ptrdiff_t i = 0; i < there; i++) {
          const float weight = from[p * depth_step + i];
          to[p * width + i] = is_whole ? weight : rk_weight(weight, part);
        }
        for (ptrdiff_t i = there; i < width; i++) to[p * width + i] = 0;
      }
      continue;
    }
    // A few floats of each row at a time, so that both operands stay in cache.
    for (ptrdiff_t start = 0; start < depth; start += LANES) {
      const ptrdiff_t end = RK_MIN(start + LANES, depth);
      if (depth_step == 1 && end == start + LANES && there == width) {
        turn(from + start, step, part, is_whole, (int)width, to + start * width);
        continue;
      }
      for (ptrdiff_t i = 0; i < there; i++)
        for (ptrdiff_t p = start; p < end; p++) {
          const float weight = from[i * step + p * depth_step];
          to[p * width + i] = is_whole ? weight : rk_weight(weight, part);
        }
      for (ptrdiff_t i = there; i < width; i++)
        for (ptrdiff_t p = start; p < end; p++) to[p * width + i] = 0;
    }
  }
}

static inline int is_whole(rk_part part) { return part.form == RK_SCALED && part.positive == 1 && part.negative == 1; }

RK_KERNEL(void, rk_pack_rows,
          (const float *a, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t rows, ptrdiff_t depth, rk_part part, float *to),
          (a, step, depth_step, rows, depth, part, to)) {
  if (is_whole(part)) pack(a, step, depth_step, rows, depth, RK_PRODUCT_ROWS, part, 1, to, RK_PRODUCT_ROWS * depth);
  else pack(a, step, depth_step, rows, depth, RK_PRODUCT_ROWS, part, 0, to, RK_PRODUCT_ROWS * depth);
}

RK_KERNEL(void, rk_pack_columns,
          (const float *b, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t columns, ptrdiff_t depth, rk_part part, float *to,
           ptrdiff_t to_step),
          (b, step, depth_step, columns, depth, part, to, to_step)) {
  const int whole = is_whole(part);
  if (step != 1) {
    if (whole) pack(b, step, depth_step, columns, depth, RK_PRODUCT_COLUMNS, part, 1, to, to_step);
    else pack(b, step, depth_step, columns, depth, RK_PRODUCT_COLUMNS, part, 0, to, to_step);
    return;
  }
  const ptrdiff_t whole_columns = columns / LANES * LANES;
  // Row by row, in the original order.
  for (ptrdiff_t p = 0; p < depth; p++, b += depth_step, to += LANES) {
    for (ptrdiff_t i = 0; i < whole_columns; i += LANES) {
      const rk_v16 weights = *(const rk_v16 *)(b + i);
      *(rk_v16 *)(to + i / LANES * to_step) = whole ? weights : rk_weights(weights, part);
    }
    if (whole_columns == columns) continue;
    float *rest = to + whole_columns / LANES * to_step;
    for (ptrdiff_t i = 0; i < LANES; i++) rest[i] = i < columns - whole_columns ? rk_weight(b[whole_columns + i], part) : 0;
  }
}

// --- Windows ---------------------------------------------------------------------------------------------------------
//
// The rows of a plane that some windows read are first laid out with their padding, and the columns that a stride skips
// are stored separately. A tap then reads a contiguous run of floats in each row, which is copied vector by vector
// without border checks.

typedef struct {
  ptrdiff_t rows, phases, lead;  // of a plane that is laid out
  ptrdiff_t row_step;            // rows of the plane from one to the next
  ptrdiff_t top;                 // the first row of windows
} layout;

static inline layout layout_of(const rk_window *w, ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t top = first / w->out_width, windows = (last - 1) / w->out_width - top;
  const ptrdiff_t reach_y = (w->kernel_y - 1) * w->dilation_y, reach_x = (w->kernel_x - 1) * w->dilation_x;
  // With a single tap, the rows between windows are not read.
  const ptrdiff_t row_step = reach_y == 0 ? w->stride_y : 1;
  const layout l = {windows * (w->stride_y / row_step) + reach_y + 1, RK_MIN(w->stride_x, reach_x + 1),
                    w->out_width + reach_x / w->stride_x, row_step, top};
  return l;
}

ptrdiff_t rk_pack_windows_scratch(const rk_window *w, ptrdiff_t count) {
  // A run of windows may start and end within a row.
  const ptrdiff_t rows = (count + w->out_width - 1) / w->out_width + 1;
  const layout l = layout_of(w, 0, rows * w->out_width);
  return l.rows * l.phases * l.lead + count + 4 * LANES;
}

RK_INLINE void lay_out(const float *plane, const rk_window *w, layout l, ptrdiff_t stride, float *to) {
  for (ptrdiff_t row = 0; row < l.rows; row++) {
    const ptrdiff_t y = l.top * w->stride_y - w->pad_y + row * l.row_step;
    const float *source = plane + y * w->width - w->pad_x;
    for (ptrdiff_t phase = 0; phase < l.phases; phase++, to += l.lead) {
      if (y < 0 || y >= w->height) {
        for (ptrdiff_t i = 0; i < l.lead; i++) to[i] = 0;
        continue;
      }
      // 0 ≤ i·stride + phase − pad < width
      ptrdiff_t from = w->pad_x > phase ? (w->pad_x - phase + stride - 1) / stride : 0;
      ptrdiff_t end = (w->width + w->pad_x - phase + stride - 1) / stride;
      from = RK_MIN(from, l.lead);
      end = RK_MAX(RK_MIN(end, l.lead), from);
      for (ptrdiff_t i = 0; i < from; i++) to[i] = 0;
      for (ptrdiff_t i = from; i < end; i++) to[i] = source[i * stride + phase];
      for (ptrdiff_t i = end; i < l.lead; i++) to[i] = 0;
    }
  }
}

// Writes the windows first ≤ p < last under one tap side by side to `out`; up to 15 floats after them are overwritten.
RK_INLINE void take_windows(const float *laid, const rk_window *w, layout l, ptrdiff_t ky, ptrdiff_t kx, ptrdiff_t first,
                            ptrdiff_t last, float *out) {
  const ptrdiff_t column = kx * w->dilation_x;
  const float *source = laid + ky * w->dilation_y * l.phases * l.lead + column % w->stride_x * l.lead + column / w->stride_x;
  const ptrdiff_t step = w->stride_y / l.row_step * l.phases * l.lead;
  for (ptrdiff_t start = l.top * w->out_width; start < last; start += w->out_width, source += step) {
    const ptrdiff_t from = RK_MAX(first - start, 0), to = RK_MIN(last - start, w->out_width);
    float *o = out + start - first;
    for (ptrdiff_t i = from; i < to; i += LANES) *(rk_v16 *)(o + i) = *(const rk_v16 *)(source + i);
  }
}

RK_KERNEL(void, rk_pack_windows,
          (const float *x, const rk_window *w, ptrdiff_t first, ptrdiff_t last, ptrdiff_t depth_first, ptrdiff_t depth_last,
           float *scratch, float *to, ptrdiff_t to_step),
          (x, w, first, last, depth_first, depth_last, scratch, to, to_step)) {
  const ptrdiff_t columns = last - first, taps = w->kernel_y * w->kernel_x;
  const layout l = layout_of(w, first, last);
  // Windows are read a vector at a time, which may extend beyond the layout into the row that they are copied to.
  float *row = scratch + l.rows * l.phases * l.lead + LANES;
  for (ptrdiff_t i = -LANES; i < columns + 2 * LANES; i++) row[i] = 0;
  for (ptrdiff_t p = depth_first; p < depth_last; p++, to += LANES) {
    const ptrdiff_t tap = p % taps, channel = p / taps;
    if (p == depth_first || tap == 0) {
      const float *plane = x + channel * w->height * w->width;
      if (w->stride_x == 1) lay_out(plane, w, l, 1, scratch);
      else if (w->stride_x == 2) lay_out(plane, w, l, 2, scratch);
      else lay_out(plane, w, l, w->stride_x, scratch);
    }
    take_windows(scratch, w, l, tap / w->kernel_x, tap % w->kernel_x, first, last, row);
    *(rk_v16 *)(row + columns) = (rk_v16){0};
    for (ptrdiff_t i = 0; i < columns; i += LANES) *(rk_v16 *)(to + i / LANES * to_step) = *(const rk_v16 *)(row + i);
  }
}
