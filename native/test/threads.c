/*
 * Both threads of an engine and two crowds of peers, for ThreadSanitizer: what JavaScript's half does with memory that both
 * touch is C here, so the sanitizer sees both sides of it.
 *
 *     threads SECONDS SEED
 *
 * In rounds: an engine begins, serves for a moment, and is stopped in the middle of it, or when all have been told to go. What must
 * hold besides: what is told of an end is told in order and nothing behind its last, bytes come as they were written, and no
 * descriptor is left.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../loop.h"
#include "../relay.h"
#include "crowd.h"
#include "half.h"
#include "peer.h"

#define CLIENTS 128
#define CROWDS 2
#define MOST_HEADER 4096
#define ROUND_MS 700
/* Far beyond what it takes: an engine that does not end is a finding. */
#define PATIENCE_MS 20000

enum state { UNKNOWN, ASKED, WAITING, DIALING, RELAYED, CLOSING };

/* What JavaScript knows of an end. */
struct known {
  enum state state;
  uint32_t generation;
  struct name other; /* of a client: its candidate; the other way round */
};

struct world {
  struct half half;
  struct square *square;
  pthread_t engine;
  uint64_t seed;
  struct known ends[2 * CLIENTS];
  uint32_t used, free[CLIENTS], free_count, generation; /* of candidates' slots */
  uint32_t listener_id;
  int listener;
  struct sockaddr_storage candidates;
  socklen_t candidates_size;
  uint64_t records, relays, lent;
};

static struct name name_of(const struct world *world, uint32_t slot) {
  return (struct name){slot, world->ends[slot].generation};
}

static bool one_in(struct world *world, uint32_t count) {
  return draw(&world->seed, count) == 0;
}

static void put(struct world *world, enum command_kind kind, struct name name, uint32_t third) {
  half_put(&world->half, kind, name, third, 0);
}

static void close_end(struct world *world, struct name name) {
  world->ends[name.slot].state = CLOSING;
  put(world, COMMAND_CLOSE, name, draw(&world->seed, 2));
}

/* ---- Listeners */

static void listen_anew(struct world *world) {
  struct sockaddr_storage address;
  socklen_t size;
  world->listener = half_listen(true, &address, &size);
  world->listener_id += 1;
  half_put(&world->half, COMMAND_LISTEN, (struct name){world->listener_id, (uint32_t)world->listener}, 1, draw(&world->seed, 2));
  atomic_store(&world->square->port, ntohs(((struct sockaddr_in *)(void *)&address)->sin_port));
}

static void stop_listening(struct world *world) {
  atomic_store(&world->square->port, 0);
  (void)shutdown(world->listener, SHUT_RDWR);
  put(world, COMMAND_UNLISTEN, (struct name){world->listener_id, 0}, 0);
}

/* ---- What is told */

static void dial(struct world *world, struct name client) {
  if (world->free_count == 0 && world->used == CLIENTS) return close_end(world, client);
  uint32_t slot = world->free_count > 0 ? world->free[--world->free_count] : CLIENTS + world->used++;
  struct name name = {slot, ++world->generation};
  EXPECT(world->ends[slot].state == UNKNOWN);
  world->ends[slot] = (struct known){.state = DIALING, .generation = name.generation, .other = client};
  world->ends[client.slot].other = name;
  world->ends[client.slot].state = DIALING;
  half_dial(&world->half, &(struct dial_words){.name = name,
                                               .ms = 1 + draw(&world->seed, 500),
                                               .address = &world->candidates,
                                               .size = world->candidates_size,
                                               .preface = draw(&world->seed, 3) * 20,
                                               .is_home = one_in(world, 4)});
}

static void collect(struct world *world, struct name client) {
  world->ends[client.slot].state = WAITING;
  put(world, COMMAND_COLLECT, client, 0);
  if (!one_in(world, 8)) dial(world, client);
}

static void accepted(struct world *world, const struct record *record) {
  struct known *client = &world->ends[record->slot];
  EXPECT(record->slot < CLIENTS && client->state == UNKNOWN && record->generation == client->generation + 1);
  *client = (struct known){.state = WAITING, .generation = record->generation};
  struct name name = name_of(world, record->slot);
  if (record->of != world->listener_id || one_in(world, 16)) {
    close_end(world, name);
  } else if (one_in(world, 2)) {
    client->state = ASKED;
    put(world, COMMAND_ASK, name, 1 + draw(&world->seed, MOST_HEADER));
  } else {
    collect(world, name);
  }
}

