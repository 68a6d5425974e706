// Operands of `rk_product`, laid out as it reads them.
#include "CKernels.h"
#include "vectors.h"

// Lays out `count` rows or columns of an operand in blocks of `width`, zeros after the last; they are `step` floats apart, and one's floats
// along the depth are `depth_step` apart.
RK_INLINE void pack(const float *from, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t count, ptrdiff_t depth, ptrdiff_t width,
                    rk_part part, float *restrict to) {
  for (ptrdiff_t first = 0; first < count; first += width, from += width * step, to += width * depth) {
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
  pack(a, step, depth_step, rows, depth, RK_PRODUCT_ROWS, part, to);
}

RK_KERNEL(void, rk_pack_columns,
          (const float *b, ptrdiff_t step, ptrdiff_t depth_step, ptrdiff_t columns, ptrdiff_t depth, rk_part part, float *to),
          (b, step, depth_step, columns, depth, part, to)) {
  const rk_part whole = {RK_SCALED, 1, 1};
  const int is_whole = part.form == RK_SCALED && part.positive == 1 && part.negative == 1;
  if (!(step == 1 && is_whole)) {
    pack(b, step, depth_step, columns, depth, RK_PRODUCT_COLUMNS, is_whole ? whole : part, to);
    return;
  }
  const ptrdiff_t whole_columns = columns / LANES * LANES;
  // Row by row, as they lie.
  for (ptrdiff_t p = 0; p < depth; p++, b += depth_step, to += LANES) {
    for (ptrdiff_t i = 0; i < whole_columns; i += LANES) *(rk_v16 *)(to + i * depth) = *(const rk_v16 *)(b + i);
    if (whole_columns == columns) continue;
    float *rest = to + whole_columns * depth;
    for (ptrdiff_t i = 0; i < LANES; i++) rest[i] = i < columns - whole_columns ? b[whole_columns + i] : 0;
  }
}

RK_KERNEL(void, rk_split_columns, (const float *x, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, float *to),
          (x, rows, width, stride, to)) {
  const ptrdiff_t each = (width + stride - 1) / stride;
  for (ptrdiff_t row = 0; row < rows; row++, x += width) {
    for (ptrdiff_t phase = 0; phase < stride; phase++, to += each) {
      const ptrdiff_t count = phase < width ? (width - phase + stride - 1) / stride : 0;
      if (stride == 2) {
        for (ptrdiff_t i = 0; i < count; i++) to[i] = x[2 * i + phase];
      } else if (stride == 4) {
        for (ptrdiff_t i = 0; i < count; i++) to[i] = x[4 * i + phase];
      } else {
        for (ptrdiff_t i = 0; i < count; i++) to[i] = x[stride * i + phase];
      }
      for (ptrdiff_t i = count; i < each; i++) to[i] = 0;
    }
  }
}

// Windows first ≤ p < last of one plane under one tap, side by side. Whether columns are split is a constant where the call is inlined.
RK_INLINE void take_windows(const float *plane, const rk_window *w, int is_split, ptrdiff_t ky, ptrdiff_t kx, ptrdiff_t first,
                            ptrdiff_t last, float *out) {
  const ptrdiff_t shift = kx * w->dilation_x - w->pad_x, stride = w->stride_x;
  // 0 ≤ column·stride + shift < width
  ptrdiff_t valid_from = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  ptrdiff_t valid_to = RK_MIN(shift >= w->width ? 0 : (w->width - 1 - shift) / stride + 1, w->out_width);
  if (valid_from > valid_to) valid_from = valid_to;
  // Split, the columns that a tap sees follow one another.
  const ptrdiff_t each = (w->width + stride - 1) / stride, phase = (shift % stride + stride) % stride;
  const ptrdiff_t lead = is_split ? each * stride : w->width, start_of_row = is_split ? phase * each + (shift - phase) / stride : shift;
  for (ptrdiff_t row = first / w->out_width; row * w->out_width < last; row++) {
    const ptrdiff_t start = row * w->out_width;
    const ptrdiff_t from = RK_MAX(first - start, 0), to = RK_MIN(last - start, w->out_width);
    const ptrdiff_t y = row * w->stride_y - w->pad_y + ky * w->dilation_y;
    float *restrict o = out + start - first;
    if (y < 0 || y >= w->height) {
      for (ptrdiff_t i = from; i < to; i++) o[i] = 0;
      continue;
    }
    const float *restrict source = plane + y * lead + start_of_row;
    const ptrdiff_t a = RK_MIN(RK_MAX(valid_from, from), to), b = RK_MAX(RK_MIN(valid_to, to), a);
    for (ptrdiff_t i = from; i < a; i++) o[i] = 0;
    if (is_split || stride == 1) {
      for (ptrdiff_t i = a; i < b; i++) o[i] = source[i];
    } else {
      for (ptrdiff_t i = a; i < b; i++) o[i] = source[i * stride];
    }
    for (ptrdiff_t i = b; i < to; i++) o[i] = 0;
  }
}

RK_INLINE void pack_windows(const float *x, const rk_window *w, int is_split, ptrdiff_t first, ptrdiff_t last, ptrdiff_t depth_first,
                            ptrdiff_t depth_last, float *row, float *to) {
  const ptrdiff_t columns = last - first, depth = depth_last - depth_first;
  const ptrdiff_t plane = w->height * (is_split ? (w->width + w->stride_x - 1) / w->stride_x * w->stride_x : w->width);
  for (ptrdiff_t i = columns; i < columns + LANES; i++) row[i] = 0;
  for (ptrdiff_t p = depth_first; p < depth_last; p++, to += LANES) {
    const ptrdiff_t kx = p % w->kernel_x, ky = p / w->kernel_x % w->kernel_y, channel = p / w->kernel_x / w->kernel_y;
    take_windows(x + channel * plane, w, is_split, ky, kx, first, last, row);
    for (ptrdiff_t i = 0; i < columns; i += LANES) *(rk_v16 *)(to + i * depth) = *(const rk_v16 *)(row + i);
  }
}

RK_KERNEL(void, rk_pack_windows,
          (const float *x, const rk_window *w, int is_split, ptrdiff_t first, ptrdiff_t last, ptrdiff_t depth_first,
           ptrdiff_t depth_last, float *row, float *to),
          (x, w, is_split, first, last, depth_first, depth_last, row, to)) {
  if (is_split) pack_windows(x, w, 1, first, last, depth_first, depth_last, row, to);
  else pack_windows(x, w, 0, first, last, depth_first, depth_last, row, to);
}
