// Products of matrices that are packed in the order in which the innermost loop reads them: nothing is copied during
// the product, and sums over the depth stay in registers. K. Goto, R. van de Geijn, “Anatomy of high-performance matrix
// multiplication”, ACM TOMS 34 (2008). Here packing is done once: for weights when a network is prepared, for data by
// the caller.
#include "CKernels.h"
#include "ahead.h"
#include "vectors.h"

#define RK_UNROLL _Pragma("clang loop unroll(full)")

typedef void (*rows_function)(ptrdiff_t depth, const float *a, const float *b, ptrdiff_t b_step, float *c, ptrdiff_t lead,
                              int accumulates, const rk_product_end *end, const float *bias, const float *column_bias,
                              const float *factor, ptrdiff_t factor_lead, lines *ahead);

typedef void (*columns_function)(ptrdiff_t depth, const float *a, ptrdiff_t a_step, const float *b, float *sums);

enum {
  FEW_COLUMNS = 4,
  MOST_BLOCKS = 4,
  // With a smaller depth, writing single sums costs more than it saves.
  DEEP_ENOUGH = 32,
};

// The functions that multiply 4·(i + 1) rows by one block of columns, and by two blocks, and the functions that
// multiply `blocks` blocks of rows, or one block, by i + 1 columns.
typedef struct {
  rows_function one[3], two[3];
  struct {
    int blocks;
    columns_function several, single;
  } few[FEW_COLUMNS];
  int padded;  // floats from one column's sums of a block to the next
} shapes;

// The names of functions from product_rows.h: rows_avx512_12x2 and so on.
#define RK_PASTE_(name, set, rows, vectors) name##_##set##_##rows##x##vectors
#define RK_PASTE(name, set, rows, vectors) RK_PASTE_(name, set, rows, vectors)
#define RK_NAME(name) RK_PASTE(name, RK_SET, RK_ROWS, RK_VECTORS)

#define RK_COLUMNS_PASTE_(name, set, blocks, count) name##_##set##_##blocks##_##count
#define RK_COLUMNS_PASTE(name, set, blocks, count) RK_COLUMNS_PASTE_(name, set, blocks, count)
#define RK_COLUMNS_NAME(name) RK_COLUMNS_PASTE(name, RK_SET, RK_BLOCKS, RK_COUNT)

// As many rows as leave registers for a row of b and an element of a.
#if defined(__x86_64__)
#define RK_SET avx512
#define RK_TARGET RK_TARGET_AVX512
#define RK_LANES 16
#define RK_VECTORS 2
#define RK_ROWS 12
#include "product_rows.h"
#define RK_ROWS 8
#include "product_rows.h"
#define RK_ROWS 4
#include "product_rows.h"
#undef RK_VECTORS
#define RK_VECTORS 1
#define RK_ROWS 12
#include "product_rows.h"
#define RK_ROWS 8
#include "product_rows.h"
#define RK_ROWS 4
#include "product_rows.h"
#define RK_COUNT 1
#define RK_BLOCKS 4
#include "product_columns.h"
#define RK_COUNT 1
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 2
#define RK_BLOCKS 4
#include "product_columns.h"
#define RK_COUNT 2
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 3
#define RK_BLOCKS 4
#include "product_columns.h"
#define RK_COUNT 3
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 4
#define RK_BLOCKS 4
#include "product_columns.h"
#define RK_COUNT 4
#define RK_BLOCKS 1
#include "product_columns.h"
#undef RK_VECTORS
#undef RK_LANES
#undef RK_TARGET
#undef RK_SET

#define RK_SET avx2
#define RK_TARGET RK_TARGET_AVX2
#define RK_LANES 8
#define RK_VECTORS 2
#define RK_ROWS 6
#include "product_rows.h"
#define RK_ROWS 4
#include "product_rows.h"
#define RK_COUNT 1
#define RK_BLOCKS 4
#include "product_columns.h"
#define RK_COUNT 1
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 2
#define RK_BLOCKS 3
#include "product_columns.h"
#define RK_COUNT 2
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 3
#define RK_BLOCKS 2
#include "product_columns.h"
#define RK_COUNT 3
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 4
#define RK_BLOCKS 1
#include "product_columns.h"
#undef RK_VECTORS
#undef RK_LANES
#undef RK_TARGET
#undef RK_SET
#endif

#define RK_SET generic
#define RK_TARGET
#define RK_LANES 4
#define RK_VECTORS 4
#define RK_ROWS 2
#include "product_rows.h"
#define RK_COUNT 1
#define RK_BLOCKS 2
#include "product_columns.h"
#define RK_COUNT 1
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 2
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 3
#define RK_BLOCKS 1
#include "product_columns.h"
#define RK_COUNT 4
#define RK_BLOCKS 1
#include "product_columns.h"
#if defined(__aarch64__)
// There are 32 registers.
#define RK_ROWS 6
#include "product_rows.h"
#define RK_GENERIC_ROWS 6
#define rows_generic_most rows_generic_6x4
#else
#define RK_GENERIC_ROWS 2
#define rows_generic_most rows_generic_2x4
#endif

