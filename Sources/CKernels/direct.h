// Definitions that both directions of direct convolutions share.
#ifndef RK_DIRECT_H
#define RK_DIRECT_H

#include "vectors.h"

enum {
  // The taps of all channels of a group; their positions and weights are stored on the stack.
  MOST_TAPS = 1024,
  // The number of output channels that are summed together.
  CHANNELS = 4,
  // The number of vectors of one channel that are summed together.
  VECTORS = 8,
  HALF = 8,
  // The number of remainders of positions divided by strides.
  MOST_COMBS = 64,
};

// The taps of a group: the offset of each tap's numbers from those of the first tap, and the positions of the weights.
typedef struct {
  int32_t offsets[MOST_TAPS], sources[MOST_TAPS];
} places;

// The operands of a sum: at each tap, the numbers at `offsets[tap]` times the tap's weight for each channel, and the
// result.
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

// Sums the taps of `channels` channels, which must be CHANNELS, 3 or 1.
void rk_sum_taps(const sums *s, int channels);

#endif
