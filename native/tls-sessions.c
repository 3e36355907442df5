/*
 * A server of TLS 1.3 gives tickets, and one that is used twice lets who listens tie the two connections together (RFC 8446,
 * C.4), so a session is used once. But the last of a target is kept: a server that gives one ticket a connection, or none with
 * those that are taken up, would else be asked for a full handshake every other time.
 *
 * A session holds the candidate's chain, some kilobytes. So there are at most MAX_TARGETS lists of at most MAX_EACH; when a
 * target too many comes, the one that was used longest ago is forgotten. The targets are a ring of entries by use, found
 * by a table of hashes.
 */
#include "tls-sessions.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TARGETS = 1024, MAX_EACH = 16, BUCKETS = 1024 };

struct entry {
  struct entry *next_in_bucket;
  struct entry *newer, *older;
  uint32_t hash;
  int count;
  SSL_SESSION *sessions[MAX_EACH]; /* the newest last */
  char target[];
};

struct tls_sessions {
  struct entry *buckets[BUCKETS];
  struct entry *newest, *oldest;
  int count;
};

/* FNV-1a. Targets come from configuration and registries, not from strangers. */
static uint32_t hash_of(const char *text) {
  uint32_t hash = 2166136261u;
  for (; *text != '\0'; text++) hash = (hash ^ (uint8_t)*text) * 16777619u;
  return hash;
}

static void unlink_use(struct tls_sessions *all, struct entry *entry) {
  if (entry->newer != NULL) entry->newer->older = entry->older;
  else all->newest = entry->older;
  if (entry->older != NULL) entry->older->newer = entry->newer;
  else all->oldest = entry->newer;
}

static void link_newest(struct tls_sessions *all, struct entry *entry) {
  entry->newer = NULL;
  entry->older = all->newest;
  if (all->newest != NULL) all->newest->newer = entry;
  else all->oldest = entry;
  all->newest = entry;
}

static void discard(struct tls_sessions *all, struct entry *entry) {
  struct entry **at = &all->buckets[entry->hash % BUCKETS];
  while (*at != entry) at = &(*at)->next_in_bucket;
  *at = entry->next_in_bucket;
  unlink_use(all, entry);
  all->count--;
  while (entry->count > 0) SSL_SESSION_free(entry->sessions[--entry->count]);
  free(entry);
}

static struct entry *find(struct tls_sessions *all, const char *target) {
  uint32_t hash = hash_of(target);
  struct entry *entry = all->buckets[hash % BUCKETS];
  while (entry != NULL && (entry->hash != hash || strcmp(entry->target, target) != 0)) entry = entry->next_in_bucket;
  return entry;
}

static struct entry *add(struct tls_sessions *all, const char *target) {
  size_t size = strlen(target) + 1;
  struct entry *entry = calloc(1, sizeof *entry + size);
  if (entry == NULL) return NULL;
  if (all->count == MAX_TARGETS) discard(all, all->oldest);
  memcpy(entry->target, target, size);
  entry->hash = hash_of(target);
  struct entry **bucket = &all->buckets[entry->hash % BUCKETS];
  entry->next_in_bucket = *bucket;
  *bucket = entry;
  link_newest(all, entry);
  all->count++;
  return entry;
}

struct tls_sessions *tls_sessions_new(void) { return calloc(1, sizeof(struct tls_sessions)); }

void tls_sessions_free(struct tls_sessions *all) {
  if (all == NULL) return;
  while (all->oldest != NULL) discard(all, all->oldest);
  free(all);
}

bool tls_sessions_put(struct tls_sessions *all, const char *target, SSL_SESSION *session) {
  struct entry *entry = find(all, target);
  if (entry == NULL) entry = add(all, target);
  if (entry == NULL) return false;
  if (entry->count == MAX_EACH) {
    SSL_SESSION_free(entry->sessions[0]);
    entry->count--;
    memmove(&entry->sessions[0], &entry->sessions[1], (size_t)entry->count * sizeof *entry->sessions);
  }
  entry->sessions[entry->count++] = session;
  return true;
}

SSL_SESSION *tls_sessions_take(struct tls_sessions *all, const char *target) {
  struct entry *entry = find(all, target);
  if (entry == NULL) return NULL;
  unlink_use(all, entry);
  link_newest(all, entry);
  SSL_SESSION *session = entry->sessions[entry->count - 1];
  if (entry->count > 1) entry->count--;
  else SSL_SESSION_up_ref(session);
  return session;
}

void tls_sessions_forget(struct tls_sessions *all, const char *target) {
  struct entry *entry = find(all, target);
  if (entry != NULL) discard(all, entry);
}