// One block of columns by at least four rows at a time, in pieces that fit the registers.
#define RK_IN_PIECES(name, count, largest, function, rest_size, rest_function)                                                  \
  static void name(ptrdiff_t depth, const float *a, const float *b, ptrdiff_t b_step, float *c, ptrdiff_t lead, int accumulates, \
                   const rk_product_end *end, const float *bias, const float *column_bias, const float *factor,                  \
                   ptrdiff_t factor_lead, lines *ahead) {                                                                        \
    int i = 0;                                                                                                                   \
    for (; i + (largest) <= (count); i += (largest))                                                                             \
      function(depth, a + i, b, b_step, c + i * lead, lead, accumulates, end, bias ? bias + i : bias, column_bias,               \
               factor ? factor + i * factor_lead : factor, factor_lead, ahead);                                                  \
    for (; i < (count); i += (rest_size))                                                                                        \
      rest_function(depth, a + i, b, b_step, c + i * lead, lead, accumulates, end, bias ? bias + i : bias, column_bias,          \
                    factor ? factor + i * factor_lead : factor, factor_lead, ahead);                                             \
  }
#if defined(__x86_64__)
RK_IN_PIECES(avx2_12, 12, 6, rows_avx2_6x2, 6, rows_avx2_6x2)
RK_IN_PIECES(avx2_8, 8, 4, rows_avx2_4x2, 4, rows_avx2_4x2)
static const shapes avx2 = {{rows_avx2_4x2, avx2_8, avx2_12},
                            {0},
                            {{4, columns_avx2_4_1, columns_avx2_1_1}, {3, columns_avx2_3_2, columns_avx2_1_2}, {2, columns_avx2_2_3, columns_avx2_1_3}, {1, columns_avx2_1_4, columns_avx2_1_4}},
                            16};
#endif
RK_IN_PIECES(generic_12, 12, RK_GENERIC_ROWS, rows_generic_most, 2, rows_generic_2x4)
RK_IN_PIECES(generic_8, 8, RK_GENERIC_ROWS, rows_generic_most, 2, rows_generic_2x4)
RK_IN_PIECES(generic_4, 4, RK_GENERIC_ROWS, rows_generic_most, 2, rows_generic_2x4)
#if defined(__x86_64__)
static const shapes avx512 = {{rows_avx512_4x1, rows_avx512_8x1, rows_avx512_12x1},
                              {rows_avx512_4x2, rows_avx512_8x2, rows_avx512_12x2},
                              {{4, columns_avx512_4_1, columns_avx512_1_1}, {4, columns_avx512_4_2, columns_avx512_1_2}, {4, columns_avx512_4_3, columns_avx512_1_3}, {4, columns_avx512_4_4, columns_avx512_1_4}},
                              16};
#endif
static const shapes generic = {{generic_4, generic_8, generic_12},
                               {0},
                               {{2, columns_generic_2_1, columns_generic_1_1}, {1, columns_generic_1_2, columns_generic_1_2}, {1, columns_generic_1_3, columns_generic_1_3}, {1, columns_generic_1_4, columns_generic_1_4}},
                               12};

static const shapes *shapes_of(rk_isa set) {
#if defined(__x86_64__)
  if (set == RK_AVX512) return &avx512;
  if (set == RK_AVX2) return &avx2;
#else
  (void)set;
#endif
  return &generic;
}

// Multiplies incomplete blocks of rows and columns in memory beside c.
static void partial(rows_function multiply, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, const float *b,
                    ptrdiff_t b_step, float *c, ptrdiff_t lead, int accumulates, const rk_product_end *end, const float *bias,
                    const float *column_bias, const float *factor, ptrdiff_t factor_lead, lines *ahead) {
  enum { WIDTH = 2 * RK_PRODUCT_COLUMNS };
  // Only existing elements are copied; the other results are not used.
  float sums[RK_PRODUCT_ROWS * WIDTH], factors[RK_PRODUCT_ROWS * WIDTH], biases[RK_PRODUCT_ROWS], column_biases[WIDTH];
  if (column_bias) memcpy(column_biases, column_bias, (size_t)columns * sizeof(float));
  for (ptrdiff_t i = 0; i < rows; i++) {
    if (accumulates) memcpy(sums + i * WIDTH, c + i * lead, (size_t)columns * sizeof(float));
    if (factor) memcpy(factors + i * WIDTH, factor + i * factor_lead, (size_t)columns * sizeof(float));
    if (bias) biases[i] = bias[i];
  }
  multiply(depth, a, b, b_step, sums, WIDTH, accumulates, end, bias ? biases : 0, column_bias ? column_biases : 0,
           factor ? factors : 0, WIDTH, ahead);
  for (ptrdiff_t i = 0; i < rows; i++) memcpy(c + i * lead, sums + i * WIDTH, (size_t)columns * sizeof(float));
}

