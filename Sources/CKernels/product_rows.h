// The innermost product for one shape of registers. product.c includes this file once for each shape, and defines the
// instruction set (RK_SET, RK_TARGET), the floats in a vector (RK_LANES), the rows (RK_ROWS) and the vectors in a row
// (RK_VECTORS).

typedef float RK_NAME(vector) __attribute__((vector_size(RK_LANES * sizeof(float)), aligned(4)));

// c[RK_ROWS][RK_VECTORS·RK_LANES] ← a·b (+ c), then the operations of `end` if it is given. The columns of b are in
// blocks of RK_PRODUCT_COLUMNS.
RK_TARGET static void RK_NAME(rows)(ptrdiff_t depth, const float *restrict a, const float *restrict b, ptrdiff_t b_step,
                                    float *restrict c, ptrdiff_t lead, int accumulates, const rk_product_end *end,
                                    const float *bias, const float *column_bias, const float *factor,
                                    ptrdiff_t factor_lead, lines *ahead) {
  enum { PER_BLOCK = RK_PRODUCT_COLUMNS / RK_LANES };
  RK_NAME(vector) sums[RK_ROWS][RK_VECTORS];
  RK_UNROLL for (int i = 0; i < RK_ROWS; i++)
    RK_UNROLL for (int j = 0; j < RK_VECTORS; j++) sums[i][j] = (RK_NAME(vector)){0};
  const ptrdiff_t run = ahead->per_run > 0 ? RUN : RK_MAX(depth, 1);
  for (ptrdiff_t start = 0; start < depth; start += run) {
    bring(ahead);
    for (ptrdiff_t p = RK_MIN(depth - start, run); p > 0; p--, a += RK_PRODUCT_ROWS, b += RK_PRODUCT_COLUMNS) {
      RK_NAME(vector) row[RK_VECTORS];
      RK_UNROLL for (int j = 0; j < RK_VECTORS; j++)
        row[j] = *(const RK_NAME(vector) *)(b + j / PER_BLOCK * b_step + j % PER_BLOCK * RK_LANES);
      RK_UNROLL for (int i = 0; i < RK_ROWS; i++) {
        const float weight = a[i];
        RK_UNROLL for (int j = 0; j < RK_VECTORS; j++) sums[i][j] += weight * row[j];
      }
    }
  }
  RK_UNROLL for (int i = 0; i < RK_ROWS; i++) {
    RK_UNROLL for (int j = 0; j < RK_VECTORS; j++) {
      RK_NAME(vector) *at = (RK_NAME(vector) *)(c + i * lead + j * RK_LANES);
      RK_NAME(vector) sum = sums[i][j];
      if (accumulates) sum = *at + sum;
      if (end) {
        if (bias) sum += bias[i];
        if (column_bias) sum += *(const RK_NAME(vector) *)(column_bias + j * RK_LANES);
        if (end->rectifies) sum = __builtin_elementwise_max(sum, (RK_NAME(vector)){0});
        if (factor) sum *= *(const RK_NAME(vector) *)(factor + i * factor_lead + j * RK_LANES);
      }
      *at = sum;
    }
  }
}

#undef RK_ROWS
