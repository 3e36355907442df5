/*
 * A context: certificates, keys and rules, made of PEM in memory in one go. It never changes; a reload makes another one and
 * points to that, and a connection keeps the one it began with. Sessions live in it, so new material, new CAs and new
 * revocations end them all.
 *
 * What is set, and why:
 * - Sessions of the server are kept here (SSL_OP_NO_TICKET): a ticket is the session itself, with the client's chain in it, sent
 *   to the client and back, and outlives what we know. The cache is bounded, as one is a few kilobytes. OpenSSL sends none by
 *   itself (num_tickets 0): tls.c sends one with the first data, which saves a send and is after the peer has been judged.
 * - Who has turned tickets off in the configuration of OpenSSL (OPENSSL_CONF) wants no sessions: then there are none.
 * - SSL_MODE_RELEASE_BUFFERS: an idle connection gives back 34 kB.
 * - No renegotiation (a client could ask for one handshake after the other), no compression (CRIME).
 * - No compression of certificates: from OpenSSL 3.2 a client would compress its own with Brotli in each full handshake, at full
 *   effort: milliseconds. The two option bits are unknown to 3.0's headers, and mean nothing there.
 * - Verification as Node does it, so that the codes are the same; see `tls_verify`.
 */
#include "tls-context.h"

#include <stdlib.h>
#include <string.h>

#include "tls-fault.h"

enum { MAX_SERVER_SESSIONS = 2048, SESSION_SECONDS = 300, MAX_SESSION_CONTEXT = 32 };

/* SSL_OP_NO_TX_CERTIFICATE_COMPRESSION and SSL_OP_NO_RX_CERTIFICATE_COMPRESSION of OpenSSL 3.2. */
static const uint64_t NO_CERTIFICATE_COMPRESSION = UINT64_C(3) << 32;

/* A key with a password is refused: OpenSSL would ask for it on the terminal. */
static int no_password(char *buffer, int size, int is_writing, void *unused) {
  (void)buffer, (void)size, (void)is_writing, (void)unused;
  return -1;
}

static X509 *next_certificate(BIO *pem) { return PEM_read_bio_X509(pem, NULL, no_password, NULL); }

static bool use_chain(SSL_CTX *openssl, const char *text) {
  BIO *pem = BIO_new_mem_buf(text, -1);
  if (pem == NULL) return false;
  X509 *certificate = next_certificate(pem);
  bool is_good = certificate != NULL && SSL_CTX_use_certificate(openssl, certificate) == 1;
  X509_free(certificate);
  while (is_good && (certificate = next_certificate(pem)) != NULL) {
    is_good = SSL_CTX_add0_chain_cert(openssl, certificate) == 1;
    if (!is_good) X509_free(certificate);
  }
  BIO_free(pem);
  return is_good;
}

static bool use_key(SSL_CTX *openssl, const char *text) {
  BIO *pem = BIO_new_mem_buf(text, -1);
  if (pem == NULL) return false;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_password, NULL);
  bool is_good = key != NULL && SSL_CTX_use_PrivateKey(openssl, key) == 1;
  EVP_PKEY_free(key);
  BIO_free(pem);
  return is_good;
}

/* Whom peers are verified against; a server tells clients their names, so that they can pick a certificate. */
static bool use_authorities(SSL_CTX *openssl, const char *text, bool is_server) {
  BIO *pem = BIO_new_mem_buf(text, -1);
  if (pem == NULL) return false;
  X509_STORE *store = SSL_CTX_get_cert_store(openssl);
  bool is_good = true;
  int count = 0;
  X509 *certificate;
  while (is_good && (certificate = next_certificate(pem)) != NULL) {
    is_good = X509_STORE_add_cert(store, certificate) == 1;
    if (is_good && is_server) is_good = SSL_CTX_add_client_CA(openssl, certificate) == 1;
    X509_free(certificate);
    count++;
  }
  BIO_free(pem);
  return is_good && count > 0;
}

