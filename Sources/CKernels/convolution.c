#include "CKernels.h"
#include "vectors.h"

// The first output column, and one past the last, whose tap at horizontal offset `shift` is inside the plane.
static inline void valid_columns(const rk_window *w, ptrdiff_t shift, ptrdiff_t *from, ptrdiff_t *to) {
  // 0 ≤ column·stride + shift < width
  ptrdiff_t s = w->stride_x;
  *from = shift >= 0 ? 0 : (-shift + s - 1) / s;
  *to = shift >= w->width ? 0 : (w->width - 1 - shift) / s + 1;
  if (*to > w->out_width) *to = w->out_width;
  if (*from > *to) *from = *to;
}

RK_KERNEL(void, rk_im2col,
          (const float *x, ptrdiff_t channels, const rk_window *w, ptrdiff_t first, ptrdiff_t last, float *cols,
           ptrdiff_t stride),
          (x, channels, w, first, last, cols, stride)) {
  const ptrdiff_t row_first = first / w->out_width, row_last = (last + w->out_width - 1) / w->out_width;
  for (ptrdiff_t c = 0; c < channels; c++) {
    const float *plane = x + c * w->height * w->width;
    for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++) {
      for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
        const ptrdiff_t shift = kx * w->dilation_x - w->pad_x;
        ptrdiff_t valid_from, valid_to;
        valid_columns(w, shift, &valid_from, &valid_to);
        float *out = cols;
        for (ptrdiff_t row = row_first; row < row_last; row++) {
          const ptrdiff_t start = row * w->out_width;
          const ptrdiff_t from = RK_MAX(first - start, 0), to = RK_MIN(last - start, w->out_width);
          const ptrdiff_t y = row * w->stride_y - w->pad_y + ky * w->dilation_y;
          if (y < 0 || y >= w->height) {
            memset(out, 0, (size_t)(to - from) * sizeof(float));
            out += to - from;
            continue;
          }
          const float *source = plane + y * w->width + shift;
          const ptrdiff_t a = RK_MIN(RK_MAX(valid_from, from), to), b = RK_MAX(RK_MIN(valid_to, to), a);
          for (ptrdiff_t i = from; i < a; i++) *out++ = 0;
          if (w->stride_x == 1) {
            memcpy(out, source + a, (size_t)(b - a) * sizeof(float));
            out += b - a;
          } else {
            for (ptrdiff_t i = a; i < b; i++) *out++ = source[i * w->stride_x];
          }
          for (ptrdiff_t i = b; i < to; i++) *out++ = 0;
        }
        cols += stride;
      }
    }
  }
}

RK_KERNEL(void, rk_col2im_rows,
          (const float *cols, ptrdiff_t stride, ptrdiff_t channels, const rk_window *w, ptrdiff_t first, ptrdiff_t last,
           ptrdiff_t row_first, ptrdiff_t row_last, float *x, ptrdiff_t x_plane),
          (cols, stride, channels, w, first, last, row_first, row_last, x, x_plane)) {
  const ptrdiff_t out_first = first / w->out_width, out_last = (last + w->out_width - 1) / w->out_width;
  for (ptrdiff_t c = 0; c < channels; c++) {
    float *plane = x + c * x_plane;
    for (ptrdiff_t ky = 0; ky < w->kernel_y; ky++) {
      for (ptrdiff_t kx = 0; kx < w->kernel_x; kx++) {
        const ptrdiff_t shift = kx * w->dilation_x - w->pad_x;
        ptrdiff_t valid_from, valid_to;
        valid_columns(w, shift, &valid_from, &valid_to);
        for (ptrdiff_t row = out_first; row < out_last; row++) {
          const ptrdiff_t y = row * w->stride_y - w->pad_y + ky * w->dilation_y;
          if (y < row_first || y >= row_last) continue;
          const ptrdiff_t start = row * w->out_width;
          const float *in = cols + start - first;
          const ptrdiff_t from = RK_MAX(RK_MAX(first - start, 0), valid_from);
          const ptrdiff_t to = RK_MIN(RK_MIN(last - start, w->out_width), valid_to);
          float *target = plane + (y - row_first) * w->width + shift;
          for (ptrdiff_t i = from; i < to; i++) target[i * w->stride_x] += in[i];
        }
        cols += stride;
      }
    }
  }
}

RK_KERNEL(void, rk_bias_relu,
          (float *y, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count, const float *bias, int relu),
          (y, stride, rows, count, bias, relu)) {
  for (ptrdiff_t r = 0; r < rows; r++, y += stride) {
    const float b = bias ? bias[r] : 0;
    if (relu) {
      for (ptrdiff_t i = 0; i < count; i++) {
        const float v = y[i] + b;
        y[i] = v > 0 ? v : 0;
      }
    } else if (bias) {
      for (ptrdiff_t i = 0; i < count; i++) y[i] += b;
    }
  }
}

RK_KERNEL(void, rk_multiply_rows,
          (float *restrict y, const float *restrict x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count),
          (y, x, stride, rows, count)) {
  for (ptrdiff_t r = 0; r < rows; r++, y += stride, x += stride)
    for (ptrdiff_t i = 0; i < count; i++) y[i] *= x[i];
}
