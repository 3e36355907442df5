/*
 * A fuzzer of the record path: two sessions, and an input that says what the network and a hostile peer do to what they send.
 * Each byte pair of the input is an act: deliver so many bytes, change, drop or insert some, write, say close_notify, read with
 * little room. So it gets behind the handshake, where bare noise never comes.
 *
 * What must hold: no sanitizer speaks, a session that failed has a code, all input is taken, and what is read was written.
 */
#include <stdlib.h>
#include <string.h>

#include "../test/tls-pair.h"

/* Contexts take both versions; which one is spoken is the input's to say. */
static struct pair_options options = {.version = 0x0303};
static struct pair pair;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  certificates = getenv("ATTACHE_TLS_CERTIFICATES");
  pair.server_context = context_of(&options, true);
  pair.client_context = context_of(&options, false);
  return 0;
}

struct party {
  struct side side;
  enum tls_step step;
  enum tls_state state;
};

static void deliver(struct party *to, struct side *from, size_t most, size_t room) {
  static uint8_t plain[1 << 17];
  if (to->step == TLS_FAILED || to->state != TLS_OPEN) return spend(from, from->io.out_len);
  if (to->step == TLS_WANTS_INPUT) {
    if (from->io.out_len > 0) to->step = step(&to->side, from, most);
    if (to->step == TLS_FAILED) EXPECT(tls_failure_of(to->side.tls).code != NULL);
    return;
  }
  to->side.io.in = from->io.out;
  to->side.io.in_len = most < from->io.out_len ? most : from->io.out_len;
  size_t taken = to->side.io.in_len;
  size_t got = tls_read(to->side.tls, &to->side.io, plain, room, &to->state);
  for (size_t i = 0; i < got; i++) EXPECT(plain[i] == 'x');
  while (to->state == TLS_OPEN && tls_has_more(to->side.tls)) tls_read(to->side.tls, &to->side.io, plain, sizeof plain, &to->state);
  if (to->state == TLS_BROKEN) EXPECT(tls_failure_of(to->side.tls).code != NULL);
  spend(from, taken);
}

static void insert(struct side *side, const uint8_t *bytes, size_t len) {
  uint8_t *out = malloc(side->io.out_len + len + 1);
  memcpy(out, bytes, len);
  if (side->io.out_len > 0) memcpy(out + len, side->io.out, side->io.out_len);
  free(side->io.out);
  side->io.out = out;
  side->io.out_len += len;
  side->io.out_cap = side->io.out_len + 1;
}

static void act(struct party *own, struct party *other, uint8_t kind, uint8_t amount) {
  static uint8_t text[1 << 16];
  struct side *side = &own->side;
  size_t len = side->io.out_len;
  memset(text, 'x', sizeof text);
  switch (kind % 7) {
    case 0: deliver(other, side, (size_t)amount + 1, sizeof text); break;
    case 1: deliver(other, side, 1 << 16, 1 << 17); break;
    case 2: deliver(other, side, 1 << 16, (size_t)amount + 1); break;
    case 3: if (len > 0) side->io.out[amount % len] ^= (uint8_t)(1 << kind % 8); break;
    case 4: if (len > 0) spend(side, amount % len); break;
    case 5:
      if (own->step == TLS_DONE && own->state != TLS_BROKEN) tls_write(side->tls, &side->io, text, (size_t)amount * (amount + 1) % sizeof text);
      break;
    default: if (own->step == TLS_DONE) tls_shut(side->tls, &side->io);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  options.version = data[0] & 1 ? 0x0303 : 0x0304;
  pair_renew(&pair, &options);
  struct party parties[2] = {{.side = pair.client}, {.side = pair.server}};
  for (int p = 0; p < 2; p++) parties[p].step = TLS_WANTS_INPUT;
  for (size_t at = 1; at + 1 < size; at += 2) {
    int who = data[at] >> 7;
    if ((data[at] & 0x78) == 0x78) {
      size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
      insert(&parties[who].side, data + at + 2, len);
      at += len;
    } else act(&parties[who], &parties[!who], data[at] & 0x77, data[at + 1]);
  }
  pair.client = parties[0].side;
  pair.server = parties[1].side;
  pair_free_sessions(&pair);
  return 0;
}
