// What the operating system offers only to C: files without a name, where threads run, and what may be done while a
// signal is handled.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

// Opens a file for writing that has no name in `folder` yet; -1 with errno where the file system has none such.
int cplatform_unnamed_file(const char *folder);
// Gives it a name that nothing has; 0, or -1 with errno.
int cplatform_name_file(int descriptor, const char *path);

// Lets a thread run on all processors that the caller may run on but the caller's own, if there are others; on Linux.
void cplatform_keep_apart(pthread_t thread);

// Notes where a file is mapped, for the sentence that is written when somebody shortens it. Returns a number by which
// to forget it; -1 if there is no room.
int cplatform_note_mapping(const void *start, size_t count, const char *path);
void cplatform_forget_mapping(int number);

// Notes a file, or a folder once its files are noted, that has to go if a signal ends the process. Returns a number by which
// to forget it; -1 if there is no room.
int cplatform_note_leftover(const char *path);
void cplatform_forget_leftover(int number);

// Prepares the process of the command line tool `name`:
// - Descriptors 0 to 2 that are closed are taken, so that no file gets their numbers; reading and writing them fail.
// - Writing to a pipe that nobody reads, and beyond the largest size of a file, fail instead of ending the process.
// - A mapped file that is shortened ends it with a sentence and status 65.
// - Signals that ask it to end remove its unfinished files first.
void cplatform_guard_process(const char *name);

// Writes all of a text to standard error; what cannot be written is lost. Async-signal-safe.
void cplatform_say(const char *text, size_t count);

// Hands on what was printed to standard output: 0, the number of an error, or -1 if a write failed before.
int cplatform_flush_output(void);

// Bytes that this process may still map before it meets a limit that it was started with (ulimit -v, -d); -1 if there is none.
long long cplatform_address_space_left(void);

#endif
