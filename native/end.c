/*
 * See end.h. RST is asked for by a linger of no time: it works in every state of a TCP socket, also behind a FIN of ours, where
 * libuv refuses. A Unix socket has none to send.
 */
#include "end.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dead.h"
#include "dial.h"
#include "relay.h"
#include "stream.h"

static void reborn(struct thread *thread, struct end *end, uint32_t slot) {
  uint32_t generation = end->generation;
  free(atomic_exchange(&end->report, NULL));
  memset(end, 0, sizeof *end);
  *end = (struct end){.fd = -1, .slot = slot, .generation = generation};
  end->is_client = slot < thread->clients;
  link_init(&end->ready);
  link_init(&end->watch);
  timer_init(&end->timer, dial_timed_out);
  struct live *live = &thread->live[slot];
  atomic_store_explicit(&live->taken, 0, memory_order_relaxed);
  atomic_store_explicit(&live->moved_at, thread->now, memory_order_relaxed);
  atomic_store_explicit(&live->early, 0, memory_order_relaxed);
  atomic_store_explicit(&live->flags, 0, memory_order_relaxed);
}

struct end *end_of_client(struct thread *thread) {
  if (thread->free_count == 0) return NULL;
  uint32_t slot = thread->free_slots[--thread->free_count];
  struct end *end = &thread->ends[slot];
  reborn(thread, end, slot);
  end->generation += 1;
  end->phase = PHASE_IDLE;
  return end;
}

struct end *end_of_candidate(struct thread *thread, uint32_t slot, uint32_t generation) {
  if (slot < thread->clients || slot >= 2 * thread->clients) return NULL;
  struct end *end = &thread->ends[slot];
  if (end->phase != PHASE_FREE) return NULL;
  reborn(thread, end, slot);
  end->generation = generation;
  end->phase = PHASE_CONNECTING;
  return end;
}

bool end_open(struct thread *thread, struct end *end, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = EPOLL_NAME(end->slot, end->generation)};
  end->fd = fd;
  return epoll_ctl(thread->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void end_heard(struct thread *thread, struct end *end) {
  if (!end->is_unheard) return;
  end->is_unheard = false;
  thread->unheard -= 1;
}

void end_release(struct thread *thread, struct end *end, bool reset) {
  end_heard(thread, end);
  if (end->fd >= 0) {
    if (reset && end->is_tcp) {
      struct linger none = {.l_onoff = 1, .l_linger = 0};
      (void)setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    close(end->fd);
    end->fd = -1;
  }
  stream_release(end);
  thread->waiting -= link_is_in(&end->ready);
  link_leave(&end->ready);
  link_leave(&end->watch);
  timer_clear(&thread->timers, &end->timer);
  chunk_drop(&end->early);
  chunk_drop(&end->out);
  end->readable = end->writable = false;
  end_flag(thread, end, LIVE_CLOSED, true);
}

static void tell_closed(struct thread *thread, struct end *end, int error) {
  end_over(end);
  struct record record = {.kind = RECORD_CLOSED, .slot = end->slot, .generation = end->generation};
  record.outcome.code = (uint32_t)error;
  /* Somebody waits for the answer of a dial. */
  ring_tell(&thread->ring, &record, error != 0);
}

void end_close(struct thread *thread, struct end *end, bool reset) {
  /* What a relay has is ended by the relay; one that is to read an alert ends by itself, in a moment. */
  if (end->phase == PHASE_FREE || end->phase == PHASE_RELAYED || end->phase == PHASE_OVER || end->phase == PHASE_TELLING) return;
  end_release(thread, end, reset);
  tell_closed(thread, end, 0);
}

void end_fail(struct thread *thread, struct end *end, int error) {
  end_release(thread, end, false);
  tell_closed(thread, end, error);
}

void end_over(struct end *end) {
  /* JavaScript names a candidate's slot anew once it has read of this; a client's would be the thread's to name at once. */
  end->phase = end->is_client ? PHASE_OVER : PHASE_FREE;
}

void end_forget(struct thread *thread, struct end *end) {
  if (end->phase != PHASE_OVER) return;
  end->phase = PHASE_FREE;
  thread->free_slots[thread->free_count++] = end->slot;
}

int end_error(const struct end *end) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
  return error;
}

uint32_t end_unsent(const struct end *end) {
  uint32_t piped = end->peer != NULL && end->peer->pipe != NULL ? end->peer->pipe->filled : 0;
  return end->out.length + piped;
}

void end_flag(struct thread *thread, struct end *end, uint32_t flag, bool is_on) {
  _Atomic uint32_t *flags = &thread->live[end->slot].flags;
  if (is_on) atomic_fetch_or(flags, flag);
  else atomic_fetch_and(flags, ~flag);
}

void end_took(struct thread *thread, struct end *end, size_t bytes) {
  end->taken += (int64_t)bytes;
  thread->spent += bytes;
  if (end->taken >= 0)
    atomic_store_explicit(&thread->live[end->slot].taken, (double)end->taken, memory_order_relaxed);
}

void end_moved(struct thread *thread, struct end *end) {
  atomic_store_explicit(&thread->live[end->slot].moved_at, thread->now, memory_order_relaxed);
}

void keep_alive(int fd, uint32_t ms) {
  int on = 1, first = (int)((ms + 999) / 1000), then = 1, times = 10;
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &first, sizeof first);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &then, sizeof then);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

void end_keep_alive(struct thread *thread, struct end *end, uint32_t ms) {
  if (end->fd >= 0 && end->is_tcp && ms > 0) keep_alive(end->fd, ms);
  /* A client has keep-alive from its listener. */
  if (end->phase != PHASE_RELAYED) return;
  dead_watch(thread, end, ms);
  dead_watch(thread, end->peer, ms);
}

void end_probe(struct thread *thread, struct end *end) {
  if (end->phase == PHASE_RELAYED) {
    relay_probe(thread, end);
    return;
  }
  /* One whose memory is full is not read, and so its reset not either. */
  if (end->phase != PHASE_COLLECTING || !end->failed) return;
  int error = end_error(end);
  end->failed = false;
  if (error != 0) end_fail(thread, end, error);
}

void end_note(struct end *end, uint32_t events) {
  if ((events & EPOLLOUT) != 0) end->writable = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) end->readable = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) end->hung_up = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == EPOLLRDHUP) end->fin_seen = true;
  if ((events & EPOLLERR) != 0) end->failed = true;
}

void end_tell(struct thread *thread, const struct end *end, enum record_kind kind) {
  struct record record = {.kind = kind, .slot = end->slot, .generation = end->generation};
  ring_tell(&thread->ring, &record, true);
}

bool chunk_add(struct chunk *chunk, const uint8_t *bytes, uint32_t length) {
  if (length == 0) return true;
  uint8_t *more = malloc(chunk->length + length);
  if (more == NULL) return false;
  if (chunk->length > 0) memcpy(more, chunk->bytes + chunk->from, chunk->length);
  memcpy(more + chunk->length, bytes, length);
  free(chunk->bytes);
  chunk->bytes = more;
  chunk->from = 0;
  chunk->length += length;
  return true;
}

void chunk_drop(struct chunk *chunk) {
  free(chunk->bytes);
  *chunk = (struct chunk){.bytes = NULL};
}

void chunk_shift(struct chunk *chunk, uint32_t length) {
  chunk->from += length;
  chunk->length -= length;
  if (chunk->length == 0) chunk_drop(chunk);
}
