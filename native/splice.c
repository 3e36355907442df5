/*
 * See splice.h. A pipe that goes back with bytes in it (its stream was cut) is closed, not drained: those are bytes of one
 * connection, and the next must never see them.
 */
#include "splice.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine.h"

static void close_pipe(struct pipe *pipe);

/* Those that have just been given back are closed with the others: opening one is cheap beside what goes through it in a second. */
static void trim(struct thread *thread, struct timer *timer) {
  (void)timer;
  for (struct pipe *pipe = thread->pipes.idle; pipe != NULL; pipe = pipe->next) close_pipe(pipe);
}

void pipes_init(struct pipes *pipes, unsigned most) {
  pipes->made = 0;
  pipes->idle = NULL;
  pipes->most = most < MOST_PIPES ? most : MOST_PIPES;
  timer_init(&pipes->trim, trim);
  for (unsigned n = 0; n < MOST_PIPES; n += 1) pipes->all[n].out = pipes->all[n].in = -1;
}

static void close_pipe(struct pipe *pipe) {
  if (pipe->out >= 0) close(pipe->out);
  if (pipe->in >= 0) close(pipe->in);
  pipe->out = pipe->in = -1;
  pipe->filled = 0;
}

void pipes_end(struct pipes *pipes) {
  for (unsigned n = 0; n < MOST_PIPES; n += 1) close_pipe(&pipes->all[n]);
}

static bool open_pipe(struct pipe *pipe) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return false;
  pipe->out = ends[0];
  pipe->in = ends[1];
  pipe->filled = 0;
  /* Users may be allowed few large pipes: one of the usual size still saves the copy. */
  (void)fcntl(pipe->in, F_SETPIPE_SZ, PIPE_BYTES);
  return true;
}

struct pipe *pipe_take(struct pipes *pipes) {
  struct pipe *pipe = pipes->idle;
  if (pipe != NULL) pipes->idle = pipe->next;
  else if (pipes->made < pipes->most) pipe = &pipes->all[pipes->made++];
  else return NULL;
  if (pipe->out >= 0 || open_pipe(pipe)) return pipe;
  pipe->next = pipes->idle;
  pipes->idle = pipe;
  return NULL;
}

void pipe_give(struct thread *thread, struct pipe *pipe) {
  struct pipes *pipes = &thread->pipes;
  if (pipe->filled > 0) close_pipe(pipe);
  pipe->next = pipes->idle;
  pipes->idle = pipe;
  if (!link_is_in(&pipes->trim.link)) timer_set(&thread->timers, &pipes->trim, thread->now + PIPES_IDLE_MS);
}

ssize_t pipe_fill(struct pipe *pipe, int socket, uint32_t most) {
  ssize_t moved = splice(socket, NULL, pipe->in, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (moved > 0) pipe->filled += (uint32_t)moved;
  return moved;
}

ssize_t pipe_drain(struct pipe *pipe, int socket) {
  ssize_t moved = splice(pipe->out, NULL, socket, NULL, pipe->filled, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (moved > 0) pipe->filled -= (uint32_t)moved;
  return moved;
}
