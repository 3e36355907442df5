/*
 * Bulk data goes from socket to socket without coming to the process: by a pipe, which holds pages of the kernel. A stream is
 * bulk when SPLICE_AFTER reads in a row have filled their buffer.
 *
 * Pipes come from a bounded pool: each is two descriptors and up to a megabyte of the kernel's memory while a reader is slow.
 * A stream that finds none is copied; one gives its pipe back each time there is nothing to read. Pipes that nobody has are closed
 * within PIPES_IDLE_MS.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "timers.h"

#define SPLICE_AFTER 4
#define PIPE_BYTES (1024 * 1024)
#define MOST_PIPES 60
#define PIPES_IDLE_MS 1000

struct pipe {
  int out, in;     /* what is read from, what is written to */
  uint32_t filled; /* bytes */
  struct pipe *next;
};

struct pipes {
  struct pipe all[MOST_PIPES];
  struct pipe *idle;
  unsigned made, most;
  struct timer trim; /* for as long as some are idle */
};

/* @param most descriptors are scarce: 0 copies everything */
void pipes_init(struct pipes *pipes, unsigned most);
void pipes_end(struct pipes *pipes);
/* NULL: copy. */
struct pipe *pipe_take(struct pipes *pipes);
/* Whatever it still holds is gone. */
void pipe_give(struct thread *thread, struct pipe *pipe);
/* As splice(2), between a socket and the pipe. */
ssize_t pipe_fill(struct pipe *pipe, int socket, uint32_t most);
ssize_t pipe_drain(struct pipe *pipe, int socket);
