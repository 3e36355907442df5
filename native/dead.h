/*
 * Hosts that have died with bytes under way to them. Keep-alive asks only a connection that is silent; one with bytes in its queue
 * is retransmitted to for a quarter of an hour. TCP_USER_TIMEOUT would end it in time, and would end a reader as well that is alive
 * and takes nothing: with a window of zero the kernel counts the time since it last took something.
 *
 * What tells the two apart is whether anything is acknowledged. The living answers each probe of its window; the dead answers
 * nothing. So the kernel is asked now and then, and an end whose bytes are under way and from which not a single
 * acknowledgement has come for KEEPALIVE and five seconds has failed.
 */
#pragma once
#include "engine.h"

#define DEAD_LOOK_MS 5000.0
#define DEAD_GRACE_MS 5000.0

void dead_init(struct thread *thread);
/* Looks after an end of a relay from now on, until it is released. @param ms KEEPALIVE */
void dead_watch(struct thread *thread, struct end *end, uint32_t ms);
