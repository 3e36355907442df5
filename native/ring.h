/*
 * What the thread tells JavaScript: records of 64 bytes in one ArrayBuffer, and one call that says that there are some.
 *
 * The thread writes a record and then moves `head`; JavaScript reads up to `head` and then moves `tail`. Nothing is ever
 * dropped: a record that finds the ring full waits in memory of the thread, in order, and while some wait nobody is accepted,
 * so their number is bounded by the connections there are.
 *
 * JavaScript is called once for all records of a turn, and not again before it has begun to read. What can wait, the end of a
 * connection, waits up to LAZY_MS for others; a client that has come does not.
 */
#pragma once
#include <node_api.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Tests have a small one, so that it is full often. */
#ifndef RING_RECORDS
#define RING_RECORDS 4096u
#endif
#define LAZY_MS 1.0

/* src/transport/native/records.ts reads them. */
enum record_kind {
  RECORD_ACCEPTED = 1,  /* a client: its slot, `of` the listener; addresses */
  RECORD_ACCEPT_FAILED, /* `of` the listener; `code` errno */
  RECORD_LENT,          /* `early` of the end is JavaScript's */
  RECORD_ENDED,         /* its sender has finished */
  RECORD_DIALED,        /* the candidate has been reached */
  RECORD_CLOSED,        /* an end without a relay is closed; `code`: errno, 0: as JavaScript asked */
  RECORD_WATCH,         /* of the client of a relay: see Relay.needsWatch */
  RECORD_OVER,          /* of the client of a relay: both are closed; `of` the slot of the candidate */
  RECORD_HELLO,         /* a client's hello is whole */
  RECORD_SECURED,       /* its TLS handshake is done: see its report */
  RECORD_REFUSED,       /* its TLS handshake has failed: see its report. It is still to be closed */
  RECORD_HOME,          /* a listener of this process is being dialed; addresses: `remote` is our end of it */
};

/* Both ends of an accepted connection, as it is on the wire. */
struct record_addresses {
  uint32_t family; /* 4, 6, or 0 for none */
  uint16_t remote_port, local_port;
  uint8_t remote[16], local[16];
};

struct record_outcome {
  uint32_t code;     /* errno */
  uint32_t ended_by; /* enum ended_by */
  uint32_t reason;   /* enum over_reason */
  uint32_t unused;
  double to_candidate, to_client; /* bytes */
};

struct record {
  uint32_t kind, slot, generation, of;
  union {
    struct record_addresses addresses;
    struct record_outcome outcome;
  };
  uint32_t unused[2];
};

_Static_assert(sizeof(struct record) == 64, "JavaScript counts on it");

/* First in the ArrayBuffer, ahead of the records. */
struct ring_head {
  _Atomic uint32_t head;     /* of the thread */
  _Atomic uint32_t tail;     /* of JavaScript */
  _Atomic uint32_t is_full;  /* records wait: JavaScript says so when it has made room */
  _Atomic uint32_t is_called; /* JavaScript has been called and has not begun to read */
  uint32_t unused[12];
};

struct ring {
  struct ring_head *shared;
  struct record *records;
  napi_threadsafe_function call;
  struct record *waiting; /* that found the ring full, the oldest first */
  uint32_t waiting_first, waiting_count, waiting_room;
  bool is_due, is_urgent; /* JavaScript is to be called: at this time, or now */
  double due_at;
};

#define RING_BYTES (sizeof(struct ring_head) + RING_RECORDS * sizeof(struct record))

/* `memory` is of RING_BYTES, zeroed. JavaScript's thread. */
void ring_init(struct ring *ring, void *memory);
/* JavaScript's thread, once the other one has ended. */
void ring_end(struct ring *ring);

/* Adds a record. JavaScript is called at the end of the turn when it is `urgent`, else a little later. */
void ring_tell(struct ring *ring, const struct record *record, bool urgent);
/* Whether records wait for room. */
bool ring_is_full(const struct ring *ring);
/* Moves records that wait to where there is room now. */
void ring_refill(struct ring *ring);
/* At the end of a turn: calls JavaScript if it is time. @returns ms until it will be; below zero: nothing is due */
double ring_call(struct ring *ring, double now);
