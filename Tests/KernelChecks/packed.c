#include "check.h"

// Where element p along the depth of row or column i lies among blocks of `width`.
static ptrdiff_t place(ptrdiff_t i, ptrdiff_t p, ptrdiff_t depth, ptrdiff_t width) {
  return i / width * width * depth + p * width + i % width;
}

static ptrdiff_t packed_count(ptrdiff_t count, ptrdiff_t depth, ptrdiff_t width) {
  return (count + width - 1) / width * width * depth;
}

CHECK(packed_operands) {
  for (int k = 0; k < part_count; k++)
    for (ptrdiff_t count = 1; count <= 50; count++)
      for (int kind = 0; kind < 3; kind++) {
        const ptrdiff_t depth = count % 20 + 1;
        const ptrdiff_t step = kind == 0 ? depth + count % 2 : kind == 1 ? 1 : 2 * depth;
        const ptrdiff_t depth_step = kind == 0 ? 1 : kind == 1 ? count + count % 3 : 2;
        const float *from = fractions((count - 1) * step + (depth - 1) * depth_step + 1);
        for (int columns = 0; columns < 2; columns++) {
          const ptrdiff_t width = columns ? RK_PRODUCT_COLUMNS : RK_PRODUCT_ROWS, size = packed_count(count, depth, width);
          float *to = room(size);
          double *expected = zeros(size);
          for (ptrdiff_t i = 0; i < count; i++)
            for (ptrdiff_t p = 0; p < depth; p++)
              expected[place(i, p, depth, width)] = part_of((double)from[i * step + p * depth_step], parts[k]);
          (columns ? rk_pack_columns : rk_pack_rows)(from, step, depth_step, count, depth, parts[k], to);
          expect(to, expected, size, ROUNDING, "part %d, %td of depth %td, columns %d", k, count, depth, columns);
        }
      }
}

CHECK(packed_windows) {
  for (int k = 0; k < window_count; k++)
    for (int split = 0; split < 2; split++)
      for (int some = 0; some < 2; some++) {
        const rk_window *w = &windows[k];
        const ptrdiff_t channels = 2, plane = w->height * w->width, positions = w->out_height * w->out_width;
        const ptrdiff_t taps = w->kernel_y * w->kernel_x, all = channels * taps;
        const ptrdiff_t each = (w->width + w->stride_x - 1) / w->stride_x, row_floats = each * w->stride_x;
        const ptrdiff_t first = some ? positions / 3 : 0, last = some ? positions - positions / 4 : positions;
        const ptrdiff_t depth_first = some ? all / 3 : 0, depth = (some ? (all + 1) / 2 : all) - depth_first;
        if (depth == 0 || last == first) continue;
        const float *x = fractions(channels * plane);
        float *apart = room(channels * w->height * row_floats);
        double *split_columns = zeros(channels * w->height * row_floats);
        for (ptrdiff_t row = 0; row < channels * w->height; row++)
          for (ptrdiff_t i = 0; i < w->width; i++)
            split_columns[row * row_floats + i % w->stride_x * each + i / w->stride_x] = (double)x[row * w->width + i];
        rk_split_columns(x, channels * w->height, w->width, w->stride_x, apart);
        expect(apart, split_columns, channels * w->height * row_floats, EXACT, "split columns, window %d", k);

        const ptrdiff_t size = packed_count(last - first, depth, RK_PRODUCT_COLUMNS);
        float *to = room(size), *row = room(last - first + RK_PRODUCT_COLUMNS);
        double *expected = zeros(size);
        for (ptrdiff_t p = first; p < last; p++)
          for (ptrdiff_t d = 0; d < depth; d++) {
            const ptrdiff_t c = (depth_first + d) / taps, tap = (depth_first + d) % taps;
            const ptrdiff_t at = under_tap(w, p, tap / w->kernel_x, tap % w->kernel_x);
            if (at >= 0) expected[place(p - first, d, depth, RK_PRODUCT_COLUMNS)] = (double)x[c * plane + at];
          }
        rk_pack_windows(split ? apart : x, w, split, first, last, depth_first, depth_first + depth, row, to);
        expect(to, expected, size, EXACT, "window %d, split %d, %td to %td", k, split, first, last);
      }
}

// What is done at the end, and how rows and columns are cut.
CHECK(packed_products) {
  static const ptrdiff_t column_counts[] = {1, 2, 15, 16, 17, 31, 33, 48, 63, 64, 65};
  for (int kind = 0; kind < 16; kind++)
    for (ptrdiff_t rows = 1; rows <= 26; rows++)
      for (int n = 0; n < (int)(sizeof column_counts / sizeof *column_counts); n++) {
        const ptrdiff_t columns = column_counts[n], depth = rows * columns % 19, lead = columns + rows % 3;
        const ptrdiff_t a_count = packed_count(rows, depth, RK_PRODUCT_ROWS), b_count = packed_count(columns, depth, RK_PRODUCT_COLUMNS);
        const float *a = wholes(a_count, -8, 8), *b = wholes(b_count, -8, 8), *bias = wholes(rows, -8, 8);
        const float *factor = wholes(rows * lead, -8, 8);
        float *c = kind & 1 ? wholes(rows * lead, -8, 8) : room(rows * lead);
        double *expected = zeros(rows * lead);
        for (ptrdiff_t i = 0; i < rows * lead; i++) {
          const ptrdiff_t row = i / lead, column = i % lead;
          expected[i] = (double)c[i];
          if (column >= columns) continue;
          double sum = kind & 1 ? (double)c[i] : 0;
          for (ptrdiff_t p = 0; p < depth; p++)
            sum += (double)a[place(row, p, depth, RK_PRODUCT_ROWS)] * (double)b[place(column, p, depth, RK_PRODUCT_COLUMNS)];
          if (kind & 2) sum += (double)bias[row];
          if (kind & 4) sum = fmax(sum, 0);
          expected[i] = kind & 8 ? sum * (double)factor[i] : sum;
        }
        const rk_product_end end = {kind & 2 ? bias : NULL, kind & 4, kind & 8 ? factor : NULL, lead};
        rk_product(rows, columns, depth, a, depth * RK_PRODUCT_ROWS, b, depth * RK_PRODUCT_COLUMNS, c, lead, kind & 1,
                   kind > 1 ? &end : NULL);
        expect(c, expected, rows * lead, EXACT, "kind %d, %td × %td × %td", kind, rows, columns, depth);
        forget();
      }
}
