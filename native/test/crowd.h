/*
 * A thread of peers that do what they like: they come and are dialed, write, read, stall, end, reset and leave, at random moments.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What all crowds look at. */
struct square {
  atomic_uint port; /* where clients are let in; 0: nowhere */
  atomic_bool is_over;
  int candidates; /* a listener */
};

struct crowd {
  struct square *square;
  uint64_t seed;
  pthread_t thread;
  /* To be read once it has ended. */
  uint64_t peers, written, heard;
};

/* Any spread will do. */
uint32_t draw(uint64_t *state, uint32_t below);

void crowd_begin(struct crowd *crowd);
/* Behind `is_over`. */
void crowd_end(struct crowd *crowd);
