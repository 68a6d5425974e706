#define _GNU_SOURCE
#include "cplatform.h"

#include <sched.h>

void cplatform_keep_apart(pthread_t thread) {
#ifdef __linux__
    cpu_set_t processors;
    const int own = sched_getcpu();
    if (own < 0 || own >= CPU_SETSIZE || sched_getaffinity(0, sizeof processors, &processors) != 0) return;
    CPU_CLR(own, &processors);
    if (CPU_COUNT(&processors) > 0) pthread_setaffinity_np(thread, sizeof processors, &processors);
#else
    (void)thread;
#endif
}
