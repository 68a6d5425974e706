// Checks of the C loops without Swift, so that they can run on other processors: every kernel against plain loops in
// double precision.
//
// A check is CHECK(name) { … } in any file of this folder: it creates operands, calls a kernel, and compares the result
// with a loop that implements the definition. All files are compiled together; there is no list to maintain.
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "CRelevance.h"

// Single-precision rounding relative to the largest expected value.
#define ROUNDING 1e-5
#define EXACT 0.0

#define CHECK(name)                                                                \
  static void name(void);                                                          \
  __attribute__((constructor)) static void add_##name(void) { add_check(#name, name); } \
  static void name(void)

void add_check(const char *name, void (*run)(void));

// Memory of a check, released after it. A protected page starts after the last element, and marks are before the first.
float *room(ptrdiff_t count);                                        // all NaN
float *fractions(ptrdiff_t count);                                   // between −4 and 4
float *wholes(ptrdiff_t count, int low, int high);                   // whole numbers, which add up exactly
double *zeros(ptrdiff_t count);                                      // for what is expected

// Releases all memory before the end of a check that needs much.
void forget(void);

// Compares with the expected values, with a tolerance relative to the largest; NaN is expected where nothing may be
// written to memory from room().
void expect(const float *found, const double *expected, ptrdiff_t count, double tolerance, const char *what, ...)
    __attribute__((format(printf, 5, 6)));
// Compares each value with its own tolerance, including values that are not finite; exact zeros must have the expected
// sign.
void expect_each(const float *found, const double *expected, const double *slack, ptrdiff_t count, const char *what, ...)
    __attribute__((format(printf, 5, 6)));
void expect_number(double found, double expected, double tolerance, const char *what);

// part(w) by definition.
double part_of(double w, rk_part part);

extern const rk_part parts[];
extern const int part_count;

// Windows of many kinds, and the position under a tap of window p, or −1 outside the plane.
extern const rk_window windows[];
extern const int window_count;
ptrdiff_t under_tap(const rk_window *w, ptrdiff_t p, ptrdiff_t ky, ptrdiff_t kx);

#define EACH_TAP(w, ky, kx)                           \
  for (ptrdiff_t ky = 0; ky < (w)->kernel_y; ky++)    \
    for (ptrdiff_t kx = 0; kx < (w)->kernel_x; kx++)

#endif
