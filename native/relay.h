/*
 * Two ends, tied: what is read on one is written to the other, until both are closed.
 *
 * Each direction ends for itself: an end that has been read is passed on behind its bytes, as a FIN, and the other direction
 * goes on. An end that fails takes the other with it: by RST, so that a cut stream cannot be taken for a finished one, or, when
 * it had said its last word before, behind what is still to be delivered.
 *
 * An end of TLS without close_notify may have been cut. Unless that is taken for a fault (`is_strict`) it is passed on like any
 * other; else the peer gets the bytes before it, and then no end but a reset.
 *
 * An end is not read while its peer has not taken what came before: that is all that is ever kept, a chunk in memory or a pipe
 * in the kernel.
 */
#pragma once
#include "engine.h"

enum over_reason { OVER_FINISHED, OVER_RESET, OVER_ERROR, OVER_ABORTED, OVER_TRUNCATED };
enum ended_by { BY_CLIENT, BY_CANDIDATE, BY_ATTACHE, BY_NOBODY };

/* `candidate` may be NULL: it has gone. */
void relay_start(struct thread *thread, struct end *client, struct end *candidate);
/* Ends both at once: by RST, or when `gently` by FIN where nothing is cut short. */
void relay_abort(struct thread *thread, struct end *client, bool gently);
/* Notices a side that was reset while nothing is read from it. */
void relay_probe(struct thread *thread, struct end *client);
/* What was sent to an end that is to be reset has been delivered. */
void relay_delivered(struct thread *thread, struct end *end);
/* A side is gone as far as can be told. */
void relay_lost(struct thread *thread, struct end *side, int error);
/* An end took nothing of what was sent to it beside the bytes of its peer. */
void relay_refused(struct thread *thread, struct end *end, int error);
/* Something can be read from an end or written to it, or its turn has come. */
void relay_run(struct thread *thread, struct end *end);
