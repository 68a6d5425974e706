#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARKS = 64, MOST = 256 };

static struct {
  const char *name;
  void (*run)(void);
} checks[MOST];
static int check_count;

void add_check(const char *name, void (*run)(void)) {
  if (check_count == MOST) abort();
  checks[check_count].name = name;
  checks[check_count++].run = run;
}

// --- Memory ----------------------------------------------------------------------------------------------------------

typedef struct block {
  struct block *next;
  char *start;
  size_t length;
  float *first;
} block;

static block *blocks;
static double *expected_values[4096];
static int expected_count;
static uint64_t state;

float *room(ptrdiff_t count) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = ((size_t)count + MARKS) * sizeof(float);
  const size_t used = (bytes + page - 1) / page * page;
  block *b = malloc(sizeof *b);
  b->length = used + page;
  b->start = mmap(NULL, b->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (b->start == MAP_FAILED || mprotect(b->start + used, page, PROT_NONE)) {
    perror("memory");
    exit(70);
  }
  b->first = (float *)(void *)(b->start + used) - count;
  for (ptrdiff_t i = -MARKS; i < count; i++) b->first[i] = NAN;
  b->next = blocks;
  blocks = b;
  return b->first;
}

static uint32_t next_number(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

float *fractions(ptrdiff_t count) {
  float *x = room(count);
  for (ptrdiff_t i = 0; i < count; i++) x[i] = (float)(next_number() % (1 << 24)) * 0x1p-21f - 4;
  return x;
}

float *wholes(ptrdiff_t count, int low, int high) {
  float *x = room(count);
  for (ptrdiff_t i = 0; i < count; i++) x[i] = (float)(low + (int)(next_number() % (uint32_t)(high - low + 1)));
  return x;
}

double *zeros(ptrdiff_t count) {
  double *x = calloc((size_t)count + 1, sizeof *x);
  if (expected_count == (int)(sizeof expected_values / sizeof *expected_values)) abort();
  return expected_values[expected_count++] = x;
}

void forget(void) {
  for (block *b = blocks, *next; b; b = next) {
    next = b->next;
    munmap(b->start, b->length);
    free(b);
  }
  blocks = NULL;
  while (expected_count) free(expected_values[--expected_count]);
}

// --- Comparisons -----------------------------------------------------------------------------------------------------

static long comparisons, failures;
static const char *running, *running_set;

static void fail(const char *reason, const char *what, va_list arguments) {
  failures++;
  fprintf(stderr, "%s, %s: ", running_set, running);
  vfprintf(stderr, what, arguments);
  fprintf(stderr, ": %s\n", reason);
}

// Checks the marks before the first element.
static void look_before(const float *found, char *reason, size_t size) {
  for (ptrdiff_t i = -MARKS; i < 0 && !*reason; i++)
    if (!isnan(found[i])) snprintf(reason, size, "element %td, before the first, was written", i);
}

void expect(const float *found, const double *expected, ptrdiff_t count, double tolerance, const char *what, ...) {
  char reason[128] = "";
  double largest = 0;
  for (ptrdiff_t i = 0; i < count; i++) largest = fmax(largest, isfinite(expected[i]) ? fabs(expected[i]) : 0);
  for (ptrdiff_t i = 0; i < count && !*reason; i++) {
    comparisons++;
    const int agrees = isnan(expected[i]) ? isnan(found[i])
                       : isinf(expected[i]) ? found[i] == (float)expected[i]
                                            : fabs((double)found[i] - (double)(float)expected[i]) <= tolerance * largest;
    if (!agrees) snprintf(reason, sizeof reason, "element %td is %.9g, expected %.9g", i, (double)found[i], expected[i]);
  }
  look_before(found, reason, sizeof reason);
  if (!*reason) return;
  va_list arguments;
  va_start(arguments, what);
  fail(reason, what, arguments);
  va_end(arguments);
}

void expect_each(const float *found, const double *expected, const double *slack, ptrdiff_t count, const char *what, ...) {
  char reason[128] = "";
  for (ptrdiff_t i = 0; i < count && !*reason; i++) {
    comparisons++;
    const float nearest = (float)expected[i];
    const int agrees = isnan(nearest)           ? isnan(found[i])
                       : found[i] == nearest    ? expected[i] != 0 || !signbit(found[i]) == !signbit(expected[i])
                       : isinf(nearest)         ? 0
                                                : isfinite(found[i]) && fabs((double)found[i] - expected[i]) <= slack[i];
    if (!agrees) snprintf(reason, sizeof reason, "element %td is %.9g, expected %.9g", i, (double)found[i], expected[i]);
  }
  look_before(found, reason, sizeof reason);
  if (!*reason) return;
  va_list arguments;
  va_start(arguments, what);
  fail(reason, what, arguments);
  va_end(arguments);
}

void expect_number(double found, double expected, double tolerance, const char *what) {
  comparisons++;
  if (fabs(found - expected) <= tolerance * fmax(1, fabs(expected))) return;
  failures++;
  fprintf(stderr, "%s, %s: %s is %.17g, expected %.17g\n", running_set, running, what, found, expected);
}

// Called when a kernel reads or writes beyond its operands.
static void stop(int signal) {
  (void)signal;
  fprintf(stderr, "%s, %s: accesses memory outside its operands\n", running_set, running);
  _exit(1);
}

static void run_all(rk_isa set, const char *name) {
  running_set = name;
  rk_use_instruction_set(set);
  for (int i = 0; i < check_count; i++) {
    running = checks[i].name;
    state = 1;
    checks[i].run();
    forget();
  }
}

int main(void) {
  static const struct {
    rk_isa set;
    const char *name;
  } sets[] = {{RK_GENERIC, "generic"}, {RK_AVX2, "avx2"}, {RK_AVX512, "avx512"}};
  signal(SIGSEGV, stop);
  signal(SIGBUS, stop);
  for (int i = 0; i < 3; i++) {
    if (sets[i].set > rk_largest_instruction_set()) break;
    const long before = comparisons, failed = failures;
    run_all(sets[i].set, sets[i].name);
    printf("%s: %d checks, %ld numbers compared, %ld failures\n", sets[i].name, check_count, comparisons - before,
           failures - failed);
  }
  return failures ? 1 : 0;
}
