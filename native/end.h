/*
 * One end from birth to the return of its slot: what all phases have in common.
 */
#pragma once
#include "engine.h"

/* A slot for a client. NULL: all are in use. */
struct end *end_of_client(struct thread *thread);
/* The slot that JavaScript has named for a candidate. */
struct end *end_of_candidate(struct thread *thread, uint32_t slot, uint32_t generation);
/* Gives it a socket, which epoll tells of from now on. @returns false: errno says why */
bool end_open(struct thread *thread, struct end *end, int fd);

/* Closes an end that no relay has, and tells JavaScript. `reset`: by RST where that can be. */
void end_close(struct thread *thread, struct end *end, bool reset);
/* The same because of `error`, an errno. */
void end_fail(struct thread *thread, struct end *end, int error);
/* Closes the socket and lets go of everything but the slot, without a word. */
/* JavaScript has said something about this end, or it is closed. */
void end_heard(struct thread *thread, struct end *end);
void end_release(struct thread *thread, struct end *end, bool reset);
/* Its record is about to be told, which is the last of it. */
void end_over(struct end *end);
/* JavaScript knows that a client is over: its slot may name another. */
void end_forget(struct thread *thread, struct end *end);

/* The error of its socket that nobody has read; reading it clears it. */
int end_error(const struct end *end);
/* Bytes that were given to it and that its kernel has not taken. */
uint32_t end_unsent(const struct end *end);
void end_flag(struct thread *thread, struct end *end, uint32_t flag, bool is_on);
/* `bytes` more of what was to be sent to it are the kernel's. */
void end_took(struct thread *thread, struct end *end, size_t bytes);
/* Its last byte came in this turn. */
void end_moved(struct thread *thread, struct end *end);

/* Turns on TCP keep-alive: after `ms` of silence, then once a second, ten times. For a listener's socket as well. */
void keep_alive(int fd, uint32_t ms);
void end_keep_alive(struct thread *thread, struct end *end, uint32_t ms);
/* See Client.probe and Relay.probe. */
void end_probe(struct thread *thread, struct end *end);

/* What epoll has told of it. */
void end_note(struct end *end, uint32_t events);

/* Says `kind` of it. */
void end_tell(struct thread *thread, const struct end *end, enum record_kind kind);

/* Keeps `length` more bytes. @returns false: no memory */
bool chunk_add(struct chunk *chunk, const uint8_t *bytes, uint32_t length);
void chunk_drop(struct chunk *chunk);
/* The first `length` bytes are done with. */
void chunk_shift(struct chunk *chunk, uint32_t length);
