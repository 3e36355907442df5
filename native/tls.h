/*
 * TLS over memory: what one side of a connection says and hears, without a socket, a thread or a clock.
 *
 * The caller brings what came from the peer and takes away what is to go to it, in one `struct tls_io` for all connections of
 * a thread. A call reads `in` to its end: what OpenSSL does not want yet (application data right behind the last record of a
 * handshake, or more plain text than there was room for) is kept by the session, so the caller may use the buffer again at
 * once. What a call makes goes behind what is in `out`, so that a record, an answer to a key update and an alert leave in one
 * send, and in order.
 *
 * OpenSSL never hears that TCP has ended. It would answer with a fatal alert and refuse to write, and a peer that closes
 * without close_notify may still be read from. The caller sees the FIN itself: `tls_closed` says whether a close_notify came
 * before it, `tls_is_cut` whether it fell into a record.
 *
 * Which thread: a context may be made and dropped on any thread. All that has a `struct tls` belongs to one thread, and so do
 * the sessions that a context keeps for its candidates.
 *
 * Symbols of OpenSSL come from the process that loads this. Call nothing but `tls_missing` before that has returned NULL.
 */
#ifndef ATTACHE_TLS_H
#define ATTACHE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What has come and what is to go. `out` belongs to the caller, who frees it; it grows by realloc. */
struct tls_io {
  const uint8_t *in;
  size_t in_len;
  uint8_t *out;
  size_t out_len, out_cap;
};

/* NULL when this process has all that is used here, else why not, in words for a log. */
const char *tls_missing(void);

/* ---- Contexts: material and rules, swapped whole. They never change. */

struct tls_context;

struct tls_settings {
  bool is_server;
  /* Server: clients must show a certificate. A client checks its candidate always. */
  bool asks_clients;
  /* PEM, each ended by NUL or NULL: the own chain from the leaf, its key, who is believed, what they have revoked. */
  const char *chain, *key, *authorities, *revoked;
  /* OpenSSL's names with colons between: up to TLS 1.2, and of TLS 1.3. */
  const char *ciphers, *suites;
  /* 0x0303 or 0x0304. */
  int min_version;
  /* Names the material: a session of another one is not taken up. At most 32 bytes are used. */
  const char *fingerprint;
};

#define TLS_CODE_SIZE 96

/* @returns NULL with OpenSSL's code in `fault` when it does not take them */
struct tls_context *tls_context_new(const struct tls_settings *settings, char fault[TLS_CODE_SIZE]);
/* One more holder; @returns its argument */
struct tls_context *tls_context_hold(struct tls_context *context);
void tls_context_drop(struct tls_context *context);
/* Forgets the sessions of a candidate that has left. */
void tls_context_forget(struct tls_context *context, const char *target);

/* ---- One side of one connection. */

struct tls;

/* Whom a client calls. */
struct tls_peer_name {
  /* What its certificate must say: a DNS name, which is sent as SNI, or an IP address, which is not. */
  const char *name;
  /* Whose sessions are taken up: the candidate's address. */
  const char *target;
};

/* Both hold the context. @returns NULL without memory */
struct tls *tls_accept(struct tls_context *context);
struct tls *tls_connect(struct tls_context *context, const struct tls_peer_name *peer);
/* Keeps the session for later connections, unless it has failed. Sends nothing. */
void tls_free(struct tls *tls);

/* Of a client: the session that it took up may be why it failed, and is not to spoil every attempt to come. */
void tls_forget(struct tls *tls);

enum tls_step {
  TLS_DONE,
  TLS_WANTS_INPUT,
  /* `tls_failure` says why; what is in `out` is the alert. */
  TLS_FAILED,
};

/* Takes the handshake as far as what has come allows. A client begins with no input. */
enum tls_step tls_shake(struct tls *tls, struct tls_io *io);

enum tls_state {
  TLS_OPEN,
  /* The peer has said close_notify: all it sent has been read. Writing goes on. */
  TLS_CLOSED,
  TLS_BROKEN,
};

/*
 * Decrypts what has come. @param state what holds after the bytes that were read
 * @returns how many bytes of `plain` were written; all that came when `size` is `in_len` and 16 kB more
 */
size_t tls_read(struct tls *tls, struct tls_io *io, uint8_t *plain, size_t size, enum tls_state *state);
/* Whether `tls_read` would have something without new input. */
bool tls_has_more(const struct tls *tls);
/* Encrypts all of it. @returns false when it is broken or there is no memory */
bool tls_write(struct tls *tls, struct tls_io *io, const uint8_t *plain, size_t len);
/*
 * Of a server, in TLS 1.3: the session goes with the first bytes that are written, or with close_notify. Until then it is owed, and a
 * peer that is told nothing has none to come back with.
 */
bool tls_owes_session(const struct tls *tls);
void tls_give_session(struct tls *tls, struct tls_io *io);
/* Says close_notify; reading goes on. */
void tls_shut(struct tls *tls, struct tls_io *io);

bool tls_closed(const struct tls *tls);
/* Part of a record has come, the rest has not. */
bool tls_is_cut(const struct tls *tls);

struct tls_failure {
  /* As Node says it: `ERR_SSL_...`, or the name of what is wrong with the peer's certificate; NULL while nothing failed. */
  const char *code;
  /* The handshake could have been done, but not with this peer. */
  bool is_peer;
};

struct tls_failure tls_failure_of(const struct tls *tls);

struct tls_facts {
  /* `TLSv1.2` or `TLSv1.3`. */
  const char *version;
  bool is_resumed;
  /* SNI that a client sent; NULL: none. */
  const char *server_name;
  /* ALPN, not ended by NUL; NULL: none. */
  const uint8_t *protocol;
  size_t protocol_len;
};

/* Of a handshake that is done; its pointers live as long as the session. */
struct tls_facts tls_facts_of(const struct tls *tls);
/*
 * The peer's own certificate, in this handshake, in the one of the session that was taken up, or in one that failed for it.
 * @returns DER that the caller frees; NULL: it showed none
 */
uint8_t *tls_certificate_of(const struct tls *tls, size_t *len);

/* ---- A client's first bytes. */

/* More than that is never waited for: many times what clients send. */
#define TLS_MAX_HELLO 32768

/* A whole ClientHello is there, or something that is none: OpenSSL can do something with it. */
bool tls_hello_is_ready(const uint8_t *bytes, size_t len);

#endif
