// What the two directions of direct convolutions share.
#ifndef RK_DIRECT_H
#define RK_DIRECT_H

#include "vectors.h"

enum {
  // Taps of all channels of a group, whose places and weights are kept on the stack.
  MOST_TAPS = 1024,
  // Output channels that are summed together.
  CHANNELS = 4,
  // Vectors of one channel that are summed together.
  VECTORS = 8,
  HALF = 8,
  // Remainders of positions divided by strides.
  MOST_COMBS = 64,
};

// The taps of a group: how far from the first tap's place their numbers are laid out, and where their weights are.
typedef struct {
  int32_t offsets[MOST_TAPS], sources[MOST_TAPS];
} places;

// What is summed: at each tap, the laid out numbers `offsets[tap]` further on times the tap's weight for each channel, and where it goes.
typedef struct {
  const float *x;
  ptrdiff_t lead;
  ptrdiff_t taps;
  const int32_t *offsets;
  const float *weights;  // tap by tap
  ptrdiff_t rows, columns;
  float *y;
  ptrdiff_t y_lead, y_plane;
  const float *bias;    // of the channels, or null
  const float *factor;  // laid out like y, or null
  int relu, accumulates;
} sums;

// Sums the taps of `channels` channels: CHANNELS, 3 or 1.
void rk_sum_taps(const sums *s, int channels);

#endif
