/* The sessions that a client keeps of its candidates, to take one up when it calls again. One thread uses them. */
#ifndef ATTACHE_TLS_SESSIONS_H
#define ATTACHE_TLS_SESSIONS_H

#include <stdbool.h>

#include "tls-openssl.h"

struct tls_sessions;

struct tls_sessions *tls_sessions_new(void);
void tls_sessions_free(struct tls_sessions *sessions);
/* Takes over `session`. @returns false when there is no memory, and leaves it to the caller */
bool tls_sessions_put(struct tls_sessions *sessions, const char *target, SSL_SESSION *session);
/* @returns the newest, for the caller to free; NULL: there is none */
SSL_SESSION *tls_sessions_take(struct tls_sessions *sessions, const char *target);
void tls_sessions_forget(struct tls_sessions *sessions, const char *target);

#endif
