/*
 * A fault in C ends the process at once, and nothing of JavaScript runs any more: no log line, no exit code of ours. So the last
 * line is written here, by what a signal handler may call. The fault is then given back to whoever had it before, so that core
 * dumps, exit by signal and Node's own report are as they would be.
 *
 * Only the program asks for it: the signals of another program are not ours. V8 hears of SIGSEGV too, where it runs WebAssembly
 * that reads out of bounds, and goes on after it; attache runs none. SIGABRT is how Node ends too, when its heap is full, and then
 * Node says why: it is told only of the engine's own thread.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crash.h"

#define FAULTS 5

static const struct {
  int signal;
  const char *line;
} faults[FAULTS] = {
#define REMEDY ", with the native engine. Set ENGINE=typescript to run without it, and report this line\n"
    {SIGSEGV, "attache: ended by SIGSEGV" REMEDY}, {SIGBUS, "attache: ended by SIGBUS" REMEDY},
    {SIGILL, "attache: ended by SIGILL" REMEDY},   {SIGFPE, "attache: ended by SIGFPE" REMEDY},
    {SIGABRT, "attache: ended by SIGABRT" REMEDY},
#undef REMEDY
};

/* Who had them before. */
static struct sigaction former[FAULTS];

/* The thread of the engine; 0: there is none. */
static atomic_long engine_thread;

static bool is_told(int signal) {
  return signal != SIGABRT || syscall(SYS_gettid) == atomic_load(&engine_thread);
}

static void tell(int signal, siginfo_t *info, void *context) {
  (void)context;
  for (size_t i = 0; i < FAULTS; i++) {
    if (faults[i].signal != signal) continue;
    if (is_told(signal)) {
      ssize_t written = write(STDERR_FILENO, faults[i].line, strlen(faults[i].line));
      (void)written;
    }
    sigaction(signal, &former[i], NULL);
  }
  /* A fault comes again when this returns, a signal that somebody sent does not. */
  if (info == NULL || info->si_code <= 0) raise(signal);
}

void crash_own_thread(void) {
  atomic_store(&engine_thread, syscall(SYS_gettid));
}

void crash_tell(void) {
  static bool is_on = false;
  if (is_on) return;
  is_on = true;
  struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < FAULTS; i++) sigaction(faults[i].signal, &action, &former[i]);
}

void crash_let_through(sigset_t *mask) {
  for (size_t i = 0; i < FAULTS; i++) sigdelset(mask, faults[i].signal);
}
