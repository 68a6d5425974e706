// The innermost product of some blocks of rows with a few columns. product.c includes this file once for each shape,
// and defines the instruction set (RK_SET, RK_TARGET), the floats in a vector (RK_LANES), the columns (RK_COUNT) and
// the blocks (RK_BLOCKS). Vectors run along the rows, because a vector of columns would be nearly empty. Each sum has
// the same order as in product_rows.h.

// The lanes after the rows of a block in its last vector contain the next element of the depth, and are dropped at the
// end.
RK_TARGET static void RK_COLUMNS_NAME(columns)(ptrdiff_t depth, const float *restrict a, ptrdiff_t a_step, const float *restrict b,
                                               float *restrict sums) {
  enum { VECTORS = (RK_PRODUCT_ROWS + RK_LANES - 1) / RK_LANES, PADDED = VECTORS * RK_LANES };
  typedef float vector __attribute__((vector_size(RK_LANES * sizeof(float)), aligned(4)));
  vector all[RK_BLOCKS][VECTORS][RK_COUNT];
  RK_UNROLL for (int k = 0; k < RK_BLOCKS; k++)
    RK_UNROLL for (int v = 0; v < VECTORS; v++)
      RK_UNROLL for (int j = 0; j < RK_COUNT; j++) all[k][v][j] = (vector){0};
  for (ptrdiff_t p = 0; p < depth; p++, a += RK_PRODUCT_ROWS, b += RK_PRODUCT_COLUMNS) {
    RK_UNROLL for (int k = 0; k < RK_BLOCKS; k++)
      RK_UNROLL for (int v = 0; v < VECTORS; v++) {
        const vector rows = *(const vector *)(a + k * a_step + v * RK_LANES);
        RK_UNROLL for (int j = 0; j < RK_COUNT; j++) all[k][v][j] += rows * b[j];
      }
  }
  RK_UNROLL for (int k = 0; k < RK_BLOCKS; k++)
    RK_UNROLL for (int j = 0; j < RK_COUNT; j++)
      RK_UNROLL for (int v = 0; v < VECTORS; v++)
        *(vector *)(sums + (k * RK_COUNT + j) * PADDED + v * RK_LANES) = all[k][v][j];
}

#undef RK_COUNT
#undef RK_BLOCKS
