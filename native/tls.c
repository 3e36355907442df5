/*
 * One side of one connection.
 *
 * OpenSSL reads and writes through a BIO of ours that is no more than two pointers: it takes from what the session has kept, then
 * from the caller's `in`, and puts behind the caller's `out`. It always takes what it is given, so OpenSSL never waits for
 * writing, and there is no state "wants to write" anywhere. `io` is set for the length of a call, and NULL outside of
 * it: whatever OpenSSL would say then (when it frees a session) goes nowhere.
 *
 * What is kept: OpenSSL keeps a record that has not come whole. We keep what it has not asked for: bytes behind the handshake,
 * and behind the record at which the caller's room for plain text ended. That is never more than one `in`.
 *
 * The chain is verified by `tls_verify` inside the handshake, so that a refusal is an alert that the peer can read. Names and
 * expiry of a session that is taken up are for the caller: it has the certificate, and the rules.
 *
 * Sessions: see tls-context.c and tls-sessions.c. OpenSSL drops the session of a connection that is freed without a close_notify
 * on either side, as if it had been attacked; most connections end so, by FIN or RST. So `tls_free` shuts it down quietly first,
 * unless it is broken.
 */
#include "tls.h"

#include <stdlib.h>
#include <string.h>

#include "tls-context.h"
#include "tls-fault.h"

struct tls {
  SSL *openssl;
  struct tls_context *context;
  struct tls_io *io;
  /* Cipher text that OpenSSL has not asked for yet. */
  uint8_t *kept;
  size_t kept_at, kept_len;
  /* Of a candidate: whose session this is. */
  char *target;
  /* The certificate that was refused, which OpenSSL throws away. */
  uint8_t *refused;
  size_t refused_len;
  const char *certificate_fault;
  char *code;
  bool is_done, is_closed, is_broken, owes_session;
};

/* ---- The BIO */