/* It has a piece of the client's stream, which is looked at as a PROXY header is. */
static void lent(struct world *world, struct name name) {
  if (world->ends[name.slot].state == CLOSING) return;
  if (world->ends[name.slot].state != ASKED) return put(world, COMMAND_TAKE, name, 0);
  uint32_t length, again;
  const uint8_t *bytes = half_lent(&world->half, name.slot, &length);
  EXPECT(length > 0 && length <= MOST_HEADER);
  /* A thread that does not keep away from it has time to touch it. */
  usleep(draw(&world->seed, 1000));
  for (uint32_t n = 1; n < length; n += 1) EXPECT(bytes[n] == (bytes[n - 1] + 1u) % STREAM_PERIOD);
  EXPECT(half_lent(&world->half, name.slot, &again) == bytes && again == length);
  world->lent += 1;
  if (one_in(world, 8)) return close_end(world, name);
  put(world, COMMAND_TAKE, name, draw(&world->seed, length + 2));
  if (one_in(world, 4)) put(world, COMMAND_ASK, name, MOST_HEADER);
  else collect(world, name);
}

static void dialed(struct world *world, struct name candidate) {
  struct known *end = &world->ends[candidate.slot], *client = &world->ends[end->other.slot];
  if (end->state == CLOSING) return;
  bool is_there = client->generation == end->other.generation && client->state == DIALING;
  if (!is_there || one_in(world, 16)) return close_end(world, candidate);
  end->state = client->state = RELAYED;
  half_put(&world->half, COMMAND_RELAY, end->other, candidate.slot, candidate.generation);
  if (one_in(world, 2)) put(world, COMMAND_KEEP_ALIVE, candidate, 1 + draw(&world->seed, 1000));
  world->relays += 1;
}

static void closed(struct world *world, struct name name) {
  struct known *end = &world->ends[name.slot];
  end->state = UNKNOWN;
  if (name.slot < CLIENTS) return put(world, COMMAND_FORGET, name, 0);
  world->free[world->free_count++] = name.slot;
  struct known *client = &world->ends[end->other.slot];
  bool waits = client->generation == end->other.generation && client->state == DIALING;
  if (waits && client->other.slot == name.slot && client->other.generation == name.generation) close_end(world, end->other);
}

static void over(struct world *world, const struct record *record) {
  struct known *client = &world->ends[record->slot];
  EXPECT(record->of == client->other.slot && world->ends[record->of].state == RELAYED);
  EXPECT(record->outcome.reason <= OVER_TRUNCATED && record->outcome.ended_by <= BY_NOBODY);
  EXPECT(record->outcome.to_client >= 0 && record->outcome.to_candidate >= 0);
  closed(world, client->other);
  closed(world, name_of(world, record->slot));
}

/* What Relay.needsWatch does. */
static void watch(struct world *world, uint32_t slot) {
  _Atomic uint32_t *flags = &world->half.live[slot].flags;
  uint32_t looked_for = LIVE_WAITS | LIVE_ENDED | LIVE_CLOSED;
  uint32_t both = atomic_load(flags) | atomic_load(&world->half.live[world->ends[slot].other.slot].flags);
  if ((both & looked_for) == 0) atomic_fetch_and(flags, ~(uint32_t)LIVE_WATCH_TOLD);
}

static void told(struct world *world, const struct record *record) {
  struct name name = {record->slot, record->generation};
  world->records += 1;
  if (record->kind == RECORD_ACCEPT_FAILED) return;
  if (record->kind == RECORD_ACCEPTED) return accepted(world, record);
  EXPECT(name.slot < 2 * CLIENTS && world->ends[name.slot].generation == name.generation);
  EXPECT(world->ends[name.slot].state != UNKNOWN);
  switch (record->kind) {
    case RECORD_LENT: lent(world, name); break;
    case RECORD_DIALED: dialed(world, name); break;
    case RECORD_CLOSED: closed(world, name); break;
    case RECORD_OVER: over(world, record); break;
    case RECORD_WATCH: watch(world, name.slot); break;
    default: EXPECT(record->kind == RECORD_ENDED || record->kind == RECORD_HOME);
  }
}

static void hear(struct world *world, int most_ms) {
  struct pollfd event = {.fd = world->half.event, .events = POLLIN};
  struct record record;
  half_flush(&world->half);
  (void)poll(&event, 1, most_ms);
  half_hear(&world->half);
  while (half_next(&world->half, &record)) told(world, &record);
  half_heard(&world->half);
}

/* ---- What JavaScript does beside that */

