/*
 * What JavaScript tells the thread: commands of whole words, written by JavaScript into a buffer of its own and handed over in
 * batches. The queue is memory under a lock, and an eventfd wakes the thread when it sleeps; a command costs JavaScript a few
 * stores, a batch one call.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* src/transport/native/commands.ts writes them: words of 32 bits, the kind and the number of words first, LEAST_WORDS in all or more. */
enum command_kind {
  COMMAND_LISTEN = 1, /* id, descriptor, whether it is TCP, whether local addresses differ */
  COMMAND_UNLISTEN,   /* id */
  COMMAND_COLLECT,    /* slot, generation */
  COMMAND_ASK,        /* slot, generation, most bytes: `early` is lent as soon as something has come */
  COMMAND_TAKE,       /* slot, generation, bytes: a loan is over; so many bytes of `early` are JavaScript's for good */
  COMMAND_CLOSE,      /* slot, generation, 1: by RST */
  COMMAND_DIAL,       /* slot, generation, time-out in ms, bytes of address, bytes of preface, 1: home; both */
  COMMAND_RELAY,      /* client: slot, generation; candidate: slot, generation */
  COMMAND_ABORT,      /* client: slot, generation, 1: gently */
  COMMAND_KEEP_ALIVE, /* slot, generation, ms */
  COMMAND_PROBE,      /* slot, generation */
  COMMAND_FORGET,     /* slot, generation: JavaScript knows that a client is over */
  COMMAND_ROOM,       /* the ring has room again */
  COMMAND_HELLO,      /* slot, generation: a client's hello is read */
  /* slot, generation, a held context (two words), 1: a candidate + 2: strict, bytes of the name with its NUL; name and target */
  COMMAND_SECURE,
};

#define LEAST_WORDS 6

struct command {
  uint32_t kind, words;
  uint32_t arguments[];
};

struct inbox {
  pthread_mutex_t lock;
  uint32_t *words; /* under the lock */
  size_t count, room;
  uint32_t *taken; /* the thread's: what it works on, swapped with the other */
  size_t taken_count, taken_room;
  int event;
  atomic_bool is_asleep;
  atomic_bool is_over; /* the thread is to end */
};

struct thread;

/* @returns false: no descriptor */
bool inbox_init(struct inbox *inbox);
void inbox_end(struct inbox *inbox);

/* Hands commands over. JavaScript's thread. @returns false: no memory, nothing was handed over */
bool inbox_put(struct inbox *inbox, const uint32_t *words, size_t count);
/* The thread is to end. JavaScript's thread. */
void inbox_finish(struct inbox *inbox);

/* Before sleeping. @returns false: there are commands, do not sleep */
bool inbox_may_sleep(struct inbox *inbox);
void inbox_awake(struct inbox *inbox);
/* Does what is asked for. */
void commands_run(struct thread *thread);
/* Lets go of what commands hold that nobody will run: descriptors and contexts. Once the thread has ended. */
void commands_drop(struct thread *thread);
