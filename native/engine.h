/*
 * What the parts of the engine share: the thread, and the ends it carries.
 *
 * An *end* is one socket: a client that was accepted, or a candidate that was dialed. A relay ties two of them; there is no
 * object for a pair, because everything that moves bytes looks at one end and its peer, and a recovery probe has one end alone.
 *
 * Ends live in one mapping that is made at start and never moves, so an end is named by its slot, and nothing is allocated for
 * a connection but what a slow peer makes us keep. Slots below `clients` are the thread's to give (it accepts), those from
 * `clients` on are JavaScript's (it dials). Both are JavaScript's to give back, once it has heard that the end is over: until
 * then the slot names no other end, so what JavaScript says of a slot is never said of a stranger. The generation beside it is
 * a second lock on the same door.
 *
 * Everything here belongs to the thread, unless it is said otherwise. See README.md for who may touch what.
 */
#pragma once
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "clock.h"
#include "commands.h"
#include "link.h"
#include "ring.h"
#include "splice.h"
#include "timers.h"
#include "tls.h"

/* Most that one read of a relay takes by copy, and so the most that is kept for a reader that has stopped. */
#define CHUNK_BYTES (32 * 1024)
/* The same of TLS: four whole records, since a read that ends in a record leaves a small one to be sent. */
#define CIPHER_BYTES (64 * 1024)
/* What those may hold, and the rest of a record that began before them. */
#define PLAIN_BYTES (CIPHER_BYTES + 16 * 1024)
/* Most that is kept of what an end says before it is carried. */
#define EARLY_BYTES (16 * 1024)
/* What bulk moves in one turn: some two milliseconds, which is what a small request waits for. Tests have less of it. */
#ifndef TURN_BYTES
#define TURN_BYTES (2 * 1024 * 1024)
#endif
/* What one end may move when its turn comes: of this, shared by all who have more. Less would cost a turn more than it moves. */
#define ROUND_BYTES (8 * 1024 * 1024)
#define LEAST_SHARE_BYTES (2 * CHUNK_BYTES)
#ifndef MOST_SHARE_BYTES
#define MOST_SHARE_BYTES (1024 * 1024)
#endif

struct listener;

/*
 * What epoll is told to say of a socket: the slot of an end and its generation, or one of these and the id of a listener. Never a
 * pointer: closing a descriptor does not take it out of epoll while a child of Node holds a copy between fork and exec, and what is
 * told of it then is to reach nobody.
 */
#define EPOLL_INBOX UINT32_MAX
#define EPOLL_LISTENER (UINT32_MAX - 1)
#define EPOLL_NAME(what, which) ((uint64_t)(which) << 32 | (what))

/* What JavaScript may read of an end at any time. Written by the thread alone, but for WATCH_TOLD, which JavaScript clears. */
struct live {
  _Atomic double taken;    /* bytes of the peer that the kernel has taken to send them to this end */
  _Atomic double moved_at; /* ms of CLOCK_MONOTONIC, when the last byte came from this end */
  _Atomic uint32_t flags;
  _Atomic uint32_t early; /* bytes that are kept because nobody carries them yet; how many there were, once it is closed */
  uint32_t unused[2];
};

enum live_flag {
  LIVE_WAITS = 1,    /* it is not read until its peer has taken what came before */
  LIVE_ENDED = 2,    /* its sender has finished, and every byte before that has been read */
  LIVE_FINISHED = 4, /* it has been sent all it will ever get */
  LIVE_CLOSED = 8,
  LIVE_WATCH_TOLD = 16, /* JavaScript looks at its relay now and then, and need not be told again */
  LIVE_UNCLEAN = 32,    /* it has ended without the close_notify of TLS */
};

enum phase {
  PHASE_FREE,       /* the slot names nobody */
  PHASE_IDLE,       /* connected, and not read */
  PHASE_COLLECTING, /* read into `early`, so that its end is noticed */
  PHASE_ASKED,      /* read into `early`, to be lent to JavaScript as soon as something has come */
  PHASE_LENT,       /* `early` is JavaScript's to read, and nothing is done to this end until it says so */
  PHASE_CONNECTING,
  PHASE_HELLO,      /* read into `early` until a TLS handshake can begin */
  PHASE_SHAKING,    /* its TLS handshake is under way */
  PHASE_TELLING,    /* it has been sent an alert, and what it sends is dropped until it has read that */
  PHASE_RELAYED,
  PHASE_OVER, /* its socket is closed, the slot not given back yet */
};

