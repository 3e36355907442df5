/*
 * What an end says before it is carried: a client that waits for its candidate, a client that has to send a PROXY header first.
 * Its bytes are kept in `early`, a bounded number, and go to its peer first when a relay begins.
 *
 * A loan: bytes that JavaScript has to read stay where they are. From RECORD_LENT until COMMAND_TAKE the thread does not touch
 * `early`, nor closes the end for a reason of its own; it notes what epoll says, and goes on from there.
 */
#pragma once
#include "engine.h"

/* Reads from now on, so that its end is noticed. */
void early_collect(struct thread *thread, struct end *end);
/* Reads at most `most` bytes in all, and lends them as soon as there are some. */
void early_ask(struct thread *thread, struct end *end, uint32_t most);
/* The loan is over, and the first `bytes` are gone with it. Nothing is read until somebody asks. */
void early_take(struct thread *thread, struct end *end, uint32_t bytes);
/* epoll has told of an end that no relay has and that is connected. */
void early_event(struct thread *thread, struct end *end);

/* Parts of the above, for handshakes. Reads until nothing is left or `most` bytes are kept. @returns false: the end is gone */
bool early_read(struct thread *thread, struct end *end, uint32_t most);
/* Says, once, that its sender has finished. */
void early_tell_end(struct thread *thread, struct end *end);
/* It has failed behind its end, or where nothing of it is read. @returns whether it is gone */
bool early_has_failed(struct thread *thread, struct end *end);
