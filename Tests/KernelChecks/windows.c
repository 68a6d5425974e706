#include "check.h"

const rk_part parts[] = {
    {RK_SCALED, 1, 1}, {RK_SCALED, 1, 0}, {RK_SCALED, 0, 1}, {RK_SCALED, 1.25f, -0.5f}, {RK_SQUARED, 0, 0}, {RK_ONES, 0, 0},
};
const int part_count = sizeof parts / sizeof *parts;

double part_of(double w, rk_part part) {
  if (part.form == RK_SQUARED) return w * w;
  if (part.form == RK_ONES) return 1;
  return w > 0 ? w * (double)part.positive : w * (double)part.negative;
}

// height, width, windows, kernel, strides, dilations, padding before
const rk_window windows[] = {
    {3, 5, 3, 5, 1, 1, 1, 1, 1, 1, 0, 0},       {7, 33, 3, 16, 2, 2, 2, 2, 1, 1, 0, 0},   {4, 17, 4, 17, 3, 3, 1, 1, 1, 1, 1, 1},
    {13, 13, 13, 13, 3, 3, 1, 1, 1, 1, 1, 1},   {30, 61, 30, 61, 3, 3, 1, 1, 1, 1, 1, 1}, {2, 40, 2, 40, 1, 5, 1, 1, 1, 1, 0, 2},
    {15, 16, 8, 8, 3, 3, 2, 2, 1, 1, 1, 1},     {15, 70, 7, 34, 3, 3, 2, 2, 1, 1, 0, 0},  {6, 37, 2, 12, 3, 2, 1, 3, 2, 1, 0, 1},
    {9, 9, 5, 5, 3, 3, 1, 1, 2, 2, 0, 0},       {5, 600, 5, 600, 3, 3, 1, 1, 1, 1, 1, 1}, {23, 25, 6, 7, 7, 7, 4, 4, 1, 1, 3, 3},
    {12, 12, 12, 12, 5, 5, 1, 1, 1, 1, 2, 2},   {6, 6, 3, 3, 2, 2, 2, 2, 1, 1, 0, 0},     {4, 9, 2, 6, 2, 3, 1, 1, 1, 1, -1, 0},
};
const int window_count = sizeof windows / sizeof *windows;

ptrdiff_t under_tap(const rk_window *w, ptrdiff_t p, ptrdiff_t ky, ptrdiff_t kx) {
  const ptrdiff_t y = p / w->out_width * w->stride_y - w->pad_y + ky * w->dilation_y;
  const ptrdiff_t x = p % w->out_width * w->stride_x - w->pad_x + kx * w->dilation_x;
  return y >= 0 && y < w->height && x >= 0 && x < w->width ? y * w->width + x : -1;
}