/* Bytes that are kept: from `from` on, `length` of them. */
struct chunk {
  uint8_t *bytes;
  uint32_t from, length;
};

/* What there is to say of TLS, in bytes that JavaScript reads: see secure.h. */
struct report {
  size_t length;
  uint8_t bytes[];
};

/* Stands for an errno: what failed is TLS, and the report says how. */
#define TLS_ERROR 4096

struct end {
  int fd; /* -1: closed, or none yet */
  uint32_t slot, generation;
  struct link ready; /* in the line of those whose turn comes next */
  struct link watch; /* see dead.h, as the three that follow */
  double look_at, silent_since;
  uint32_t keep_alive_ms;
  struct timer timer;
  struct end *peer;
  struct tls *tls;     /* NULL on a plain connection; see stream.h */
  _Atomic(struct report *) report; /* for JavaScript, which takes it with an exchange */
  uint32_t plain_unsent; /* bytes that were written to TLS and whose cipher text is still in `out` */
  uint32_t dropped;      /* bytes, in PHASE_TELLING */
  uint32_t undelivered;  /* bytes that its peer's kernel had not got when that was last asked: see delivery.h */
  double undelivered_since;
  struct chunk early;  /* read from it while it had no peer */
  struct chunk out;    /* to be sent to it: what its socket has not taken */
  struct pipe *pipe;   /* what was read from it by splice, on its way to the peer */
  int64_t taken;       /* see live; below zero while a preface is being sent */
  int error;           /* errno of a write that it refused, while its last words are read */
  uint16_t full_reads; /* in a row: see splice.h */
  uint8_t phase;
  bool is_client, is_tcp;
  bool is_unheard; /* a client that JavaScript has been told of, and has said nothing of yet */
  bool readable, writable; /* as far as is known: epoll tells of changes alone */
  bool hung_up;            /* an end or a reset is to be read: a short read does not mean that nothing is left */
  bool fin_seen;           /* epoll has told of an end that was no reset */
  bool failed;             /* epoll has told of an error that nobody has read */
  bool eof;                /* its end has been read */
  bool eof_told;
  bool shut;        /* its FIN has been asked for */
  bool is_strict;   /* an end without close_notify is a cut */
  bool is_cut;      /* it has ended so */
  bool said_close;  /* it has been sent a close_notify */
  bool resets_soon; /* it is reset behind what is being sent to it */
  bool closes_soon; /* it is closed behind what is being sent to it */
  bool waits;       /* LIVE_WAITS, without asking for it */
  uint16_t most;    /* of `early`, in PHASE_ASKED */
  /* Of a relay, kept at its client: */
  bool is_closing;
  uint8_t ended_by, reason;
  int reason_errno;
};

struct thread {
  int epoll;
  struct inbox inbox;
  struct ring ring;
  struct timers timers;
  struct pipes pipes;
  struct link listeners;
  struct link watched; /* ends that are asked whether they are dead, in the order in which they are */
  struct timer look;
  struct link ready; /* ends that have spent their share of a turn */
  struct live *live; /* memory of an ArrayBuffer, one for each slot */
  struct end *ends;
  uint32_t clients;     /* slots that the thread gives; as many again are JavaScript's */
  uint32_t *free_slots; /* of clients */
  uint32_t free_count;
  uint32_t unheard, most_unheard; /* clients that are `is_unheard`: with so many no more are accepted */
  uint32_t share;   /* bytes that an end may move when its turn comes */
  uint32_t waiting; /* ends in `ready` */
  size_t spent;     /* bytes that all ends have moved in this turn */
  bool is_round;    /* those in `ready` have their turn */
  double now;       /* ms of CLOCK_MONOTONIC, when this turn began */
  double call_in;   /* ms until JavaScript is to be called; below zero: nothing is due */
  uint8_t buffer[CHUNK_BYTES];
  uint8_t cipher[CIPHER_BYTES]; /* what is read for TLS */
  uint8_t plain[PLAIN_BYTES];   /* what TLS made of it */
  struct tls_io io;
};
