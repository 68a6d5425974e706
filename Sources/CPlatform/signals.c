#define _GNU_SOURCE
#include "cplatform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Tables that a signal handler reads. A row is claimed by filling it, and released by clearing its path first. Paths
// are not freed while a row contains them; a handler on another thread may still read a path after that, so paths are
// kept for the next user of the row.
enum { rows = 512 };
struct row {
    _Atomic(const char *) path;
    _Atomic(uintptr_t) start;
    _Atomic(size_t) count;
    char *memory;
    bool taken;
};
static struct row mappings[rows], leftovers[rows];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int take(struct row *table, const char *path, uintptr_t start, size_t count) {
    int found = -1;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < rows; i++) {
        if (table[i].taken) continue;
        char *copy = strdup(path);
        if (copy == NULL) break;
        free(table[i].memory);
        table[i].memory = copy;
        table[i].taken = true;
        atomic_store(&table[i].start, start);
        atomic_store(&table[i].count, count);
        atomic_store(&table[i].path, copy);
        found = i;
        break;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void give_up(struct row *table, int number) {
    if (number < 0 || number >= rows) return;
    pthread_mutex_lock(&lock);
    atomic_store(&table[number].path, NULL);
    table[number].taken = false;
    pthread_mutex_unlock(&lock);
}

int cplatform_note_mapping(const void *start, size_t count, const char *path) {
    return take(mappings, path, (uintptr_t)start, count);
}
void cplatform_forget_mapping(int number) { give_up(mappings, number); }

int cplatform_note_leftover(const char *path) { return take(leftovers, path, 0, 0); }
void cplatform_forget_leftover(int number) { give_up(leftovers, number); }

void cplatform_say(const char *text, size_t count) {
    int looks = 0;
    while (count > 0) {
        ssize_t written = write(STDERR_FILENO, text, count);
        if (written > 0) {
            text += written;
            count -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN && looks < 100) {
            // A terminal that another process has made non-blocking accepts the rest a moment later.
            looks++;
            usleep(1000);
        } else if (!(written < 0 && errno == EINTR)) {
            return;
        }
    }
}

static char tool[64];
static atomic_flag is_ending = ATOMIC_FLAG_INIT;

static void end_by(int signal_number) {
    signal(signal_number, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    raise(signal_number);
}

// Handles access to a page of a mapped file that no longer exists or cannot be read from its disk.
static void on_bus_error(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < rows; i++) {
        const char *path = atomic_load(&mappings[i].path);
        uintptr_t start = atomic_load(&mappings[i].start);
        // Whole pages are mapped.
        if (path == NULL || address < start || address - start >= ((atomic_load(&mappings[i].count) + 65535) & ~(size_t)65535))
            continue;
        // Threads that reach the same end wait for the first one.
        if (atomic_flag_test_and_set(&is_ending)) for (;;) pause();
        char line[1024];
        size_t used = 0;
        const char *parts[] = {
            tool, ": ", path,
            ": the file was shortened, or its disk failed, while it was being read; expected the same bytes until the end\n"};
        for (int part = 0; part < 4; part++) {
            for (const char *letter = parts[part]; *letter != 0 && used < sizeof line - (part < 3 ? 200 : 0); letter++) {
                unsigned char byte = (unsigned char)*letter;
                line[used++] = part == 2 && (byte < 0x20 || byte == 0x7F) ? '?' : *letter;
            }
        }
        cplatform_say(line, used);
        _exit(65);
    }
    end_by(signal_number);
}

static void on_request_to_end(int signal_number) {
    for (int i = 0; i < rows; i++) {
        const char *path = atomic_load(&leftovers[i].path);
        if (path != NULL) unlink(path);
    }
    for (int i = 0; i < rows; i++) {
        const char *path = atomic_load(&leftovers[i].path);
        if (path != NULL) rmdir(path);
    }
    end_by(signal_number);
}

void cplatform_guard_process(const char *name) {
    strncpy(tool, name, sizeof tool - 1);
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        // Opened in the opposite mode, so that using it fails as for a closed descriptor. It gets the smallest free
        // number: this one.
        open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
    signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN);
#endif
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, NULL);

    // Schedulers send the last four before a job's time is over; keyboards and other programs may send them, too.
    const int requests[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2, SIGQUIT};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct sigaction before;
        // nohup, and shells for background jobs, ignore some signals on purpose.
        if (sigaction(requests[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        memset(&action, 0, sizeof action);
        sigemptyset(&action.sa_mask);
        action.sa_handler = on_request_to_end;
        sigaction(requests[i], &action, NULL);
    }
}
