// Products of packed matrices of whole numbers, whose sums are exact in any order.
#include "check.h"

enum { ROWS = RK_PRODUCT_ROWS, COLUMNS = RK_PRODUCT_COLUMNS };

// The position of element (i, p) of `count` rows in blocks of `width`.
static ptrdiff_t place(ptrdiff_t i, ptrdiff_t p, ptrdiff_t depth, ptrdiff_t width) { return (i / width * depth + p) * width + i % width; }
static ptrdiff_t blocks_of(ptrdiff_t count, ptrdiff_t width) { return (count + width - 1) / width; }

CHECK(packing) {
  for (int k = 0; k < part_count; k++)
    for (ptrdiff_t count = 1; count <= 50; count++)
      for (int kind = 0; kind < 3; kind++) {
        const ptrdiff_t depth = count % 20 + 1;
        const ptrdiff_t step = kind == 0 ? depth + count % 2 : kind == 1 ? 1 : 2 * depth, depth_step = kind == 0 ? 1 : kind == 1 ? count + 2 : 2;
        const float *from = wholes((count - 1) * step + (depth - 1) * depth_step + 1, -8, 8);
        for (int is_rows = 0; is_rows < 2; is_rows++) {
          const ptrdiff_t width = is_rows ? ROWS : COLUMNS, size = blocks_of(count, width) * width * depth;
          float *to = room(size);
          double *expected = zeros(size);
          for (ptrdiff_t i = 0; i < count; i++)
            for (ptrdiff_t p = 0; p < depth; p++)
              expected[place(i, p, depth, width)] = part_of((double)from[i * step + p * depth_step], parts[k]);
          if (is_rows) rk_pack_rows(from, step, depth_step, count, depth, parts[k], to);
          else rk_pack_columns(from, step, depth_step, count, depth, parts[k], to, depth * COLUMNS);
          expect(to, expected, size, EXACT, "part %d, %td, kind %d, rows %d", k, count, kind, is_rows);
        }
        forget();
      }
}

CHECK(packed_windows) {
  const ptrdiff_t channels = 2;
  for (int k = 0; k < window_count; k++)
    for (int is_part = 0; is_part < 2; is_part++) {
      const rk_window *w = &windows[k];
      const ptrdiff_t plane = w->height * w->width, taps = w->kernel_y * w->kernel_x, all = w->out_height * w->out_width;
      const float *x = fractions(channels * plane);
      const ptrdiff_t first = is_part ? all / 3 : 0, last = is_part && all - first > 37 ? first + 37 : all, count = last - first;
      const ptrdiff_t from = is_part ? taps / 2 : 0, depth = channels * taps - from, step = (depth + is_part) * COLUMNS;
      const ptrdiff_t size = blocks_of(count, COLUMNS) * step;
      float *to = room(size), *scratch = room(rk_pack_windows_scratch(w, count));
      double *expected = zeros(size);
      for (ptrdiff_t i = 0; i < size; i++) expected[i] = i % step < depth * COLUMNS ? 0 : NAN;
      for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t p = 0; p < depth; p++) {
          const ptrdiff_t tap = (from + p) % taps, at = under_tap(w, first + i, tap / w->kernel_x, tap % w->kernel_x);
          if (at >= 0) expected[i / COLUMNS * step + p * COLUMNS + i % COLUMNS] = (double)x[(from + p) / taps * plane + at];
        }
      rk_pack_windows(x, w, first, last, from, from + depth, scratch, to, step);
      expect(to, expected, size, EXACT, "window %d, part %d", k, is_part);
      forget();
    }
}

CHECK(packed_products) {
  for (int kind = 0; kind < 32; kind++)
    for (ptrdiff_t rows = 1; rows <= 26; rows++)
      for (ptrdiff_t columns = 1; columns <= 65; columns += columns % 16 == 15 ? 1 : columns % 16 < 2 ? 1 : 13) {
        const ptrdiff_t depth = rows * columns % 43, lead = columns + rows % 3;
        const ptrdiff_t a_size = blocks_of(rows, ROWS) * ROWS * depth, b_size = blocks_of(columns, COLUMNS) * COLUMNS * depth;
        const float *a = wholes(a_size + 4, -8, 8), *b = wholes(b_size, -8, 8);
        const float *bias = wholes(rows, -8, 8), *column_bias = wholes(columns, -8, 8);
        const float *factor = wholes(rows * lead, -8, 8), *start = wholes(rows * lead, -8, 8);
        float *c = room(rows * lead);
        double *expected = zeros(rows * lead);
        for (ptrdiff_t i = 0; i < rows * lead; i++) {
          c[i] = start[i];
          expected[i] = (double)start[i];
          const ptrdiff_t row = i / lead, column = i % lead;
          if (column >= columns) continue;
          if (!(kind & 1)) expected[i] = 0;
          for (ptrdiff_t p = 0; p < depth; p++)
            expected[i] += (double)a[place(row, p, depth, ROWS)] * (double)b[place(column, p, depth, COLUMNS)];
          if (kind & 2) expected[i] += (double)bias[row];
          if (kind & 16) expected[i] += (double)column_bias[column];
          if (kind & 4) expected[i] = fmax(expected[i], 0);
          if (kind & 8) expected[i] *= (double)factor[i];
        }
        const rk_product_end end = {kind & 2 ? bias : NULL, kind & 16 ? column_bias : NULL, kind & 4, kind & 8 ? factor : NULL, lead};
        const rk_ahead ahead = {a, depth, kind % 3 * rows, depth};
        rk_product(rows, columns, depth, a, depth * ROWS, b, depth * COLUMNS, c, lead, kind & 1, kind ? &end : NULL, &ahead);
        expect(c, expected, rows * lead, EXACT, "kind %d, %td × %td", kind, rows, columns);
        forget();
      }
}