// Multiplies the last columns if only a few follow the whole blocks: a vector of them would be nearly empty.
static void multiply_few(const shapes *all, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_step,
                         const float *b, float *c, ptrdiff_t lead, int accumulates, const rk_product_end *end,
                         const float *column_bias, const float *factor) {
  float sums[MOST_BLOCKS * FEW_COLUMNS * 16];
  for (ptrdiff_t row = 0; row < rows;) {
    const ptrdiff_t left = (rows - row + RK_PRODUCT_ROWS - 1) / RK_PRODUCT_ROWS;
    const ptrdiff_t blocks = left >= all->few[columns - 1].blocks ? all->few[columns - 1].blocks : 1;
    (blocks > 1 ? all->few[columns - 1].several : all->few[columns - 1].single)(depth, a, a_step, b, sums);
    for (ptrdiff_t k = 0; k < blocks; k++, row += RK_PRODUCT_ROWS, a += a_step) {
      for (ptrdiff_t i = 0; i < RK_MIN(rows - row, RK_PRODUCT_ROWS); i++) {
        for (ptrdiff_t j = 0; j < columns; j++) {
          float *at = c + (row + i) * lead + j, sum = sums[(k * columns + j) * all->padded + i];
          if (accumulates) sum = *at + sum;
          if (end && end->bias) sum += end->bias[row + i];
          if (column_bias) sum += column_bias[j];
          if (end && end->rectifies) sum = __builtin_elementwise_max(sum, 0.0f);
          if (factor) sum *= factor[(row + i) * end->factor_lead + j];
          *at = sum;
        }
      }
    }
  }
}

void rk_product(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a, ptrdiff_t a_step, const float *b,
                ptrdiff_t b_step, float *c, ptrdiff_t lead, int accumulates, const rk_product_end *end, const rk_ahead *ahead) {
  const shapes *all = shapes_of(rk_instruction_set());
  const ptrdiff_t few = columns % RK_PRODUCT_COLUMNS;
  if (few > 0 && few <= FEW_COLUMNS && depth >= DEEP_ENOUGH) {
    columns -= few;
    multiply_few(all, rows, few, depth, a, a_step, b + columns / RK_PRODUCT_COLUMNS * b_step, c + columns, lead, accumulates, end,
                 end && end->column_bias ? end->column_bias + columns : 0, end && end->factor ? end->factor + columns : 0);
  }
  lines rest = {0};
  if (ahead && depth > 0) {
    const ptrdiff_t runs = (depth + RUN - 1) / RUN * ((rows + RK_PRODUCT_ROWS - 1) / RK_PRODUCT_ROWS);
    rest = (lines){*ahead, 0, (ahead->rows * ((ahead->count + LINE - 1) / LINE) + runs - 1) / runs};
  }
  for (ptrdiff_t row = 0; row < rows; row += RK_PRODUCT_ROWS, a += a_step) {
    const ptrdiff_t count = RK_MIN(rows - row, RK_PRODUCT_ROWS), shape = (count - 1) / 4;
    const float *bias = end && end->bias ? end->bias + row : 0;
    for (ptrdiff_t column = 0; column < columns;) {
      const ptrdiff_t left = columns - column;
      const int takes_two = all->two[0] && left > RK_PRODUCT_COLUMNS;
      const ptrdiff_t width = takes_two ? 2 * RK_PRODUCT_COLUMNS : RK_PRODUCT_COLUMNS;
      const rows_function multiply = takes_two ? all->two[shape] : all->one[shape];
      const float *block = b + column / RK_PRODUCT_COLUMNS * b_step;
      const float *factor = end && end->factor ? end->factor + row * end->factor_lead + column : 0;
      const float *column_bias = end && end->column_bias ? end->column_bias + column : 0;
      const ptrdiff_t factor_lead = end ? end->factor_lead : 0;
      float *at = c + row * lead + column;
      if (count == 4 * (shape + 1) && left >= width)
        multiply(depth, a, block, b_step, at, lead, accumulates, end, bias, column_bias, factor, factor_lead, &rest);
      else
        partial(multiply, count, RK_MIN(left, width), depth, a, block, b_step, at, lead, accumulates, end, bias, column_bias, factor,
                factor_lead, &rest);
      column += width;
    }
  }
}
