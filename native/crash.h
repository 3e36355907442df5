/* The last words of a process that a fault ends. */
#pragma once
#include <signal.h>

/* From now on a fault is told on stderr before it ends the process as it would have. JavaScript's thread. */
void crash_tell(void);
/* The thread that calls it is the engine's. */
void crash_own_thread(void);
/* Takes the signals of faults out of `mask`: a thread that blocks them is ended without a word. */
void crash_let_through(sigset_t *mask);
