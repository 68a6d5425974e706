// The prefetching of memory during a product.
#ifndef RK_AHEAD_H
#define RK_AHEAD_H

#include "CKernels.h"
#include "vectors.h"

// What is left of some memory that is prefetched line by line, some lines for each run of the depth: more at once would
// wait for one another, and the product for them.
typedef struct {
  rk_ahead rest;
  ptrdiff_t at;       // the next line of the first row
  ptrdiff_t per_run;  // lines
} lines;

enum { LINE = 64 / sizeof(float), RUN = 16 };

RK_INLINE void bring(lines *ahead) {
  for (ptrdiff_t i = 0; i < ahead->per_run && ahead->rest.rows > 0; i++) {
    __builtin_prefetch(ahead->rest.x + ahead->at, 0, 2);
    ahead->at += LINE;
    if (ahead->at < ahead->rest.count) continue;
    ahead->at = 0;
    ahead->rest.x += ahead->rest.step;
    ahead->rest.rows--;
  }
}

#endif
