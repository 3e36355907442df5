/*
 * See relay.h. How a direction runs, from `from` to `to`:
 *
 *   pass on what was read before (kept bytes, then the pipe) -> is there an end to pass on? -> is there something to read?
 *   -> is its share of the turn spent? -> read, write, begin again
 *
 * An end that refuses what it is sent may have said why, and that can still be read: its last words are passed on before it
 * fails. The kernel gives the error of such a socket once, to whoever asks first; so after a refusal "nothing left" and "an
 * end" look alike, and the error that the write was given says which of the two it is.
 */
#include "relay.h"

#include <errno.h>

#include "delivery.h"
#include "end.h"
#include "splice.h"
#include "stream.h"

/* A read of less means that a stream is no bulk any more. */
#define BULK_BYTES 8192

enum passed { PASSED, WAITS, REFUSED };

static void fail(struct thread *thread, struct end *side, int error);
static void pump(struct thread *thread, struct end *from);
static void cut_off(struct thread *thread, struct end *side);

static struct end *client_of(struct end *end) {
  return end->is_client ? end : end->peer;
}

static bool is_peer_reset(int error) {
  return error == ECONNRESET || error == EPIPE || error == ECONNABORTED;
}

static void give_pipe_back(struct thread *thread, struct end *end) {
  if (end->pipe == NULL) return;
  pipe_give(thread, end->pipe);
  end->pipe = NULL;
}

/* JavaScript is to look at it now and then; told once, until JavaScript has seen that there is nothing to look at. */
static void need_watch(struct thread *thread, struct end *client) {
  uint32_t before = atomic_fetch_or(&thread->live[client->slot].flags, LIVE_WATCH_TOLD);
  if ((before & LIVE_WATCH_TOLD) != 0) return;
  struct record record = {.kind = RECORD_WATCH, .slot = client->slot, .generation = client->generation};
  ring_tell(&thread->ring, &record, false);
}

static double taken_of(const struct end *end) {
  return end->taken > 0 ? (double)end->taken : 0;
}

static void over(struct thread *thread, struct end *client) {
  struct end *candidate = client->peer;
  struct record record = {.kind = RECORD_OVER, .slot = client->slot, .generation = client->generation};
  record.of = candidate->slot;
  record.outcome.code = (uint32_t)client->reason_errno;
  record.outcome.ended_by = client->ended_by;
  record.outcome.reason = client->reason;
  record.outcome.to_candidate = taken_of(candidate);
  record.outcome.to_client = taken_of(client);
  give_pipe_back(thread, client);
  give_pipe_back(thread, candidate);
  client->peer = candidate->peer = NULL;
  end_over(client);
  end_over(candidate);
  ring_tell(&thread->ring, &record, false);
}

/* Closes one of the two. @returns whether that was the last */
static bool close_side(struct thread *thread, struct end *side, bool reset) {
  struct end *client = client_of(side);
  end_release(thread, side, reset);
  if (side->peer->fd < 0) {
    over(thread, client);
    return true;
  }
  need_watch(thread, client);
  return false;
}

/*
 * A splice that sends several times may get the socket's error behind bytes that it has moved, and says nothing of it: the next
 * one gets EPIPE, whether the peer has ended or was cut. What is not known to have ended counts as cut.
 */
static int pipe_error(const struct end *to, int error) {
  return error == EPIPE && !to->eof && !to->fin_seen ? ECONNRESET : error;
}

/* Sends `to` what was read from `from` before. */
static enum passed pass_on(struct thread *thread, struct end *from, struct end *to) {
  if (to->out.length > 0) {
    if (!stream_flush(thread, to)) return REFUSED;
    if (to->out.length > 0) return WAITS;
  }
  while (from->pipe != NULL && from->pipe->filled > 0) {
    if (!to->writable) return WAITS;
    ssize_t moved = pipe_drain(from->pipe, to->fd);
    if (moved > 0) {
      end_took(thread, to, (size_t)moved);
    } else if (moved == 0 || errno == EAGAIN) {
      to->writable = false;
    } else if (errno != EINTR) {
      errno = pipe_error(to, errno);
      return REFUSED;
    }
  }
  return PASSED;
}

