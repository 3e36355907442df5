/*
 * See ring.h. The order of things that keeps a wake-up from getting lost: the thread writes records, moves `head`, then sets
 * `is_called` and calls only if it was not set; JavaScript clears `is_called` first and reads `head` afterwards. So either the
 * thread sees that the call it made has been used up, or JavaScript sees the new records.
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

void ring_init(struct ring *ring, void *memory) {
  ring->shared = memory;
  ring->records = (struct record *)(void *)((char *)memory + sizeof(struct ring_head));
}

void ring_end(struct ring *ring) {
  free(ring->waiting);
  ring->waiting = NULL;
}

static bool put(struct ring *ring, const struct record *record) {
  uint32_t head = atomic_load_explicit(&ring->shared->head, memory_order_relaxed);
  uint32_t tail = atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
  if (head - tail >= RING_RECORDS) return false;
  ring->records[head % RING_RECORDS] = *record;
  atomic_store_explicit(&ring->shared->head, head + 1, memory_order_release);
  return true;
}

static void wait_for_room(struct ring *ring, const struct record *record) {
  if (ring->waiting_count == ring->waiting_room) {
    uint32_t room = ring->waiting_room == 0 ? 1024 : 2 * ring->waiting_room;
    struct record *more = malloc(room * sizeof *more);
    /* Without memory for a few kilobytes nothing of this process goes on: an end that is not told would never be over. */
    if (more == NULL) abort();
    for (uint32_t n = 0; n < ring->waiting_count; n += 1)
      more[n] = ring->waiting[(ring->waiting_first + n) % ring->waiting_room];
    free(ring->waiting);
    ring->waiting = more;
    ring->waiting_room = room;
    ring->waiting_first = 0;
  }
  ring->waiting[(ring->waiting_first + ring->waiting_count) % ring->waiting_room] = *record;
  ring->waiting_count += 1;
  atomic_store(&ring->shared->is_full, 1);
}

void ring_tell(struct ring *ring, const struct record *record, bool urgent) {
  /* Behind those that wait already: what is told of one connection is told in order. */
  if (ring->waiting_count > 0 || !put(ring, record)) wait_for_room(ring, record);
  if (urgent) ring->is_urgent = true;
  ring->is_due = true;
}

bool ring_is_full(const struct ring *ring) {
  return ring->waiting_count > 0;
}

void ring_refill(struct ring *ring) {
  if (ring->waiting_count == 0) return;
  /* Cleared first: JavaScript that makes room from now on says so again. */
  atomic_store(&ring->shared->is_full, 0);
  while (ring->waiting_count > 0 && put(ring, &ring->waiting[ring->waiting_first])) {
    ring->waiting_first = (ring->waiting_first + 1) % ring->waiting_room;
    ring->waiting_count -= 1;
    ring->is_due = ring->is_urgent = true;
  }
  if (ring->waiting_count > 0) {
    atomic_store(&ring->shared->is_full, 1);
  } else {
    free(ring->waiting);
    ring->waiting = NULL;
    ring->waiting_room = ring->waiting_first = 0;
  }
}

double ring_call(struct ring *ring, double now) {
  if (!ring->is_due) {
    ring->due_at = now + LAZY_MS;
    return -1;
  }
  if (!ring->is_urgent && ring->due_at > now) return ring->due_at - now;
  ring->is_due = ring->is_urgent = false;
  ring->due_at = now + LAZY_MS;
  /* When the environment is being torn down the answer is napi_closing, and nobody is left to be told. */
  if (atomic_exchange(&ring->shared->is_called, 1) == 0)
    (void)napi_call_threadsafe_function(ring->call, NULL, napi_tsfn_nonblocking);
  return -1;
}
