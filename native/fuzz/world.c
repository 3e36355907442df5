/* See world.h. */
#include "world.h"

#include <sys/resource.h>
#include <unistd.h>

#include "../loop.h"
#include "../relay.h"

/* An end that has been told to go is gone in so many turns. */
#define MOST_TURNS 8
/* Longer than any time-out. */
#define LONG_MS 120e3

/* AddressSanitizer's; its header does not come with every compiler. */
size_t __sanitizer_get_current_allocated_bytes(void);

static double now = 1e6;

double monotonic_ms(void) {
  return now;
}

void world_wait(double ms) {
  now += ms;
}

/* ---- What is told */

static struct known *known_of(struct world *world, const struct record *record) {
  EXPECT(record->slot < ENDS);
  struct known *known = &world->ends[record->slot];
  if (!known->is_there) {
    /* The first word of it. Nothing is told of one that is over, nor of one that nobody has dialed. */
    bool is_client = record->slot < CLIENTS;
    EXPECT(is_client == (record->kind == RECORD_ACCEPTED));
    EXPECT(is_client ? record->generation == known->generation + 1 : record->generation > known->generation);
    EXPECT(is_client || record->generation <= known->named);
    *known = (struct known){.is_there = true, .generation = record->generation, .named = known->named};
  } else {
    EXPECT(record->generation == known->generation && record->kind != RECORD_ACCEPTED);
  }
  return known;
}

static void lent(struct world *world, struct known *known, uint32_t slot) {
  const struct end *end = &world->half.thread->ends[slot];
  /* It has been said meanwhile that the loan is over, or may have been. */
  bool is_unsure = world->half.count > 0 || world->half.thread->inbox.count > 0;
  if (is_unsure || end->generation != known->generation || end->phase != PHASE_LENT) return;
  known->is_lent = true;
  known->bytes = half_lent(&world->half, slot, &known->length);
  EXPECT(known->length > 0 && known->length <= TLS_MAX_HELLO);
  for (uint32_t n = 1; n < known->length; n += 1) {
    if (known->bytes[n] != PREFACE_BYTE && known->bytes[n - 1] != PREFACE_BYTE)
      EXPECT(known->bytes[n] == (known->bytes[n - 1] + 1u) % STREAM_PERIOD);
  }
}

static void over(struct world *world, struct known *client, const struct record *record) {
  EXPECT(record->slot < CLIENTS && record->of >= CLIENTS && record->of < ENDS);
  EXPECT(record->outcome.reason <= OVER_TRUNCATED && record->outcome.ended_by <= BY_NOBODY);
  EXPECT(world->ends[record->of].is_there);
  client->is_there = world->ends[record->of].is_there = false;
}

static void told(struct world *world, const struct record *record) {
  if (record->kind == RECORD_ACCEPT_FAILED) return;
  struct known *known = known_of(world, record);
  switch (record->kind) {
    case RECORD_LENT: lent(world, known, record->slot); break;
    case RECORD_CLOSED: known->is_there = known->is_lent = false; break;
    case RECORD_OVER: over(world, known, record); break;
    case RECORD_ENDED:
      EXPECT(!known->has_ended);
      known->has_ended = true;
      break;
    case RECORD_WATCH: EXPECT(record->slot < CLIENTS); break;
    case RECORD_DIALED:
    case RECORD_HOME: EXPECT(record->slot >= CLIENTS); break;
    default: EXPECT(record->kind == RECORD_ACCEPTED || record->kind == RECORD_HELLO);
  }
}

void world_hear(struct world *world, unsigned most) {
  struct record record;
  half_hear(&world->half);
  world->is_behind = true;
  for (; most > 0; most -= 1) {
    if (!half_next(&world->half, &record)) {
      world->is_behind = false;
      break;
    }
    told(world, &record);
  }
  half_heard(&world->half);
}

/* ---- Turns */

static void look_at_loans(const struct world *world) {
  for (uint32_t slot = 0; slot < ENDS; slot += 1) {
    const struct known *known = &world->ends[slot];
    if (!known->is_lent) continue;
    uint32_t length;
    const struct end *end = &world->half.thread->ends[slot];
    EXPECT(end->generation == known->generation && end->phase == PHASE_LENT);
    EXPECT(half_lent(&world->half, slot, &length) == known->bytes && length == known->length);
  }
}

static bool has_unread(const struct world *world) {
  const struct ring_head *head = world->half.memory;
  return atomic_load(&head->head) != world->half.read;
}