static void set_waits(struct thread *thread, struct end *from, bool waits) {
  if (from->waits == waits) return;
  from->waits = waits;
  end_flag(thread, from, LIVE_WAITS, waits);
  if (waits) need_watch(thread, client_of(from));
}

/* The end of `from` has been read. */
static void note_end(struct thread *thread, struct end *from) {
  struct end *client = client_of(from);
  end_flag(thread, from, LIVE_ENDED, true);
  if (client->ended_by == BY_NOBODY) client->ended_by = from->is_client ? BY_CLIENT : BY_CANDIDATE;
  need_watch(thread, client);
}

/* All that `from` had to say has been passed on, its end included from now on. */
static void finish(struct thread *thread, struct end *from, struct end *to) {
  give_pipe_back(thread, from);
  if (!to->shut && to->fd >= 0) {
    /* Behind the next flush, then. */
    if (!stream_finish(thread, to, to->eof)) return;
    to->shut = true;
    end_flag(thread, to, LIVE_FINISHED, true);
    if (to->eof && close_side(thread, to, false)) return;
  }
  /* It has been sent its own end before: nothing is left of it. */
  if (from->shut && from->fd >= 0) close_side(thread, from, false);
}

/* What can be known of an end that has been read only by asking: whether a reset came behind it. */
static bool has_failed_behind_its_end(struct thread *thread, struct end *end) {
  if (!end->failed || end->fd < 0) return false;
  end->failed = false;
  int error = end_error(end);
  if (error == 0) return false;
  fail(thread, end, error);
  return true;
}

static int read_by_pipe(struct thread *thread, struct end *from, uint32_t most) {
  ssize_t moved = pipe_fill(from->pipe, from->fd, most < PIPE_BYTES ? most : PIPE_BYTES);
  if (moved > 0) return (int)moved;
  if (moved == 0) {
    from->eof = true;
    return STREAM_END;
  }
  int error = errno;
  if (error == EINTR) return STREAM_NOTHING;
  give_pipe_back(thread, from);
  /* One full read, and it goes by pipe again. What cannot go by a pipe at all begins to count anew. */
  from->full_reads = error == EAGAIN ? SPLICE_AFTER - 1 : 0;
  if (error == EAGAIN) from->readable = false;
  errno = error;
  return error == EAGAIN || error == EINVAL ? STREAM_NOTHING : STREAM_FAILED;
}

static void note_size(struct end *from, int got) {
  if (got >= CHUNK_BYTES) from->full_reads += from->full_reads < SPLICE_AFTER;
  else if (got < BULK_BYTES) from->full_reads = 0;
}

/*
 * Reads something from `from`, and writes it to `to` unless it went into a pipe.
 *
 * @returns as stream_read; `*refused`: the write failed, see errno
 */
static int move(struct thread *thread, struct end *from, struct end *to, uint32_t most, bool *refused) {
  if (from->full_reads >= SPLICE_AFTER && from->pipe == NULL && stream_is_plain(from) && stream_is_plain(to)) {
    from->pipe = pipe_take(&thread->pipes);
    if (from->pipe == NULL) from->full_reads = 0;
  }
  int got;
  if (from->pipe != NULL) {
    got = read_by_pipe(thread, from, most);
  } else {
    const uint8_t *bytes = NULL;
    got = stream_read(thread, from, &bytes, most);
    if (got > 0) {
      note_size(from, got);
      *refused = !stream_write(thread, to, bytes, (uint32_t)got);
    }
  }
  if (got > 0) end_moved(thread, from);
  return got;
}

/* `to` takes nothing any more. */
static void refused(struct thread *thread, struct end *to, int error) {
  struct end *from = to->peer;
  to->error = error;
  chunk_drop(&to->out);
  give_pipe_back(thread, from);
  to->readable = true;
  pump(thread, to);
  if (to->phase == PHASE_RELAYED && !client_of(to)->is_closing) fail(thread, to, error);
}