static int bio_read(BIO *bio, char *into, int size) {
  BIO_clear_retry_flags(bio);
  struct tls *tls = BIO_get_data(bio);
  struct tls_io *io = tls->io;
  if (io == NULL || size <= 0) return 0;
  size_t len = (size_t)size;
  if (tls->kept_len > 0) {
    if (len > tls->kept_len) len = tls->kept_len;
    memcpy(into, tls->kept + tls->kept_at, len);
    tls->kept_at += len;
    tls->kept_len -= len;
    return (int)len;
  }
  if (io->in_len == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (len > io->in_len) len = io->in_len;
  memcpy(into, io->in, len);
  io->in += len;
  io->in_len -= len;
  return (int)len;
}

static bool grow(struct tls_io *io, size_t len) {
  if (io->out_cap - io->out_len >= len) return true;
  size_t cap = (io->out_len + len) * 2;
  uint8_t *out = realloc(io->out, cap);
  if (out == NULL) return false;
  io->out = out;
  io->out_cap = cap;
  return true;
}

static int bio_write(BIO *bio, const char *from, int size) {
  BIO_clear_retry_flags(bio);
  struct tls *tls = BIO_get_data(bio);
  if (size <= 0) return 0;
  if (tls->io == NULL) return size;
  if (!grow(tls->io, (size_t)size)) return -1;
  memcpy(tls->io->out + tls->io->out_len, from, (size_t)size);
  tls->io->out_len += (size_t)size;
  return size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

/* One for the process, made by the one thread that has sessions. */
static BIO_METHOD *bio_method(void) {
  static BIO_METHOD *method;
  if (method != NULL) return method;
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "attache");
  if (method == NULL) return NULL;
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_ctrl(method, bio_ctrl);
  BIO_meth_set_create(method, bio_create);
  return method;
}

/* ---- What OpenSSL asks for */

/*
 * Goes on after a fault, as Node does, so that what is reported is the last thing found and not the first: a leaf of an unknown
 * CA is UNABLE_TO_VERIFY_LEAF_SIGNATURE. A wrong name is said only when nothing else is wrong.
 */
static int note_fault(int is_good, X509_STORE_CTX *store) {
  if (is_good) return 1;
  long *found = X509_STORE_CTX_get_app_data(store);
  long error = X509_STORE_CTX_get_error(store);
  bool is_name = error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;
  if (!is_name || *found == X509_V_OK) *found = error;
  return 1;
}

int tls_verify(X509_STORE_CTX *store, void *unused) {
  (void)unused;
  SSL *openssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct tls *tls = SSL_get_app_data(openssl);
  long found = X509_V_OK;
  X509_STORE_CTX_set_app_data(store, &found);
  X509_STORE_CTX_set_verify_cb(store, note_fault);
  bool is_verified = X509_verify_cert(store) == 1;
  X509_STORE_CTX_set_app_data(store, NULL);
  /* It gave up without asking: there was no memory, or no certificate. */
  if (!is_verified && found == X509_V_OK) found = X509_STORE_CTX_get_error(store);
  if (!is_verified && found == X509_V_OK) found = X509_V_ERR_UNSPECIFIED;
  X509_STORE_CTX_set_error(store, (int)found);
  if (found == X509_V_OK) return 1;
  tls->certificate_fault = tls_certificate_fault(found);
  int len = i2d_X509(X509_STORE_CTX_get0_cert(store), NULL);
  unsigned char *at = len > 0 ? malloc((size_t)len) : NULL;
  if (at == NULL) return 0;
  tls->refused = at;
  tls->refused_len = (size_t)len;
  i2d_X509(X509_STORE_CTX_get0_cert(store), &at);
  return 0;
}

/* A client's: @returns 1 when the session has been taken over */
int tls_keep_session(SSL *openssl, SSL_SESSION *session) {
  struct tls *tls = SSL_get_app_data(openssl);
  return tls_sessions_put(tls->context->sessions, tls->target, session) ? 1 : 0;
}

/* ---- From beginning to end */

static struct tls *make(struct tls_context *context) {
  BIO_METHOD *method = bio_method();
  struct tls *tls = method == NULL ? NULL : calloc(1, sizeof *tls);
  if (tls == NULL) return NULL;
  BIO *bio = BIO_new(method);
  tls->openssl = bio == NULL ? NULL : SSL_new(context->openssl);
  if (tls->openssl == NULL) {
    BIO_free(bio);
    free(tls);
    ERR_clear_error();
    return NULL;
  }
  tls->context = tls_context_hold(context);
  BIO_set_data(bio, tls);
  SSL_set_bio(tls->openssl, bio, bio);
  SSL_set_app_data(tls->openssl, tls);
  return tls;
}

struct tls *tls_accept(struct tls_context *context) {
  struct tls *tls = make(context);
  if (tls != NULL) SSL_set_accept_state(tls->openssl);
  return tls;
}

/* An address is not sent as SNI (RFC 6066, 3). */
static bool expect_name(SSL *openssl, const char *name) {
  X509_VERIFY_PARAM *rules = SSL_get0_param(openssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1) return true;
  ERR_clear_error();
  return X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1 && SSL_set_tlsext_host_name(openssl, name) == 1;
}

struct tls *tls_connect(struct tls_context *context, const struct tls_peer_name *peer) {
  struct tls *tls = make(context);
  if (tls == NULL) return NULL;
  SSL_set_connect_state(tls->openssl);
  tls->target = strdup(peer->target);
  if (tls->target == NULL || !expect_name(tls->openssl, peer->name)) {
    tls_free(tls);
    return NULL;
  }
  SSL_SESSION *session = tls_sessions_take(context->sessions, peer->target);
  if (session != NULL) SSL_set_session(tls->openssl, session);
  SSL_SESSION_free(session);
  return tls;
}

void tls_free(struct tls *tls) {
  if (tls == NULL) return;
  if (tls->is_done && !tls->is_broken) {
    SSL_set_quiet_shutdown(tls->openssl, 1);
    SSL_shutdown(tls->openssl);
  }
  SSL_free(tls->openssl);
  ERR_clear_error();
  tls_context_drop(tls->context);
  free(tls->kept);
  free(tls->target);
  free(tls->refused);
  free(tls->code);
  free(tls);
}

void tls_forget(struct tls *tls) {
  if (tls->target != NULL) tls_sessions_forget(tls->context->sessions, tls->target);
}

/* ---- A call: from `enter` to `leave` OpenSSL may read and write. */

static void enter(struct tls *tls, struct tls_io *io) { tls->io = io; }

static bool is_over(const struct tls *tls) { return tls->is_closed || tls->is_broken; }

/* Takes the rest of `in` into memory of the session, behind what is kept there. @returns false without memory */
static bool keep_rest(struct tls *tls, struct tls_io *io) {
  if (tls->kept_len == 0) {
    free(tls->kept);
    tls->kept = NULL;
    tls->kept_at = 0;
  }
  if (io->in_len == 0) return true;
  uint8_t *kept = malloc(tls->kept_len + io->in_len);
  if (kept == NULL) return false;
  if (tls->kept != NULL) memcpy(kept, tls->kept + tls->kept_at, tls->kept_len);
  memcpy(kept + tls->kept_len, io->in, io->in_len);
  free(tls->kept);
  tls->kept = kept;
  tls->kept_at = 0;
  tls->kept_len += io->in_len;
  return true;
}

static void fail(struct tls *tls) {
  char code[TLS_CODE_SIZE];
  tls_take_fault(code);
  tls->is_broken = true;
  if (tls->code == NULL && tls->certificate_fault == NULL) tls->code = strdup(code);
}

static void leave(struct tls *tls, struct tls_io *io) {
  /* What comes behind the end of a stream is none of it. */
  if (is_over(tls)) tls->kept_len = io->in_len = 0;
  if (!keep_rest(tls, io)) fail(tls);
  io->in_len = 0;
  tls->io = NULL;
}

enum tls_step tls_shake(struct tls *tls, struct tls_io *io) {
  enter(tls, io);
  int result = SSL_do_handshake(tls->openssl);
  enum tls_step step = TLS_WANTS_INPUT;
  if (result == 1) {
    tls->is_done = true;
    tls->owes_session = tls->context->gives_sessions && SSL_version(tls->openssl) == TLS1_3_VERSION;
    step = TLS_DONE;
  } else if (SSL_get_error(tls->openssl, result) != SSL_ERROR_WANT_READ) {
    fail(tls);
    tls_forget(tls);
  }
  leave(tls, io);
  return tls->is_broken ? TLS_FAILED : step;
}

size_t tls_read(struct tls *tls, struct tls_io *io, uint8_t *plain, size_t size, enum tls_state *state) {
  enter(tls, io);
  size_t got = 0;
  while (got < size && !is_over(tls)) {
    size_t len = 0;
    if (SSL_read_ex(tls->openssl, plain + got, size - got, &len) == 1) {
      got += len;
      continue;
    }
    int error = SSL_get_error(tls->openssl, 0);
    if (error == SSL_ERROR_WANT_READ) break;
    if (error == SSL_ERROR_ZERO_RETURN) tls->is_closed = true;
    else fail(tls);
  }
  leave(tls, io);
  *state = tls->is_broken ? TLS_BROKEN : tls->is_closed ? TLS_CLOSED : TLS_OPEN;
  return got;
}

bool tls_has_more(const struct tls *tls) {
  return !is_over(tls) && (tls->kept_len > 0 || SSL_pending(tls->openssl) > 0);
}

/* It goes with what is written next. */
static void add_session(struct tls *tls) {
  if (!tls->owes_session) return;
  tls->owes_session = false;
  if (SSL_new_session_ticket(tls->openssl) != 1) ERR_clear_error();
}

bool tls_owes_session(const struct tls *tls) { return tls->owes_session && !is_over(tls); }

void tls_give_session(struct tls *tls, struct tls_io *io) {
  if (!tls_owes_session(tls)) return;
  enter(tls, io);
  add_session(tls);
  if (SSL_do_handshake(tls->openssl) != 1) ERR_clear_error();
  leave(tls, io);
}

bool tls_write(struct tls *tls, struct tls_io *io, const uint8_t *plain, size_t len) {
  if (tls->is_broken) return false;
  if (len == 0) return true;
  enter(tls, io);
  add_session(tls);
  size_t written = 0;
  if (SSL_write_ex(tls->openssl, plain, len, &written) != 1) fail(tls);
  leave(tls, io);
  return !tls->is_broken;
}

void tls_shut(struct tls *tls, struct tls_io *io) {
  if (tls->is_broken || !tls->is_done) return;
  tls_give_session(tls, io);
  enter(tls, io);
  if (SSL_shutdown(tls->openssl) < 0) ERR_clear_error();
  leave(tls, io);
}

/* ---- What is known */

bool tls_closed(const struct tls *tls) { return tls->is_closed; }

bool tls_is_cut(const struct tls *tls) {
  return !is_over(tls) && (SSL_has_pending(tls->openssl) == 1 || tls->kept_len > 0);
}

struct tls_failure tls_failure_of(const struct tls *tls) {
  struct tls_failure failure = {NULL, false};
  if (!tls->is_broken) return failure;
  failure.is_peer = tls->certificate_fault != NULL;
  failure.code = failure.is_peer ? tls->certificate_fault : tls->code != NULL ? tls->code : "ERR_SSL_UNKNOWN";
  if (strcmp(failure.code, "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") == 0) failure.is_peer = true;
  return failure;
}

struct tls_facts tls_facts_of(const struct tls *tls) {
  struct tls_facts facts = {.version = SSL_get_version(tls->openssl),
                            .is_resumed = SSL_session_reused(tls->openssl) == 1,
                            .server_name = SSL_get_servername(tls->openssl, TLSEXT_NAMETYPE_host_name)};
  unsigned int len = 0;
  SSL_get0_alpn_selected(tls->openssl, &facts.protocol, &len);
  facts.protocol_len = len;
  return facts;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t len) {
  uint8_t *copy = malloc(len);
  if (copy != NULL) memcpy(copy, bytes, len);
  return copy;
}

uint8_t *tls_certificate_of(const struct tls *tls, size_t *len) {
  *len = tls->refused_len;
  if (tls->refused != NULL) return copy_of(tls->refused, tls->refused_len);
  X509 *certificate = SSL_get0_peer_certificate(tls->openssl);
  int size = certificate == NULL ? 0 : i2d_X509(certificate, NULL);
  uint8_t *der = size > 0 ? malloc((size_t)size) : NULL;
  if (der == NULL) return NULL;
  unsigned char *at = der;
  *len = (size_t)i2d_X509(certificate, &at);
  return der;
}