/* Whatever is read of an end at any time. */
static double count(const struct world *world) {
  double sum = 0;
  for (uint32_t slot = 0; slot < CLIENTS + world->used; slot += 1) {
    const struct live *live = &world->half.live[slot];
    sum += atomic_load_explicit(&live->taken, memory_order_relaxed);
    EXPECT(atomic_load_explicit(&live->moved_at, memory_order_relaxed) <= monotonic_ms());
    EXPECT(atomic_load_explicit(&live->early, memory_order_relaxed) <= EARLY_BYTES);
    EXPECT(atomic_load(&live->flags) < 2 * LIVE_UNCLEAN);
  }
  return sum;
}

static void end_one(struct world *world, uint32_t slot) {
  struct name name = name_of(world, slot);
  enum state state = world->ends[slot].state;
  if (state == RELAYED && slot < CLIENTS) put(world, COMMAND_ABORT, name, draw(&world->seed, 2));
  else if (state != RELAYED && state != CLOSING && state != UNKNOWN) close_end(world, name);
}

/* Something is said of an end without having been asked for. */
static void interfere(struct world *world) {
  uint32_t slot = draw(&world->seed, 2 * CLIENTS);
  struct name name = name_of(world, slot);
  enum state state = world->ends[slot].state;
  if (state == UNKNOWN) return;
  if (one_in(world, 3)) return end_one(world, slot);
  if (one_in(world, 2)) return put(world, COMMAND_PROBE, name, 0);
  if (state == RELAYED) return put(world, COMMAND_KEEP_ALIVE, name, 1 + draw(&world->seed, 1000));
  if (state != ASKED) return;
  /* The header has taken too long. */
  put(world, COMMAND_TAKE, name, 0);
  collect(world, name);
}

static bool is_empty(const struct world *world) {
  for (uint32_t slot = 0; slot < 2 * CLIENTS; slot += 1)
    if (world->ends[slot].state != UNKNOWN) return false;
  return true;
}

/* All are told to go, and all are heard of. */
static void leave(struct world *world) {
  double until = monotonic_ms() + PATIENCE_MS;
  stop_listening(world);
  while (!is_empty(world)) {
    for (uint32_t slot = 0; slot < 2 * CLIENTS; slot += 1) end_one(world, slot);
    hear(world, 10);
    EXPECT(monotonic_ms() < until);
  }
}

static void serve(struct world *world) {
  double until = monotonic_ms() + draw(&world->seed, ROUND_MS);
  listen_anew(world);
  while (monotonic_ms() < until) {
    hear(world, 1 + (int)draw(&world->seed, 5));
    EXPECT(count(world) >= 0);
    if (one_in(world, 4)) interfere(world);
    if (!one_in(world, 100)) continue;
    stop_listening(world);
    listen_anew(world);
  }
  if (one_in(world, 2)) leave(world);
  atomic_store(&world->square->port, 0);
}

static void play(struct world *world) {
  world->half = half_begin(CLIENTS);
  world->used = world->free_count = 0;
  memset(world->ends, 0, sizeof world->ends);
  EXPECT(pthread_create(&world->engine, NULL, thread_run, world->half.thread) == 0);
  serve(world);
  half_flush(&world->half);
  inbox_finish(&world->half.thread->inbox);
  pthread_join(world->engine, NULL);
  half_end(&world->half);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: threads SECONDS SEED\n");
    return 64;
  }
  double until = monotonic_ms() + 1e3 * atof(argv[1]);
  unsigned before = open_descriptors(), rounds = 0;
  struct square square = {.port = 0};
  struct world *world = calloc(1, sizeof *world);
  *world = (struct world){.square = &square, .seed = strtoull(argv[2], NULL, 10) | 1};
  square.candidates = half_listen(true, &world->candidates, &world->candidates_size);
  struct crowd crowds[CROWDS];
  for (unsigned n = 0; n < CROWDS; n += 1) {
    crowds[n] = (struct crowd){.square = &square, .seed = world->seed + 2 * n + 2};
    crowd_begin(&crowds[n]);
  }
  for (; monotonic_ms() < until; rounds += 1) play(world);
  atomic_store(&square.is_over, true);
  for (unsigned n = 0; n < CROWDS; n += 1) crowd_end(&crowds[n]);
  close(square.candidates);
  EXPECT(open_descriptors() == before);
  uint64_t heard = crowds[0].heard + crowds[1].heard;
  printf("%u rounds, %llu relays, %llu loans, %llu records, %llu bytes\n", rounds, (unsigned long long)world->relays,
         (unsigned long long)world->lent, (unsigned long long)world->records, (unsigned long long)heard);
  free(world);
  return 0;
}
