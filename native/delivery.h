/*
 * A reset that goes behind bytes: RST throws away what the peer's kernel has not got yet, so the kernel is asked now and then how
 * much that is. A peer that takes nothing is not waited for.
 */
#pragma once
#include "engine.h"

/* Resets the end, the last of a relay, when what was sent to it has been delivered. */
void delivery_await(struct thread *thread, struct end *end);