void relay_refused(struct thread *thread, struct end *end, int error) {
  if (client_of(end)->is_closing) close_side(thread, end, true);
  else refused(thread, end, error);
}

static void line_up(struct thread *thread, struct end *end) {
  if (link_is_in(&end->ready)) return;
  link_join(&thread->ready, &end->ready);
  thread->waiting += 1;
}

/* Moves what can be moved from an end to its peer. */
static void pump(struct thread *thread, struct end *from) {
  struct end *to = from->peer;
  if (to->error != 0 || to->fd < 0) return;
  uint32_t left = thread->spent < TURN_BYTES ? thread->share : LEAST_SHARE_BYTES;
  for (;;) {
    enum passed passed = pass_on(thread, from, to);
    if (passed == REFUSED) {
      refused(thread, to, errno);
      return;
    }
    set_waits(thread, from, passed == WAITS);
    if (passed == WAITS) return;
    if (from->eof) {
      finish(thread, from, to);
      return;
    }
    if (!from->readable) return;
    if (left == 0) {
      line_up(thread, from);
      return;
    }
    bool is_refused = false;
    int got = move(thread, from, to, left, &is_refused);
    if (is_refused) {
      refused(thread, to, errno);
      return;
    }
    if (got == STREAM_FAILED) {
      fail(thread, from, from->error != 0 ? from->error : errno);
      return;
    }
    if (got == STREAM_END) {
      /* Its error went to a write: this is no end. */
      if (from->error == ECONNRESET) {
        from->eof = false;
        return;
      }
      note_end(thread, from);
      if (from->is_cut) {
        cut_off(thread, from);
        return;
      }
    }
    if (got > 0) left = (uint32_t)got < left ? left - (uint32_t)got : 0;
  }
}

/* Bulk stands in line as soon as others do, or the turn has moved enough: who has little to say never waits for more than a turn. */
static void pump_in_turn(struct thread *thread, struct end *from) {
  bool is_bulk = from->full_reads > 0 || from->pipe != NULL;
  bool is_full = thread->spent >= TURN_BYTES || link_is_in(&thread->ready);
  if (is_bulk && is_full && !thread->is_round) line_up(thread, from);
  else pump(thread, from);
}

/* What a side that is gone has left behind is sent; then its peer is closed, too. */
static void send_last(struct thread *thread, struct end *end) {
  enum passed passed = pass_on(thread, end->peer, end);
  if (passed == WAITS) return;
  if (passed == PASSED && end->resets_soon) delivery_await(thread, end);
  else close_side(thread, end, passed == REFUSED || !stream_finish(thread, end, true));
}

void relay_delivered(struct thread *thread, struct end *end) {
  close_side(thread, end, true);
}

/* Whether all of its bytes have come is not known. */
static void cut_off(struct thread *thread, struct end *side) {
  struct end *client = client_of(side), *peer = side->peer;
  client->is_closing = true;
  client->ended_by = side->is_client ? BY_CLIENT : BY_CANDIDATE;
  client->reason = OVER_TRUNCATED;
  if (close_side(thread, side, true)) return;
  peer->closes_soon = peer->resets_soon = true;
  send_last(thread, peer);
}

static void fail(struct thread *thread, struct end *side, int error) {
  struct end *client = client_of(side), *peer = side->peer;
  bool had_ended = side->eof;
  client->is_closing = true;
  client->ended_by = side->is_client ? BY_CLIENT : BY_CANDIDATE;
  client->reason = is_peer_reset(error) ? OVER_RESET : OVER_ERROR;
  client->reason_errno = error;
  give_pipe_back(thread, peer);
  if (close_side(thread, side, false)) return;
  if (had_ended) {
    peer->closes_soon = true;
    send_last(thread, peer);
  } else {
    close_side(thread, peer, true);
  }
}

void relay_lost(struct thread *thread, struct end *side, int error) {
  if (client_of(side)->is_closing) close_side(thread, side, true);
  else fail(thread, side, error);
}

