/*
 * JavaScript's half of an engine without Node, for tests and fuzzing: the memory that both halves share, records that are read,
 * commands that are handed over. It goes by the rules of src/transport/native/, with C11 atomics where those have `Atomics`.
 *
 * A program has one, and links every file of the engine but those with Node-API. What a fault prints goes to stderr, and the
 * process ends.
 */
#pragma once
#include <sys/socket.h>

#include "../engine.h"

struct half {
  struct thread *thread;
  struct live *live;
  void *memory; /* of the ring */
  uint32_t read; /* records */
  int event; /* written when the thread calls */
  uint32_t *words; /* commands that are to be handed over, MOST_WORDS at most */
  uint32_t count;
};

struct name {
  uint32_t slot, generation;
};

void fail_at(const char *file, int line, const char *what);
#define EXPECT(it) ((it) ? (void)0 : fail_at(__FILE__, __LINE__, #it))

/* Makes an engine; who runs its turns is the caller's affair. */
struct half half_begin(uint32_t clients);
/* Closes it, behind the last turn. */
void half_end(struct half *half);

/* To be called before the first of several `half_next`: from now on the thread calls again. */
void half_hear(struct half *half);
/* @returns whether there was one */
bool half_next(struct half *half, struct record *record);
/* Behind the last: hands commands over. */
void half_heard(struct half *half);
bool half_is_called(const struct half *half);

/* Hands over the commands that have been put. */
void half_flush(struct half *half);
/* A command of up to four words beyond its name. */
void half_put(struct half *half, enum command_kind kind, struct name name, uint32_t third, uint32_t fourth);

struct dial_words {
  struct name name;
  uint32_t ms;
  const struct sockaddr_storage *address;
  socklen_t size;
  uint32_t preface; /* bytes, each PREFACE_BYTE */
  bool is_home;
};
#define PREFACE_BYTE 0xff
void half_dial(struct half *half, const struct dial_words *dial);

/* Opens a listener on 127.0.0.1, or one of the system's choice over a Unix socket, and tells where. @returns its descriptor */
int half_listen(bool is_tcp, struct sockaddr_storage *address, socklen_t *size);

/* What an end has lent, as js_lent has it. */
const uint8_t *half_lent(const struct half *half, uint32_t slot, uint32_t *length);
/* Descriptors that the process has open. */
unsigned open_descriptors(void);
