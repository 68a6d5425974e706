// Sums over the taps of few channels, with as many vectors at a time as fit the registers.
#include "direct.h"

// Writes the first `count` of `lanes` numbers of a channel at `at`.
RK_INLINE void put(const sums *s, rk_v16 v, int first, int lanes, int channel, ptrdiff_t at, ptrdiff_t count) {
  float *y = s->y + channel * s->y_plane + at;
  const float *factor = s->factor ? s->factor + channel * s->y_plane + at : 0;
  // The numbers after the end of a row are written later, so full vectors may be written except at the end of the
  // plane.
  const int isWhole = count >= lanes || (!s->accumulates && at + lanes <= (s->rows - 1) * s->y_lead + s->columns);
  if (s->bias) v += s->bias[channel];
  if (s->relu) v = (rk_v16)((rk_i16)v & (rk_i16)(v > 0));
  if (isWhole && lanes == LANES) {
    if (factor) v *= *(const rk_v16 *)factor;
    if (s->accumulates) v += *(const rk_v16 *)y;
    *(rk_v16 *)y = v;
  } else if (isWhole) {
    rk_f8 half = first ? __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15)
                       : __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
    if (factor) half *= *(const rk_f8 *)factor;
    if (s->accumulates) half += *(const rk_f8 *)y;
    *(rk_f8 *)y = half;
  } else {
    for (ptrdiff_t i = 0; i < count; i++) {
      const float one = v[first + i] * (factor ? factor[i] : 1);
      y[i] = s->accumulates ? y[i] + one : one;
    }
  }
}

// Sums `vectors` vectors of `channels` channels, starting with number `from`. The numbers of vectors are constants
// where the call is inlined. A row has `parts` vectors or, with `pairs`, half vectors, two of which are combined.
RK_INLINE void sum_vectors(const sums *s, ptrdiff_t from, int channels, int vectors, int pairs, ptrdiff_t parts) {
  const int lanes = pairs ? HALF : LANES, count = pairs ? 2 * vectors : vectors;
  const float *x[2 * VECTORS];
  ptrdiff_t at[2 * VECTORS], width[2 * VECTORS];
  const ptrdiff_t all = s->rows * parts;
  ptrdiff_t row = from / parts, part = from % parts;
  for (int p = 0; p < count; p++) {
    x[p] = s->x + row * s->lead + part * lanes;
    at[p] = row * s->y_lead + part * lanes;
    width[p] = RK_MIN(lanes, s->columns - part * lanes);
    if (from + p + 1 < all && ++part == parts) {
      part = 0;
      row++;
    }
  }
  rk_v16 sum[CHANNELS][VECTORS];
  for (int c = 0; c < channels; c++)
    for (int p = 0; p < vectors; p++) sum[c][p] = (rk_v16){0};
  const float *w = s->weights;
  for (ptrdiff_t tap = 0; tap < s->taps; tap++, w += channels) {
    const ptrdiff_t offset = s->offsets[tap];
    for (int p = 0; p < vectors; p++) {
      rk_v16 v;
      if (pairs)
        v = __builtin_shufflevector(*(const rk_f8 *)(x[2 * p] + offset), *(const rk_f8 *)(x[2 * p + 1] + offset), 0, 1, 2, 3, 4, 5, 6,
                                    7, 8, 9, 10, 11, 12, 13, 14, 15);
      else v = *(const rk_v16 *)(x[p] + offset);
      for (int c = 0; c < channels; c++) sum[c][p] += v * w[c];
    }
  }
  for (int c = 0; c < channels; c++)
    for (int p = 0; p < vectors; p++) {
      if (pairs) {
        put(s, sum[c][p], 0, HALF, c, at[2 * p], width[2 * p]);
        if (from + 2 * p + 1 < all) put(s, sum[c][p], HALF, HALF, c, at[2 * p + 1], width[2 * p + 1]);
      } else {
        put(s, sum[c][p], 0, LANES, c, at[p], width[p]);
      }
    }
}

RK_INLINE void sum_channels(const sums *s, int channels, int vectors, int pairs) {
  const ptrdiff_t lanes = pairs ? HALF : LANES, parts = (s->columns + lanes - 1) / lanes, all = s->rows * parts;
  const int each = pairs ? 2 : 1;
  ptrdiff_t from = 0;
  for (; from + vectors * each <= all; from += vectors * each) sum_vectors(s, from, channels, vectors, pairs, parts);
  if (vectors > 4)
    for (; from + 4 * each <= all; from += 4 * each) sum_vectors(s, from, channels, 4, pairs, parts);
  if (vectors > 2)
    for (; from + 2 * each <= all; from += 2 * each) sum_vectors(s, from, channels, 2, pairs, parts);
  for (; from < all; from += each) sum_vectors(s, from, channels, 1, pairs, parts);
}

// Computes as many sums at a time as fit the registers. Their number does not change the results.
RK_KERNEL(void, rk_sum_taps, (const sums *s, int channels), (s, channels)) {
  const int is_wide = rk_instruction_set() == RK_AVX512;
  const ptrdiff_t halves = (s->columns + HALF - 1) / HALF;
  const int pairs = halves == 1 || halves == 3;
  if (channels == CHANNELS) {
    if (is_wide) pairs ? sum_channels(s, CHANNELS, 4, 1) : sum_channels(s, CHANNELS, 4, 0);
    else pairs ? sum_channels(s, CHANNELS, 1, 1) : sum_channels(s, CHANNELS, 1, 0);
  } else if (channels == 3) {
    if (is_wide) pairs ? sum_channels(s, 3, 4, 1) : sum_channels(s, 3, 4, 0);
    else pairs ? sum_channels(s, 3, 2, 1) : sum_channels(s, 3, 2, 0);
  } else if (is_wide) {
    pairs ? sum_channels(s, 1, 8, 1) : sum_channels(s, 1, 8, 0);
  } else {
    pairs ? sum_channels(s, 1, 4, 1) : sum_channels(s, 1, 4, 0);
  }
}