static void turn_poorly(struct thread *thread) {
  struct rlimit limit, none;
  EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  none = limit;
  none.rlim_cur = 0;
  EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
  thread_turn(thread, 0);
  EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

void world_turn(struct world *world, bool is_poor) {
  struct thread *thread = world->half.thread;
  half_flush(&world->half);
  if (is_poor) turn_poorly(thread);
  else thread_turn(thread, 0);
  look_at_loans(world);
  EXPECT(!has_unread(world) || world->is_behind || thread->ring.is_due || half_is_called(&world->half));
  for (uint32_t slot = 0; slot < ENDS; slot += 1) EXPECT(atomic_load(&world->half.live[slot].early) <= TLS_MAX_HELLO);
}

void world_said(struct world *world, struct name name) {
  if (name.slot < ENDS && world->ends[name.slot].generation == name.generation) world->ends[name.slot].is_lent = false;
}

/* ---- Listeners */

void world_listen(struct world *world) {
  for (uint32_t n = 0; n < LISTENERS; n += 1) {
    struct listening *one = &world->listeners[n];
    if (one->id != 0) continue;
    *one = (struct listening){.id = ++world->listener_id};
    one->fd = half_listen(world->is_tcp, &one->address, &one->size);
    half_put(&world->half, COMMAND_LISTEN, (struct name){one->id, (uint32_t)one->fd}, world->is_tcp, n % 2);
    return;
  }
}

void world_stop_listening(struct world *world, uint32_t id) {
  half_put(&world->half, COMMAND_UNLISTEN, (struct name){id, 0}, 0, 0);
  for (uint32_t n = 0; n < LISTENERS; n += 1) {
    struct listening *one = &world->listeners[n];
    if (one->id != id) continue;
    *one = (struct listening){.id = 0};
    return;
  }
}

uint32_t world_candidate(const struct world *world, uint32_t which) {
  uint32_t used = 0;
  while (used < CLIENTS && world->half.thread->ends[CLIENTS + used].generation != 0) used += 1;
  return CLIENTS + which % (used < CLIENTS ? used + 1 : CLIENTS);
}

/* ---- Beginning and ending */

void world_begin(struct world *world, bool is_tcp) {
  *world = (struct world){.is_tcp = is_tcp, .descriptors = open_descriptors()};
  world->bytes = __sanitizer_get_current_allocated_bytes();
  for (uint32_t n = 0; n < PEERS; n += 1) world->peers[n].fd = -1;
  world->half = half_begin(CLIENTS);
  world->candidates.fd = half_listen(is_tcp, &world->candidates.address, &world->candidates.size);
  /* A third finds no place in the queue, and waits for its time-out. */
  EXPECT(listen(world->candidates.fd, 1) == 0);
  world_listen(world);
  world_turn(world, false);
}

static bool say_last(struct world *world, uint32_t slot) {
  const struct end *end = &world->half.thread->ends[slot];
  struct name name = {slot, end->generation};
  if (end->phase == PHASE_FREE) return true;
  if (end->phase == PHASE_OVER) half_put(&world->half, COMMAND_FORGET, name, 0, 0);
  else if (end->phase == PHASE_RELAYED) half_put(&world->half, COMMAND_ABORT, name, slot % 2, 0);
  else half_put(&world->half, COMMAND_CLOSE, name, slot % 2, 0);
  world_said(world, name);
  return false;
}

static void end_all(struct world *world) {
  bool is_done = false;
  for (uint32_t n = 0; n < LISTENERS; n += 1)
    if (world->listeners[n].id != 0) world_stop_listening(world, world->listeners[n].id);
  for (int turns = 0; !is_done; turns += 1) {
    EXPECT(turns < MOST_TURNS);
    world_turn(world, false);
    do world_hear(world, UINT32_MAX);
    while (has_unread(world));
    is_done = !ring_is_full(&world->half.thread->ring);
    for (uint32_t slot = 0; slot < ENDS; slot += 1) is_done = say_last(world, slot) && is_done;
  }
}

/* Every slot has been given back, once, and nothing waits for anything. */
static void look_at_rest(struct world *world) {
  const struct thread *thread = world->half.thread;
  uint32_t seen = 0;
  EXPECT(thread->free_count == CLIENTS);
  for (uint32_t n = 0; n < CLIENTS; n += 1) seen |= 1u << thread->free_slots[n];
  EXPECT(seen == (1u << CLIENTS) - 1);
  for (uint32_t slot = 0; slot < ENDS; slot += 1) {
    const struct live *live = &world->half.live[slot];
    EXPECT(!world->ends[slot].is_there && thread->ends[slot].generation == world->ends[slot].generation);
    EXPECT(thread->ends[slot].generation == 0 || (atomic_load(&live->flags) & LIVE_CLOSED) != 0);
  }
  EXPECT(thread->unheard == 0 && thread->waiting == 0 && !link_is_in(&thread->ready) && !link_is_in(&thread->watched));
  world_wait(LONG_MS);
  world_turn(world, false);
  EXPECT(thread->timers.count == 0 && !has_unread(world));
  /* Of the engine: epoll and the inbox; beside it the event of calls and who listens for candidates. */
  EXPECT(open_descriptors() == world->descriptors + 4);
}

void world_end(struct world *world, bool tidily) {
  if (tidily) end_all(world);
  for (uint32_t n = 0; n < PEERS; n += 1) peer_reset(&world->peers[n]);
  if (tidily) look_at_rest(world);
  else half_flush(&world->half);
  half_end(&world->half);
  close(world->candidates.fd);
  EXPECT(open_descriptors() == world->descriptors);
  EXPECT(__sanitizer_get_current_allocated_bytes() == world->bytes);
}
