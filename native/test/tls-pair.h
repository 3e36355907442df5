/* Two sessions of tls.h that talk over memory, for tests and fuzzing. What a fault prints goes to stderr, and the process ends. */
#ifndef ATTACHE_TLS_PAIR_H
#define ATTACHE_TLS_PAIR_H

#include <openssl/types.h>

#include "../tls.h"

/* One side and what it has said that the other has not heard. */
struct side {
  struct tls *tls;
  struct tls_io io;
};

struct pair {
  struct tls_context *server_context, *client_context;
  struct side server, client;
};

struct pair_options {
  /* Names of files in the folder of certificates, without `.pem`; NULL: server, client, ca. An empty text: none. */
  const char *server, *client, *server_believes, *client_believes, *revoked;
  /* Whom the client calls; NULL: server.internal. */
  const char *name;
  /* 0x0303 makes it TLS 1.2, else it is 1.3. */
  int version;
  const char *fingerprint;
};

/* Where the certificates are. */
extern const char *certificates;

void fail_at(const char *file, int line, const char *what);
#define EXPECT(it) ((it) ? (void)0 : fail_at(__FILE__, __LINE__, #it))

/* What only a strange peer does is done with OpenSSL itself: it is the first thing in a session. */
SSL *openssl_of(struct side *side);
char *read_text(const char *name, const char *ending);
struct tls_context *context_of(const struct pair_options *options, bool is_server);
struct pair pair_of(const struct pair_options *options);
/* Two new sessions with the contexts of before. */
void pair_renew(struct pair *pair, const struct pair_options *options);
void pair_free_sessions(struct pair *pair);
void pair_free(struct pair *pair);
/* Both sides until neither has anything to say; @returns whether both are done */
bool pair_shake(struct pair *pair);
/* One step of `to` with the next `most` bytes of what `from` has said; 0: all. */
enum tls_step step(struct side *to, struct side *from, size_t most);
/* Takes `len` bytes that `from` has said. */
void spend(struct side *from, size_t len);
/* Writes on one side, reads on the other in pieces of `piece` bytes of cipher text, and compares. */
void carry(struct side *from, struct side *to, size_t len, size_t piece);
/* Reads all that `from` has said. */
size_t hear(struct side *to, struct side *from, uint8_t *plain, size_t size, enum tls_state *state);

#endif
