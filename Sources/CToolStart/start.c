#define _GNU_SOURCE
#include "ctoolstart.h"

#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void ctoolstart_link(void) {}

#ifdef __linux__

// When OpenBLAS is loaded, it starts a thread per processor, each with a buffer of 128 MiB, and retries the allocation
// endlessly if the address space is limited. The package has its own threads and needs none of these. An environment
// variable takes effect only at the start of a process, so under a limit the tool starts itself again with one OpenBLAS
// thread.
static const char setting[] = "OPENBLAS_NUM_THREADS=1";
enum { most_variables = 4096, plenty_of_processes = 16384 };

static int is_limited(int resource, rlim_t plenty) {
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < plenty;
}

// The smallest stack that a tool needs.
static const rlim_t least_stack = 1 << 20;

// Raises the stack limit if it is too low; 0 if it cannot be raised.
static int has_stack(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= least_stack) return 1;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < least_stack) return 0;
    limit.rlim_cur = least_stack;
    // The kernel checks the limit whenever the stack grows.
    return setrlimit(RLIMIT_STACK, &limit) == 0;
}

static void before_libraries(int argc, char **argv, char **environment) {
    (void)argc;
    if (!has_stack()) {
        static const char line[] =
            "the stack of this process is limited to less than 1 MB (ulimit -s); expected at least 1 MB; 8 MB is usual\n";
        if (write(STDERR_FILENO, line, sizeof line - 1) < 0) _exit(64);
        _exit(64);
    }
    if (!is_limited(RLIMIT_AS, RLIM_INFINITY) && !is_limited(RLIMIT_DATA, RLIM_INFINITY)
        && !is_limited(RLIMIT_NPROC, plenty_of_processes))
        return;
    static char *changed[most_variables];
    size_t count = 0;
    for (char **variable = environment; *variable != NULL; variable++) {
        if (strncmp(*variable, setting, sizeof setting - 2) == 0 && strcmp(*variable, setting) == 0) return;
        if (strncmp(*variable, setting, sizeof setting - 2) == 0) continue;
        if (count + 2 >= most_variables) return;
        changed[count++] = *variable;
    }
    changed[count++] = (char *)setting;
    changed[count] = NULL;
    // If this fails, the tool continues without the setting.
    execve("/proc/self/exe", argv, changed);
}

// The loader calls the functions in this section before it starts any library.
__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = before_libraries;

#endif
