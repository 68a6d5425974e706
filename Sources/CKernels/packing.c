// Operands of `rk_product`, laid out as it reads them.
#include "CKernels.h"
#include "vectors.h"

// Lays out `count` rows or columns of an operand in blocks of `width`, zeros after the last; they are `step` floats apart, and one's floats
// along the depth are `depth_step` apart.
RK_INLINE void pack(const float *from, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t count, ptrdiff_t depth, ptrdiff_t width,
                    rk_part part, float *restrict to, ptrdiff_t to_step) {
  for (ptrdiff_t first = 0; first < count; first += width, from += width * step, to += to_step) {
    const ptrdiff_t there = RK_MIN(count - first, width);
    if (step == 1) {
      for (ptrdiff_t p = 0; p < depth; p++) {
        for (ptrdiff_t i = 0; i < there; i++) to[p * width + i] = rk_weight(from[p * depth_step + i], part);
        for (ptrdiff_t i = there; i < width; i++) to[p * width + i] = 0;
      }
      continue;
    }
    // Some floats of each at a time, so that what is read and what is written both stay in cache.
    enum { TOGETHER = 16 };
    for (ptrdiff_t start = 0; start < depth; start += TOGETHER) {
      const ptrdiff_t end = RK_MIN(start + TOGETHER, depth);
      for (ptrdiff_t i = 0; i < there; i++)
        for (ptrdiff_t p = start; p < end; p++) to[p * width + i] = rk_weight(from[i * step + p * depth_step], part);
      for (ptrdiff_t i = there; i < width; i++)
        for (ptrdiff_t p = start; p < end; p++) to[p * width + i] = 0;
    }
  }
}

RK_KERNEL(void, rk_pack_rows,
          (const float *a, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t rows, ptrdiff_t depth, rk_part part, float *to),
          (a, step, depth_step, rows, depth, part, to)) {
  pack(a, step, depth_step, rows, depth, RK_PRODUCT_ROWS, part, to, RK_PRODUCT_ROWS * depth);
}

RK_KERNEL(void, rk_pack_columns,
          (const float *b, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t columns, ptrdiff_t depth, rk_part part, float *to,
           ptrdiff_t to_step),
          (b, step, depth_step, columns, depth, part, to, to_step)) {
  const rk_part whole = {RK_SCALED, 1, 1};
  const int is_whole = part.form == RK_SCALED && part.positive == 1 && part.negative == 1;
  if (!(step == 1 && is_whole)) {
    pack(b, step, depth_step, columns, depth, RK_PRODUCT_COLUMNS, is_whole ? whole : part, to, to_step);
    return;
  }
  const ptrdiff_t whole_columns = columns / LANES * LANES;
  // Row by row, as they lie.
  for (ptrdiff_t p = 0; p < depth; p++, b += depth_step, to += LANES) {
    for (ptrdiff_t i = 0; i < whole_columns; i += LANES) *(rk_v16 *)(to + i / LANES * to_step) = *(const rk_v16 *)(b + i);
    if (whole_columns == columns) continue;
    float *rest = to + whole_columns / LANES * to_step;
    for (ptrdiff_t i = 0; i < LANES; i++) rest[i] = i < columns - whole_columns ? b[whole_columns + i] : 0;
  }
}

// --- Windows ---------------------------------------------------------------------------------------------------------
//
// The rows of a plane that some windows see are first laid out with their padding, the columns that a stride jumps over apart, so that
// what a tap sees of each row is a run of floats: copied vector by vector, without looking at borders.

typedef struct {
  ptrdiff_t rows, phases, lead;  // of a plane that is laid out
  ptrdiff_t row_step;            // rows of the plane from one to the next
  ptrdiff_t top;                 // the first row of windows
} layout;

static inline layout layout_of(const rk_window *w, ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t top = first / w->out_width, windows = (last - 1) / w->out_width - top;
  const ptrdiff_t reach_y = (w->kernel_y - 1) * w->dilation_y, reach_x = (w->kernel_x - 1) * w->dilation_x;
  // With one tap, nothing between windows is seen.
  const ptrdiff_t row_step = reach_y == 0 ? w->stride_y : 1;
  const layout l = {windows * (w->stride_y / row_step) + reach_y + 1, RK_MIN(w->stride_x, reach_x + 1),
                    w->out_width + reach_x / w->stride_x, row_step, top};
  return l;
}

ptrdiff_t rk_pack_windows_scratch(const rk_window *w, ptrdiff_t count) {
  // A run of windows may begin and end within a row.
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

// The windows first ≤ p < last under one tap, side by side in `out`; up to 15 floats behind are overwritten.
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
  // Windows are read a vector at a time, which may reach beyond what is laid out, into the row that they are copied to.
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
