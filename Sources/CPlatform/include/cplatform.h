// Functions of the operating system that only C can call: unnamed files, the placement of threads, and operations that
// are allowed in a signal handler.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

// Opens an unnamed file in `folder` for writing; -1 with errno if the file system does not support it.
int cplatform_unnamed_file(const char *folder);
// Gives the file a name that must not exist; 0, or -1 with errno.
int cplatform_name_file(int descriptor, const char *path);

// Allows a thread to run on all processors of the caller except the caller's current one, if there are others; on Linux
// only.
void cplatform_keep_apart(pthread_t thread);

// Records the path of a mapped file for the message that is written if the file is shortened. Returns a number for
// forgetting it; -1 if the table is full.
int cplatform_note_mapping(const void *start, size_t count, const char *path);
void cplatform_forget_mapping(int number);

// Records a file, or a folder after its files, that must be removed if a signal ends the process. Returns a number for
// forgetting it; -1 if the table is full.
int cplatform_note_leftover(const char *path);
void cplatform_forget_leftover(int number);

// Prepares the process of the command-line tool `name`:
// - Closed descriptors among 0 to 2 are opened, so that no file gets their numbers; reading and writing them fail.
// - Writing to a pipe without a reader, or beyond the largest file size, fails instead of ending the process.
// - If a mapped file is shortened, the process ends with a message and status 65.
// - Signals that ask the process to end first remove its unfinished files.
void cplatform_guard_process(const char *name);

// Writes a whole text to standard error; text that cannot be written is lost. Async-signal-safe.
void cplatform_say(const char *text, size_t count);

// Flushes standard output: 0, an error number, or -1 if an earlier write failed.
int cplatform_flush_output(void);

// The number of bytes that this process can still map before it reaches a limit set at its start (ulimit -v, -d); -1
// without a limit.
long long cplatform_address_space_left(void);

#endif