void relay_run(struct thread *thread, struct end *end) {
  struct end *peer = end->peer;
  if (client_of(end)->is_closing) {
    if (end->closes_soon) send_last(thread, end);
    return;
  }
  if (end->eof && has_failed_behind_its_end(thread, end)) return;
  pump_in_turn(thread, end);
  if (end->phase != PHASE_RELAYED || end->peer != peer || client_of(end)->is_closing) return;
  if (end->writable) pump_in_turn(thread, peer);
  if (end->phase != PHASE_RELAYED || client_of(end)->is_closing) return;
  if (end->eof) has_failed_behind_its_end(thread, end);
}

static void tie(struct end *client, struct end *candidate) {
  client->peer = candidate;
  candidate->peer = client;
  client->phase = candidate->phase = PHASE_RELAYED;
  client->ended_by = BY_NOBODY;
  client->reason = OVER_FINISHED;
}

/* What the client has said so far goes first. @returns false: no memory */
static bool hand_over_early(struct thread *thread, struct end *client, struct end *candidate) {
  bool is_kept = true;
  if (!stream_is_plain(candidate)) {
    is_kept = client->early.length == 0 ||
              stream_write(thread, candidate, client->early.bytes + client->early.from, client->early.length);
    chunk_drop(&client->early);
  } else if (candidate->out.length == 0) {
    candidate->out = client->early;
    client->early = (struct chunk){.bytes = NULL};
  } else {
    is_kept = chunk_add(&candidate->out, client->early.bytes + client->early.from, client->early.length);
    chunk_drop(&client->early);
  }
  atomic_store_explicit(&thread->live[client->slot].early, 0, memory_order_relaxed);
  return is_kept;
}

/* Each is what it is to be, and nobody else has it. */
static bool can_be_tied(const struct end *client, const struct end *candidate) {
  bool is_here = client->phase == PHASE_IDLE || client->phase == PHASE_COLLECTING;
  return client->is_client && is_here && candidate != NULL && !candidate->is_client && candidate->phase == PHASE_IDLE;
}

void relay_start(struct thread *thread, struct end *client, struct end *candidate) {
  if (!can_be_tied(client, candidate)) {
    if (candidate != NULL) end_close(thread, candidate, true);
    end_close(thread, client, true);
    return;
  }
  tie(client, candidate);
  end_moved(thread, client);
  errno = ENOMEM;
  if (!hand_over_early(thread, client, candidate)) {
    fail(thread, candidate, errno);
    return;
  }
  if (client->eof) note_end(thread, client);
  if (client->is_cut) {
    cut_off(thread, client);
    return;
  }
  relay_run(thread, candidate);
  if (client->phase == PHASE_RELAYED) relay_run(thread, client);
}

/* @returns false: bytes would be lost behind a FIN that calls the stream complete */
static bool is_finished_gently(struct thread *thread, struct end *end) {
  return end->fd < 0 || (end_unsent(end) == 0 && stream_finish(thread, end, true));
}

void relay_abort(struct thread *thread, struct end *client, bool gently) {
  if (client->phase != PHASE_RELAYED || !client->is_client) return;
  struct end *candidate = client->peer;
  if (!client->is_closing) {
    client->is_closing = true;
    client->ended_by = BY_ATTACHE;
    client->reason = OVER_ABORTED;
  }
  /* Asked before anything is closed: a FIN would call a stream complete whose last bytes are thrown away. */
  bool reset_client = !gently || !is_finished_gently(thread, client);
  bool reset_candidate = !gently || !is_finished_gently(thread, candidate);
  end_release(thread, client, reset_client);
  end_release(thread, candidate, reset_candidate);
  over(thread, client);
}

void relay_probe(struct thread *thread, struct end *client) {
  if (!client->is_client || client->is_closing) return;
  struct end *sides[] = {client, client->peer};
  for (int n = 0; n < 2; n += 1) {
    struct end *side = sides[n];
    if (!side->eof && !side->waits) continue;
    if (has_failed_behind_its_end(thread, side)) return;
  }
}
