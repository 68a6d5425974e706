#define _GNU_SOURCE
#include "cplatform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int cplatform_unnamed_file(const char *folder) {
#ifdef O_TMPFILE
    // Without /proc, the file could not be named later.
    if (access("/proc/self/fd", X_OK) != 0) return -1;
    return open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
#else
    (void)folder;
    errno = ENOTSUP;
    return -1;
#endif
}

int cplatform_name_file(int descriptor, const char *path) {
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", descriptor);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int cplatform_flush_output(void) {
    if (fflush(stdout) != 0) return errno;
    return ferror(stdout) ? -1 : 0;
}

long long cplatform_address_space_left(void) {
#ifdef __linux__
    const int resources[] = {RLIMIT_AS, RLIMIT_DATA};
    long long left = -1;
    for (int i = 0; i < 2; i++) {
        struct rlimit limit;
        if (getrlimit(resources[i], &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) continue;
        // Pages: all mapped pages, …, and those of data and stack.
        long long all = 0, data = 0;
        FILE *file = fopen("/proc/self/statm", "re");
        if (file == NULL) return -1;
        int found = fscanf(file, "%lld %*d %*d %*d %*d %lld", &all, &data);
        fclose(file);
        if (found != 2) return -1;
        long long rest = (long long)limit.rlim_cur - (i == 0 ? all : data) * (long long)sysconf(_SC_PAGESIZE);
        if (rest < 0) rest = 0;
        if (left < 0 || rest < left) left = rest;
    }
    return left;
#else
    return -1;
#endif
}