static bool use_revoked(SSL_CTX *openssl, const char *text) {
  BIO *pem = BIO_new_mem_buf(text, -1);
  if (pem == NULL) return false;
  X509_STORE *store = SSL_CTX_get_cert_store(openssl);
  bool is_good = true;
  int count = 0;
  X509_CRL *list;
  while (is_good && (list = PEM_read_bio_X509_CRL(pem, NULL, no_password, NULL)) != NULL) {
    is_good = X509_STORE_add_crl(store, list) == 1;
    X509_CRL_free(list);
    count++;
  }
  BIO_free(pem);
  return is_good && count > 0 && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

/* The texts; the end of each leaves "no start line" behind, which is none. */
static bool use_material(SSL_CTX *openssl, const struct tls_settings *settings) {
  if (settings->chain != NULL && !use_chain(openssl, settings->chain)) return false;
  if (settings->key != NULL && !use_key(openssl, settings->key)) return false;
  if (settings->authorities != NULL && !use_authorities(openssl, settings->authorities, settings->is_server)) return false;
  if (settings->revoked != NULL && !use_revoked(openssl, settings->revoked)) return false;
  ERR_clear_error();
  return true;
}

static bool use_rules(SSL_CTX *openssl, const struct tls_settings *settings) {
  SSL_CTX_set_options(openssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  if (OpenSSL_version_num() >= 0x30200000L) SSL_CTX_set_options(openssl, NO_CERTIFICATE_COMPRESSION);
  SSL_CTX_set_mode(openssl, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_min_proto_version(openssl, settings->min_version) != 1) return false;
  if (settings->ciphers != NULL && SSL_CTX_set_cipher_list(openssl, settings->ciphers) != 1) return false;
  if (settings->suites != NULL && SSL_CTX_set_ciphersuites(openssl, settings->suites) != 1) return false;
  SSL_CTX_set_cert_verify_callback(openssl, tls_verify, NULL);
  return true;
}

static bool be_server(struct tls_context *context, const struct tls_settings *settings) {
  SSL_CTX *openssl = context->openssl;
  bool has_tickets = (SSL_CTX_get_options(openssl) & SSL_OP_NO_TICKET) == 0;
  context->gives_sessions = has_tickets && SSL_CTX_get_num_tickets(openssl) > 0;
  if (!context->gives_sessions) SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(openssl, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(openssl, 0);
  SSL_CTX_sess_set_cache_size(openssl, MAX_SERVER_SESSIONS);
  SSL_CTX_set_timeout(openssl, SESSION_SECONDS);
  size_t length = settings->fingerprint == NULL ? 0 : strlen(settings->fingerprint);
  if (length > MAX_SESSION_CONTEXT) length = MAX_SESSION_CONTEXT;
  const unsigned char *id = (const unsigned char *)settings->fingerprint;
  if (length > 0 && SSL_CTX_set_session_id_context(openssl, id, (unsigned int)length) != 1) return false;
  int asked = settings->asks_clients ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE;
  SSL_CTX_set_verify(openssl, asked, NULL);
  return true;
}

static bool be_client(struct tls_context *context) {
  context->sessions = tls_sessions_new();
  SSL_CTX_set_verify(context->openssl, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_session_cache_mode(context->openssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context->openssl, tls_keep_session);
  return context->sessions != NULL;
}

struct tls_context *tls_context_new(const struct tls_settings *settings, char fault[TLS_CODE_SIZE]) {
  struct tls_context *context = calloc(1, sizeof *context);
  if (context != NULL) {
    atomic_init(&context->holders, 1);
    context->is_server = settings->is_server;
    context->openssl = SSL_CTX_new(settings->is_server ? TLS_server_method() : TLS_client_method());
    SSL_CTX *openssl = context->openssl;
    if (openssl != NULL && use_rules(openssl, settings) && use_material(openssl, settings) &&
        (settings->is_server ? be_server(context, settings) : be_client(context)))
      return context;
    tls_context_drop(context);
  }
  tls_take_fault(fault);
  return NULL;
}

struct tls_context *tls_context_hold(struct tls_context *context) {
  atomic_fetch_add_explicit(&context->holders, 1, memory_order_relaxed);
  return context;
}

void tls_context_drop(struct tls_context *context) {
  if (context == NULL || atomic_fetch_sub_explicit(&context->holders, 1, memory_order_acq_rel) != 1) return;
  tls_sessions_free(context->sessions);
  SSL_CTX_free(context->openssl);
  free(context);
}

void tls_context_forget(struct tls_context *context, const char *target) {
  if (context->sessions != NULL) tls_sessions_forget(context->sessions, target);
}
