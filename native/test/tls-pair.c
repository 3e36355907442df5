#include "tls-pair.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *certificates;

void fail_at(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: expected %s\n", file, line, what);
  fflush(stderr);
  abort();
}

char *read_text(const char *name, const char *ending) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%s", certificates, name, ending);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail_at(path, 0, "a file");
  size_t size = 1 << 16;
  char *text = malloc(size);
  size_t len = fread(text, 1, size - 1, file);
  text[len] = '\0';
  fclose(file);
  return text;
}

SSL *openssl_of(struct side *side) { return *(SSL **)side->tls; }

static const char *or(const char *one, const char *other) { return one == NULL ? other : one; }

static char *text_of(const char *name, const char *ending) { return *name == '\0' ? NULL : read_text(name, ending); }

struct tls_context *context_of(const struct pair_options *options, bool is_server) {
  const char *own = is_server ? or(options->server, "server") : or(options->client, "client");
  const char *believed = or(is_server ? options->server_believes : options->client_believes, "ca");
  char *chain = text_of(own, ".pem"), *key = text_of(own, ".key"), *authorities = text_of(believed, ".pem");
  char *revoked = is_server && options->revoked != NULL ? read_text(options->revoked, ".pem") : NULL;
  struct tls_settings settings = {.is_server = is_server,
                                  .asks_clients = is_server && authorities != NULL,
                                  .chain = chain,
                                  .key = key,
                                  .authorities = authorities,
                                  .revoked = revoked,
                                  .ciphers = "ECDHE+AESGCM",
                                  .suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
                                  .min_version = options->version == 0x0303 ? 0x0303 : 0x0304,
                                  .fingerprint = or(options->fingerprint, "one")};
  char fault[TLS_CODE_SIZE];
  struct tls_context *context = tls_context_new(&settings, fault);
  if (context == NULL) fail_at(fault, 0, "a context");
  free(chain);
  free(key);
  free(authorities);
  free(revoked);
  return context;
}

void pair_renew(struct pair *pair, const struct pair_options *options) {
  const char *name = or(options->name, "server.internal");
  pair->server = (struct side){.tls = tls_accept(pair->server_context)};
  struct tls_peer_name peer = {.name = name, .target = name};
  pair->client = (struct side){.tls = tls_connect(pair->client_context, &peer)};
  EXPECT(pair->server.tls != NULL && pair->client.tls != NULL);
  if (options->version == 0x0303) EXPECT(SSL_set_max_proto_version(openssl_of(&pair->client), 0x0303) == 1);
  EXPECT(tls_shake(pair->client.tls, &pair->client.io) == TLS_WANTS_INPUT);
}

struct pair pair_of(const struct pair_options *options) {
  struct pair pair = {.server_context = context_of(options, true), .client_context = context_of(options, false)};
  pair_renew(&pair, options);
  return pair;
}

static void side_free(struct side *side) {
  tls_free(side->tls);
  free(side->io.out);
  *side = (struct side){.tls = NULL};
}

void pair_free_sessions(struct pair *pair) {
  side_free(&pair->server);
  side_free(&pair->client);
}

void pair_free(struct pair *pair) {
  pair_free_sessions(pair);
  tls_context_drop(pair->server_context);
  tls_context_drop(pair->client_context);
}

void spend(struct side *from, size_t len) {
  from->io.out_len -= len;
  memmove(from->io.out, from->io.out + len, from->io.out_len);
}

/* A copy of its own size, so that a byte read past it is seen, and one kept by reference too. */
static uint8_t *give(struct side *to, struct side *from, size_t most) {
  size_t len = from->io.out_len;
  if (most > 0 && len > most) len = most;
  uint8_t *bytes = malloc(len == 0 ? 1 : len);
  if (len > 0) memcpy(bytes, from->io.out, len);
  if (len > 0) spend(from, len);
  to->io.in = bytes;
  to->io.in_len = len;
  return bytes;
}

enum tls_step step(struct side *to, struct side *from, size_t most) {
  uint8_t *bytes = give(to, from, most);
  enum tls_step result = tls_shake(to->tls, &to->io);
  free(bytes);
  EXPECT(to->io.in_len == 0);
  return result;
}

size_t hear(struct side *to, struct side *from, uint8_t *plain, size_t size, enum tls_state *state) {
  uint8_t *bytes = give(to, from, 0);
  size_t got = tls_read(to->tls, &to->io, plain, size, state);
  free(bytes);
  return got;
}

bool pair_shake(struct pair *pair) {
  enum tls_step server = TLS_WANTS_INPUT, client = TLS_WANTS_INPUT;
  while (pair->client.io.out_len > 0 || pair->server.io.out_len > 0) {
    if (pair->client.io.out_len > 0 && server == TLS_WANTS_INPUT) server = step(&pair->server, &pair->client, 0);
    if (pair->server.io.out_len > 0 && client == TLS_WANTS_INPUT) client = step(&pair->client, &pair->server, 0);
    if (server != TLS_WANTS_INPUT && client != TLS_WANTS_INPUT) break;
  }
  return server == TLS_DONE && client == TLS_DONE;
}

void carry(struct side *from, struct side *to, size_t len, size_t piece) {
  uint8_t *sent = malloc(len), *got = malloc(len + 1);
  for (size_t i = 0; i < len; i++) sent[i] = (uint8_t)(i * 31 + i / 251);
  EXPECT(tls_write(from->tls, &from->io, sent, len));
  size_t at = 0;
  while (from->io.out_len > 0 || tls_has_more(to->tls)) {
    uint8_t *bytes = give(to, from, piece);
    enum tls_state state;
    do {
      at += tls_read(to->tls, &to->io, got + at, len + 1 - at, &state);
      EXPECT(state == TLS_OPEN);
    } while (tls_has_more(to->tls));
    free(bytes);
  }
  EXPECT(at == len && memcmp(sent, got, len) == 0);
  free(sent);
  free(got);
}
