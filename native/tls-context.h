/* What a context is to the files of TLS; nobody else looks into it. */
#ifndef ATTACHE_TLS_CONTEXT_H
#define ATTACHE_TLS_CONTEXT_H

#include <stdatomic.h>

#include "tls-openssl.h"
#include "tls-sessions.h"
#include "tls.h"

struct tls_context {
  atomic_uint holders;
  bool is_server;
  /* A server: clients get a session to take up. */
  bool gives_sessions;
  SSL_CTX *openssl;
  /* Of a client. */
  struct tls_sessions *sessions;
};

/* What OpenSSL calls for a session of ours; they are in tls.c. */
int tls_verify(X509_STORE_CTX *store, void *unused);
int tls_keep_session(SSL *openssl, SSL_SESSION *session);

#endif
