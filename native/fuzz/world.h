/*
 * An engine whose turns are run by the caller, what JavaScript would know of its ends, and the peers. The clock stands still unless
 * it is moved. What is told is held against what may be told; in the end all must have been given back.
 */
#pragma once
#include "../test/half.h"
#include "../test/peer.h"

#define CLIENTS 4u
#define ENDS (2 * CLIENTS)
#define PEERS 12u
#define LISTENERS 3u

/* What has been told of a slot. */
struct known {
  bool is_there;
  uint32_t generation; /* that was there last */
  uint32_t named;      /* the last that a dial has named */
  bool has_ended;
  /* While it is lent and nothing has been said that may end the loan: where it lies. */
  bool is_lent;
  const uint8_t *bytes;
  uint32_t length;
};

struct listening {
  uint32_t id;
  int fd;
  struct sockaddr_storage address;
  socklen_t size;
};

struct world {
  struct half half;
  bool is_tcp;
  bool is_behind; /* JavaScript has records to read, and knows */
  struct known ends[ENDS];
  struct peer peers[PEERS];
  struct listening listeners[LISTENERS]; /* of the engine; without an id: none */
  struct listening candidates;           /* of the peers */
  uint32_t generation, listener_id;
  /* Before it began. */
  unsigned descriptors;
  size_t bytes;
};

void world_begin(struct world *world, bool is_tcp);
/* @param tidily all ends are told to go first, and heard of */
void world_end(struct world *world, bool tidily);

/* Hands over what has been put, and runs a turn. @param is_poor in which no descriptor can be had */
void world_turn(struct world *world, bool is_poor);
void world_wait(double ms);
/* JavaScript reads so many records at most. */
void world_hear(struct world *world, unsigned most);
/* Something has been said of an end that may end its loan. */
void world_said(struct world *world, struct name name);

void world_listen(struct world *world);
void world_stop_listening(struct world *world, uint32_t id);
/* The candidate's slot of those that have been used, or the next. */
uint32_t world_candidate(const struct world *world, uint32_t which);
