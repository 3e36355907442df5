/* The thread: what it does in a turn, and how it begins and ends. */
#pragma once
#include "engine.h"

/*
 * Makes what the thread needs. JavaScript's thread.
 *
 * `ring` is of RING_BYTES, `live` has a place for twice as many ends as there are `clients`; both are zeroed, and stay as long as the thread.
 * @returns false: errno says what was missing
 */
bool thread_init(struct thread *thread, uint32_t clients, void *ring, struct live *live);
/* One turn, which sleeps for `most_ms` at most; below zero: until something happens. */
void thread_turn(struct thread *thread, int most_ms);
/* Turns until inbox_finish. */
void *thread_run(void *thread);
/* Closes everything. JavaScript's thread, once the other one has ended. */
void thread_end(struct thread *thread);
