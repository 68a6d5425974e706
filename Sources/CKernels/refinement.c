#include "CKernels.h"
#include "vectors.h"

// Σ over channels and taps of x·part(w) for one window, in the order of im2col and a matrix product.
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

RK_KERNEL(ptrdiff_t, rk_refine_small_products,
          (const rk_term *terms, ptrdiff_t term_count, ptrdiff_t channels, const rk_window *w, const float *weights,
           const float *needed, float relative, float *z),
          (terms, term_count, channels, w, weights, needed, relative, z)) {
  const ptrdiff_t positions = w->out_height * w->out_width;
  rk_v16 most = {0};
  ptrdiff_t p = 0;
  for (; p + LANES <= positions; p += LANES)
    most = __builtin_elementwise_max(most, __builtin_elementwise_abs(*(const rk_v16 *)(z + p)));
  float largest = 0;
  for (int i = 0; i < LANES; i++) largest = RK_MAX(largest, most[i]);
  for (; p < positions; p++) largest = RK_MAX(largest, __builtin_fabsf(z[p]));
  const float threshold = largest * relative;
  ptrdiff_t refined = 0;
  for (ptrdiff_t first = 0; first < positions; first += LANES) {
    const ptrdiff_t last = RK_MIN(first + LANES, positions);
    // Sixteen at a time, because small products are rare.
    if (last - first == LANES) {
      const rk_v16 v = __builtin_elementwise_abs(*(const rk_v16 *)(z + first));
      if (!__builtin_reduce_or(needed ? (v <= threshold) & (*(const rk_v16 *)(needed + first) != 0) : v <= threshold)) continue;
    }
    for (p = first; p < last; p++) {
      if (__builtin_fabsf(z[p]) > threshold || (needed && needed[p] == 0)) continue;
      float sum = 0;
      for (ptrdiff_t k = 0; k < term_count; k++) sum += product_at(terms[k].x, channels, w, p, weights, terms[k].part);
      z[p] = sum;
      refined++;
    }
  }
  return refined;
}
