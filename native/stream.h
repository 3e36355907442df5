/*
 * Reading from an end and writing to it, whatever is spoken there. This is the only place that knows whether that is TLS: the
 * parts that decide what goes where (early.c, relay.c) hand over plain bytes and get plain bytes.
 *
 * Bytes that are read stand in a buffer of the thread until the next read of any end.
 *
 * With TLS, `out` holds cipher text. What was written counts as taken by the kernel when all of that is: the counter of an end is
 * up to a write behind. An end whose own answers (to key updates) its peer does not take is not read.
 */
#pragma once
#include "engine.h"

enum stream_answer { STREAM_FAILED = -2, STREAM_NOTHING = -1, STREAM_END = 0 };

/*
 * Reads at most `most` bytes, and no more than a chunk. A relay's end of TLS reads up to PLAIN_BYTES, whatever is asked for.
 *
 * @returns how many; STREAM_NOTHING: none are there; STREAM_END: the sender has finished; STREAM_FAILED: see errno, which is
 * TLS_ERROR when there is a report
 */
int stream_read(struct thread *thread, struct end *end, const uint8_t **bytes, uint32_t most);
/* Sends, or keeps what the socket does not take. @returns false: see errno */
bool stream_write(struct thread *thread, struct end *end, const uint8_t *bytes, uint32_t length);
/* Sends what was kept, as far as the socket takes it. @returns false: see errno */
bool stream_flush(struct thread *thread, struct end *end);
/*
 * Sends the end of a stream, behind everything that was sent. `close`: the socket is closed right after.
 *
 * @returns false: the socket has not taken all of it; to be called again behind a flush
 */
bool stream_finish(struct thread *thread, struct end *end, bool close);
/* Whether its bytes may go by a pipe. */
bool stream_is_plain(const struct end *end);
/* The end is over. */
void stream_release(struct end *end);

/* What the socket has, as it is on the wire. @returns as stream_read */
int stream_receive(struct thread *thread, struct end *end, uint8_t *into, uint32_t room);
/* Sends what TLS has made in `thread->io`, or keeps what the socket does not take. @returns false: see errno */
bool stream_send(struct thread *thread, struct end *end);
