/*
 * A fuzzer of the command queue and of all that a connection goes through without TLS. An input is a script: what JavaScript says,
 * to ends of any kind and in any order, what peers do on the other side of the sockets, and when the thread has its turns.
 *
 * Each act is two bytes: what and how much, and to whom. Names are right, stale or nobody's. What an act of JavaScript may never do, by the
 * contract of commands.h, is left out: a command is whole, a descriptor is given away once, and a dial names a generation that
 * was not named before.
 *
 * What must hold, whatever is said: see world.c, and no sanitizer speaks.
 */
#include "world.h"

#define MOST_ACTS 400
/* Amounts that there are: the first byte of an act has room for so many. */
#define MEASURES 9

static struct world world;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  return 0;
}

/* ---- What peers do */

static struct peer *free_place(void) {
  for (uint32_t n = 0; n < PEERS; n += 1)
    if (world.peers[n].fd < 0) return &world.peers[n];
  return NULL;
}

static void come(uint8_t which) {
  struct listening *listening = &world.listeners[which % LISTENERS];
  struct peer *place = free_place();
  if (place != NULL && listening->id != 0) *place = peer_connect(&listening->address, listening->size);
}

static void be_dialed(void) {
  for (struct peer *place; (place = free_place()) != NULL;) {
    *place = peer_accept(world.candidates.fd, world.is_tcp);
    if (place->fd < 0) return;
  }
}

static void read_all(void) {
  for (uint32_t n = 0; n < PEERS; n += 1)
    for (int times = 0; times < 8 && world.peers[n].fd >= 0 && !world.peers[n].has_ended; times += 1) peer_read(&world.peers[n], 65536);
}

enum peer_act { COME, BE_DIALED, WRITE, READ, SHUT, RESET, LEAVE, READ_ALL, PEER_ACTS };

static void act_as_peer(enum peer_act what, uint8_t which, uint8_t amount) {
  struct peer *peer = &world.peers[which % PEERS];
  if (what == COME) come(which);
  else if (what == BE_DIALED) be_dialed();
  else if (what == READ_ALL) read_all();
  else if (peer->fd < 0) return;
  else if (what == WRITE) peer_write(peer, (size_t)amount * amount + 1);
  else if (what == READ) peer_read(peer, (size_t)amount * amount + 1);
  else if (what == SHUT) peer_shut(peer);
  else if (what == RESET) peer_reset(peer);
  else peer_close(peer);
}

/* ---- What JavaScript does */

/* Three bits of a slot; then the name as it was told, as the thread has it, or one that is wrong. */
static struct name name_of(uint8_t which) {
  struct name name = {which % ENDS, world.ends[which % ENDS].generation};
  switch (which >> 3 & 7) {
    case 4:
    case 5: name.generation = world.half.thread->ends[name.slot].generation; break;
    case 6: name.generation += which >> 7 ? 1u : -1u; break;
    case 7: name.slot += which >> 7 ? ENDS : UINT32_MAX - ENDS; break;
    default: break;
  }
  return name;
}

/* Where nobody is, where peers wait, or at home. */
static const struct listening *goal_of(uint8_t amount) {
  static const struct listening nobody = {.address = {.ss_family = AF_INET}, .size = sizeof(struct sockaddr_in)};
  static const struct listening nothing = {.size = 0};
  const struct listening *home = &world.listeners[amount % LISTENERS];
  if (amount % 8 == 6) return &nothing;
  if (amount % 8 == 7) return &nobody;
  return amount % 8 == 5 && home->id != 0 ? home : &world.candidates;
}

static void dial(uint8_t which, uint8_t amount) {
  const struct listening *goal = goal_of(amount);
  uint32_t slot = (which & 0xe0) == 0xe0 ? which : world_candidate(&world, which);
  struct name name = {slot, ++world.generation};
  half_dial(&world.half, &(struct dial_words){.name = name,
                                              .ms = 1 + amount,
                                              .address = &goal->address,
                                              .size = goal->size,
                                              .preface = amount / 8,
                                              .is_home = which & 16});
  if (slot >= CLIENTS && slot < ENDS) world.ends[slot].named = name.generation;
}

static void relay(uint8_t which, uint8_t measure) {
  /* Candidates, as they were told and as the thread has them; a wrong name, a client, nobody. */
  static const uint8_t candidates[MEASURES] = {4, 5, 6, 7, 4 | 4 << 3, 5 | 4 << 3, 4 | 6 << 3, 0, 4 | 7 << 3};
  struct name client = name_of(which), candidate = name_of(candidates[measure]);
  half_put(&world.half, COMMAND_RELAY, client, candidate.slot, candidate.generation);
  world_said(&world, client);
  world_said(&world, candidate);
}

/* Those that name one end and say no more than a number of it. */
static void say(enum command_kind kind, uint8_t which, uint8_t amount) {
  struct name name = name_of(which);
  half_put(&world.half, kind, name, kind == COMMAND_ASK || kind == COMMAND_TAKE ? amount * 16u : amount, 0);
  if (kind == COMMAND_TAKE || kind == COMMAND_CLOSE) world_said(&world, name);
}

static void stop_listening(uint8_t which, uint8_t amount) {
  const struct listening *one = &world.listeners[which % LISTENERS];
  if (amount % 4 == 0) world_stop_listening(&world, amount);
  else if (one->id == 0) return;
  else if (amount % 4 == 1) world_stop_listening(&world, one->id);
  else (void)shutdown(one->fd, SHUT_RDWR);
}

enum act { TURN = PEER_ACTS, WAIT, HEAR, HEAR_ALL, LISTEN, UNLISTEN, DIAL, RELAY, POOR_TURN, SAY, ACTS = SAY + 12 };

static void act(uint8_t what, uint8_t which, uint8_t measure) {
  static const enum command_kind said[] = {COMMAND_COLLECT, COMMAND_ASK,    COMMAND_TAKE,       COMMAND_CLOSE,
                                           COMMAND_ABORT,   COMMAND_PROBE,  COMMAND_KEEP_ALIVE, COMMAND_FORGET,
                                           COMMAND_HELLO,   COMMAND_ROOM,   COMMAND_COLLECT,    COMMAND_TAKE};
  static const uint8_t amounts[MEASURES] = {0, 1, 2, 5, 6, 7, 40, 120, 255};
  const uint8_t amount = amounts[measure];
  _Static_assert(sizeof said / sizeof *said == ACTS - SAY, "each has an act");
  _Static_assert(255 / ACTS < MEASURES, "each has an amount");
  if (what < PEER_ACTS) act_as_peer(what, which, amount);
  else if (what == WAIT) world_wait((double)amount * amount);
  else if (what == HEAR) world_hear(&world, amount % 16u);
  else if (what == HEAR_ALL) world_hear(&world, UINT32_MAX);
  else if (what == LISTEN) world_listen(&world);
  else if (what == UNLISTEN) stop_listening(which, amount);
  else if (what == DIAL) dial(which, amount);
  else if (what == RELAY) relay(which, measure);
  else if (what >= SAY) say(said[what - SAY], which, amount);
  if (what == TURN || what == WAIT || what == POOR_TURN) world_turn(&world, what == POOR_TURN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  world_begin(&world, data[0] & 1);
  for (size_t at = 1, acts = 0; at + 1 < size && acts < MOST_ACTS; at += 2, acts += 1) act(data[at] % ACTS, data[at + 1], data[at] / ACTS);
  world_end(&world, (data[0] & 6) != 0);
  return 0;
}
