#include "tls-tests.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls-pair.h"

static const int versions[] = {0x0303, 0x0304};

static struct pair shaken(const struct pair_options *options) {
  struct pair pair = pair_of(options);
  EXPECT(pair_shake(&pair));
  return pair;
}

static void expect_code(const struct side *side, const char *code) {
  struct tls_failure failure = tls_failure_of(side->tls);
  if (failure.code == NULL || strcmp(failure.code, code) != 0) fail_at(failure.code == NULL ? "no code" : failure.code, 0, code);
}

static void bytes_go_both_ways(void) {
  static const size_t sizes[] = {1, 100, 16384, 16385, 3000000};
  for (int v = 0; v < 2; v++) {
    struct pair pair = shaken(&(struct pair_options){.version = versions[v]});
    EXPECT(strcmp(tls_facts_of(pair.server.tls).version, v == 0 ? "TLSv1.2" : "TLSv1.3") == 0);
    EXPECT(strcmp(tls_facts_of(pair.server.tls).server_name, "server.internal") == 0);
    EXPECT(!tls_facts_of(pair.server.tls).is_resumed);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      carry(&pair.client, &pair.server, sizes[s], 65536);
      carry(&pair.server, &pair.client, sizes[s], 1777);
    }
    pair_free(&pair);
  }
}

static void a_handshake_comes_byte_by_byte(void) {
  for (int v = 0; v < 2; v++) {
    struct pair pair = pair_of(&(struct pair_options){.version = versions[v]});
    enum tls_step server = TLS_WANTS_INPUT, client = TLS_WANTS_INPUT;
    while (server == TLS_WANTS_INPUT || client == TLS_WANTS_INPUT) {
      if (pair.client.io.out_len > 0) server = step(&pair.server, &pair.client, 1);
      else if (pair.server.io.out_len > 0) client = step(&pair.client, &pair.server, 1);
      else break;
    }
    EXPECT(server == TLS_DONE && client == TLS_DONE);
    carry(&pair.client, &pair.server, 1000, 1);
    pair_free(&pair);
  }
}

/* Where it ends, or a byte is wrong: every byte that either side sends is one such place. @returns whether there was such a byte */
static bool disturb(struct pair *pair, const struct pair_options *options, size_t at, bool is_cut) {
  pair_renew(pair, options);
  struct side *sides[] = {&pair->client, &pair->server};
  enum tls_step steps[] = {TLS_WANTS_INPUT, TLS_WANTS_INPUT};
  bool was_there = false;
  for (int from = 0; sides[0]->io.out_len > 0 || sides[1]->io.out_len > 0; from = !from) {
    struct side *teller = sides[from];
    size_t len = teller->io.out_len;
    if (!was_there && at < len) {
      was_there = true;
      if (is_cut) teller->io.out_len = at;
      else teller->io.out[at] ^= 0x41;
    } else at -= was_there ? 0 : len;
    if (steps[!from] == TLS_WANTS_INPUT && teller->io.out_len > 0) steps[!from] = step(sides[!from], teller, 0);
    else spend(teller, teller->io.out_len);
    if (is_cut && was_there) break;
  }
  if (was_there && is_cut) EXPECT(steps[0] != TLS_DONE || steps[1] != TLS_DONE);
  for (int s = 0; s < 2; s++) {
    if (steps[s] == TLS_FAILED) EXPECT(tls_failure_of(sides[s]->tls).code != NULL);
  }
  pair_free_sessions(pair);
  return was_there;
}

static void a_handshake_is_cut_at_every_byte(void) {
  for (int v = 0; v < 2; v++) {
    struct pair_options options = {.version = versions[v]};
    struct pair pair = {.server_context = context_of(&options, true), .client_context = context_of(&options, false)};
    size_t at = 0;
    while (disturb(&pair, &options, at, true)) at++;
    EXPECT(at > 1500);
    pair_free(&pair);
  }
}

static void a_handshake_has_a_wrong_byte_anywhere(void) {
  for (int v = 0; v < 2; v++) {
    struct pair_options options = {.version = versions[v]};
    struct pair pair = {.server_context = context_of(&options, true), .client_context = context_of(&options, false)};
    for (size_t at = 0; at < 1500; at += 3) EXPECT(disturb(&pair, &options, at, false));
    pair_free(&pair);
  }
}

static void data_stands_right_behind_the_handshake(void) {
  for (int v = 0; v < 2; v++) {
    struct pair pair = pair_of(&(struct pair_options){.version = versions[v]});
    enum tls_step client = TLS_WANTS_INPUT;
    EXPECT(step(&pair.server, &pair.client, 0) == TLS_WANTS_INPUT);
    client = step(&pair.client, &pair.server, 0);
    if (versions[v] == 0x0303) { /* here the server speaks last */
      EXPECT(client == TLS_WANTS_INPUT);
      EXPECT(step(&pair.server, &pair.client, 0) == TLS_DONE);
      EXPECT(tls_write(pair.server.tls, &pair.server.io, (const uint8_t *)"hello", 5));
      EXPECT(step(&pair.client, &pair.server, 0) == TLS_DONE);
    } else {
      EXPECT(client == TLS_DONE);
      EXPECT(tls_write(pair.client.tls, &pair.client.io, (const uint8_t *)"hello", 5));
      EXPECT(step(&pair.server, &pair.client, 0) == TLS_DONE);
    }
    struct side *late = versions[v] == 0x0303 ? &pair.client : &pair.server;
    EXPECT(tls_has_more(late->tls));
    uint8_t plain[100];
    enum tls_state state;
    size_t got = tls_read(late->tls, &late->io, plain, sizeof plain, &state);
    EXPECT(got == 5 && memcmp(plain, "hello", 5) == 0 && state == TLS_OPEN);
    EXPECT(!tls_has_more(late->tls));
    pair_free(&pair);
  }
}

static void little_room_loses_nothing(void) {
  struct pair pair = shaken(&(struct pair_options){.version = 0x0304});
  uint8_t sent[40000], got[40000], room[77];
  for (size_t i = 0; i < sizeof sent; i++) sent[i] = (uint8_t)(i * 7);
  EXPECT(tls_write(pair.client.tls, &pair.client.io, sent, sizeof sent));
  tls_shut(pair.client.tls, &pair.client.io);
  enum tls_state state;
  size_t at = hear(&pair.server, &pair.client, got, 10, &state);
  EXPECT(at == 10 && state == TLS_OPEN);
  while (tls_has_more(pair.server.tls)) {
    size_t len = tls_read(pair.server.tls, &pair.server.io, room, sizeof room, &state);
    memcpy(got + at, room, len);
    at += len;
  }
  EXPECT(at == sizeof sent && memcmp(sent, got, at) == 0 && state == TLS_CLOSED);
  pair_free(&pair);
}

static void a_chain_is_longer_than_a_record(void) {
  for (int v = 0; v < 2; v++) {
    struct pair pair = shaken(&(struct pair_options){.version = versions[v], .server = "big", .client = "big"});
    size_t len;
    uint8_t *der = tls_certificate_of(pair.server.tls, &len);
    EXPECT(der != NULL && len > 20000);
    free(der);
    carry(&pair.client, &pair.server, 1000, 0);
    pair_free(&pair);
  }
}

static void keys_are_updated_in_bulk(void) {
  struct pair pair = shaken(&(struct pair_options){.version = 0x0304});
  for (int n = 0; n < 2000; n++) {
    EXPECT(SSL_key_update(openssl_of(&pair.client), SSL_KEY_UPDATE_REQUESTED) == 1);
    EXPECT(tls_write(pair.client.tls, &pair.client.io, (const uint8_t *)"x", 1));
  }
  uint8_t *plain = malloc(1 << 20);
  enum tls_state state;
  EXPECT(hear(&pair.server, &pair.client, plain, 1 << 20, &state) == 2000 && state == TLS_OPEN);
  size_t answers = pair.server.io.out_len;
  EXPECT(answers > 0 && answers < 2000 * 40);
  EXPECT(hear(&pair.client, &pair.server, plain, 1 << 20, &state) == 0 && state == TLS_OPEN);
  free(plain);
  carry(&pair.server, &pair.client, 100000, 0);
  carry(&pair.client, &pair.server, 100000, 0);
  pair_free(&pair);
}

static void no_handshake_is_repeated(void) {
  struct pair pair = shaken(&(struct pair_options){.version = 0x0303});
  SSL_clear_options(openssl_of(&pair.client), SSL_OP_NO_RENEGOTIATION);
  EXPECT(SSL_renegotiate(openssl_of(&pair.client)) == 1);
  EXPECT(tls_shake(pair.client.tls, &pair.client.io) == TLS_WANTS_INPUT);
  uint8_t plain[100];
  enum tls_state state;
  EXPECT(hear(&pair.server, &pair.client, plain, sizeof plain, &state) == 0 && state == TLS_OPEN);
  EXPECT(pair.server.io.out_len > 0 && pair.server.io.out_len < 100 && pair.server.io.out[0] == 21);
  pair_free(&pair);
}

static void an_end_is_told_from_a_cut(void) {
  for (int v = 0; v < 2; v++) {
    struct pair pair = shaken(&(struct pair_options){.version = versions[v]});
    uint8_t plain[100];
    enum tls_state state;
    EXPECT(!tls_closed(pair.server.tls) && !tls_is_cut(pair.server.tls));
    EXPECT(tls_write(pair.client.tls, &pair.client.io, (const uint8_t *)"hello", 5));
    struct side part = {.io = {.out = malloc(10), .out_len = 10}};
    memcpy(part.io.out, pair.client.io.out, 10);
    spend(&pair.client, 10);
    EXPECT(hear(&pair.server, &part, plain, sizeof plain, &state) == 0);
    free(part.io.out);
    EXPECT(!tls_closed(pair.server.tls) && tls_is_cut(pair.server.tls));
    EXPECT(hear(&pair.server, &pair.client, plain, sizeof plain, &state) == 5 && !tls_is_cut(pair.server.tls));
    tls_shut(pair.client.tls, &pair.client.io);
    EXPECT(hear(&pair.server, &pair.client, plain, sizeof plain, &state) == 0 && state == TLS_CLOSED);
    EXPECT(tls_closed(pair.server.tls) && !tls_is_cut(pair.server.tls));
    carry(&pair.server, &pair.client, 100000, 0);
    tls_shut(pair.server.tls, &pair.server.io);
    EXPECT(hear(&pair.client, &pair.server, plain, sizeof plain, &state) == 0 && state == TLS_CLOSED);
    pair_free(&pair);
  }
}

/* The session goes with the first data in TLS 1.3. */
static bool calls_again(struct pair *pair, const struct pair_options *options) {
  pair_free_sessions(pair);
  pair_renew(pair, options);
  EXPECT(pair_shake(pair));
  bool is_resumed = tls_facts_of(pair->client.tls).is_resumed;
  EXPECT(is_resumed == tls_facts_of(pair->server.tls).is_resumed);
  carry(&pair->server, &pair->client, 10, 0);
  return is_resumed;
}

static void a_session_is_taken_up(void) {
  for (int v = 0; v < 2; v++) {
    struct pair_options options = {.version = versions[v]};
    struct pair pair = shaken(&options);
    EXPECT(pair.server.io.out_len == 0);
    carry(&pair.server, &pair.client, 10, 0);
    for (int n = 0; n < 40; n++) EXPECT(calls_again(&pair, &options));
    size_t len;
    uint8_t *der = tls_certificate_of(pair.server.tls, &len);
    EXPECT(der != NULL);
    free(der);
    tls_context_forget(pair.client_context, "server.internal");
    EXPECT(!calls_again(&pair, &options));
    EXPECT(calls_again(&pair, &options));
    tls_context_drop(pair.server_context);
    pair.server_context = context_of(&(struct pair_options){.version = versions[v], .fingerprint = "two"}, true);
    EXPECT(!calls_again(&pair, &options));
    pair_free(&pair);
  }
}

/* Nothing is written: the session goes when it is told to, or with close_notify. */
static void a_session_goes_without_data(void) {
  for (int with_close = 0; with_close < 2; with_close++) {
    struct pair_options options = {.version = 0x0304};
    struct pair pair = shaken(&options);
    uint8_t plain[100];
    enum tls_state state;
    EXPECT(tls_owes_session(pair.server.tls) && pair.server.io.out_len == 0);
    if (with_close) tls_shut(pair.server.tls, &pair.server.io);
    else tls_give_session(pair.server.tls, &pair.server.io);
    EXPECT(!tls_owes_session(pair.server.tls) && pair.server.io.out_len > 0);
    EXPECT(hear(&pair.client, &pair.server, plain, sizeof plain, &state) == 0);
    EXPECT(state == (with_close ? TLS_CLOSED : TLS_OPEN));
    if (!with_close) carry(&pair.server, &pair.client, 100000, 0);
    carry(&pair.client, &pair.server, 100000, 0);
    EXPECT(calls_again(&pair, &options));
    pair_free(&pair);
  }
}

/* A pair whose handshake fails on the side of the server or of the client, and what both say. */
struct refusal {
  struct pair_options options;
  bool by_server;
  const char *code, *alert;
};

static void expect_refusal(const struct refusal *refusal) {
  struct pair pair = pair_of(&refusal->options);
  EXPECT(!pair_shake(&pair));
  struct side *judge = refusal->by_server ? &pair.server : &pair.client;
  struct side *other = refusal->by_server ? &pair.client : &pair.server;
  expect_code(judge, refusal->code);
  EXPECT(tls_failure_of(judge->tls).is_peer);
  size_t len;
  uint8_t *der = tls_certificate_of(judge->tls, &len);
  EXPECT((der != NULL) == (strstr(refusal->code, "RETURN") == NULL));
  free(der);
  if (tls_failure_of(other->tls).code == NULL) {
    uint8_t plain[10];
    enum tls_state state;
    if (refusal->by_server && refusal->options.version != 0x0303) hear(other, judge, plain, sizeof plain, &state);
    else step(other, judge, 0);
  }
  EXPECT(tls_failure_of(other->tls).code != NULL);
  if (strstr(tls_failure_of(other->tls).code, refusal->alert) == NULL)
    fail_at(tls_failure_of(other->tls).code, 0, refusal->alert);
  pair_free(&pair);
}

static void who_is_refused_reads_why(void) {
  static const struct refusal refusals[] = {
      {{.client = ""}, true, "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "CERTIFICATE_REQUIRED"},
      {{.client = "stranger"}, true, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ALERT_UNKNOWN_CA"},
      {{.client = "self"}, true, "DEPTH_ZERO_SELF_SIGNED_CERT", "ALERT_UNKNOWN_CA"},
      {{.client = "expired"}, true, "CERT_HAS_EXPIRED", "ALERT_CERTIFICATE_EXPIRED"},
      {{.client = "revoked", .revoked = "crl"}, true, "CERT_REVOKED", "ALERT_CERTIFICATE_REVOKED"},
      {{.server = "stranger"}, false, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ALERT_UNKNOWN_CA"},
      {{.name = "other.internal"}, false, "ERR_TLS_CERT_ALTNAME_INVALID", "ALERT_"},
      {{.name = "127.0.0.2"}, false, "ERR_TLS_CERT_ALTNAME_INVALID", "ALERT_"},
      {{.version = 0x0303, .client = "stranger"}, true, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ALERT_UNKNOWN_CA"},
  };
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) expect_refusal(&refusals[i]);
}

static void an_address_and_nobody_are_let_in(void) {
  struct pair pair = shaken(&(struct pair_options){.name = "127.0.0.1"});
  EXPECT(tls_facts_of(pair.server.tls).server_name == NULL);
  pair_free(&pair);
  pair = shaken(&(struct pair_options){.server_believes = "", .client = ""});
  size_t len;
  EXPECT(tls_certificate_of(pair.server.tls, &len) == NULL);
  pair_free(&pair);
}

static void what_is_no_tls_has_a_name(void) {
  static const struct {
    const char *said, *code;
  } cases[] = {{"GET / HTTP/1.1\r\n\r\n", "ERR_SSL_HTTP_REQUEST"}, {"*1\r\n$4\r\nPING\r\n", "ERR_SSL_WRONG_VERSION_NUMBER"}};
  for (int i = 0; i < 2; i++) {
    struct pair pair = pair_of(&(struct pair_options){.version = 0x0303});
    pair.server.io.in = (const uint8_t *)cases[i].said;
    pair.server.io.in_len = strlen(cases[i].said);
    EXPECT(tls_hello_is_ready(pair.server.io.in, pair.server.io.in_len));
    EXPECT(tls_shake(pair.server.tls, &pair.server.io) == TLS_FAILED);
    expect_code(&pair.server, cases[i].code);
    EXPECT(!tls_failure_of(pair.server.tls).is_peer);
    pair_free(&pair);
  }
}

static void a_wrong_record_breaks_it(void) {
  for (int v = 0; v < 2; v++) {
    struct pair pair = shaken(&(struct pair_options){.version = versions[v]});
    EXPECT(tls_write(pair.client.tls, &pair.client.io, (const uint8_t *)"good", 4));
    size_t good = pair.client.io.out_len;
    EXPECT(tls_write(pair.client.tls, &pair.client.io, (const uint8_t *)"evil", 4));
    pair.client.io.out[good + 12] ^= 1;
    uint8_t plain[100];
    enum tls_state state;
    EXPECT(hear(&pair.server, &pair.client, plain, sizeof plain, &state) == 4 && state == TLS_BROKEN);
    expect_code(&pair.server, "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
    EXPECT(!tls_write(pair.server.tls, &pair.server.io, plain, 4));
    EXPECT(pair.server.io.out_len > 0);
    pair_free(&pair);
  }
}

static void a_hello_is_ready_when_it_is_whole(void) {
  struct pair pair = pair_of(&(struct pair_options){.version = 0x0304});
  for (size_t len = 0; len < pair.client.io.out_len; len++) EXPECT(!tls_hello_is_ready(pair.client.io.out, len));
  EXPECT(tls_hello_is_ready(pair.client.io.out, pair.client.io.out_len));
  pair_free(&pair);
}

static void sessions_are_bounded(void) {
  struct pair_options options = {.version = 0x0304};
  struct pair pair = shaken(&options);
  carry(&pair.server, &pair.client, 10, 0);
  for (int n = 0; n < 1100; n++) {
    char target[20];
    snprintf(target, sizeof target, "target-%d", n);
    pair_free_sessions(&pair);
    pair.server.tls = tls_accept(pair.server_context);
    pair.client.tls = tls_connect(pair.client_context, &(struct tls_peer_name){"server.internal", target});
    EXPECT(tls_shake(pair.client.tls, &pair.client.io) == TLS_WANTS_INPUT && pair_shake(&pair));
    carry(&pair.server, &pair.client, 10, 0);
  }
  EXPECT(!calls_again(&pair, &options));
  pair_free(&pair);
}

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"bytes go both ways", bytes_go_both_ways},
    {"a handshake comes byte by byte", a_handshake_comes_byte_by_byte},
    {"a handshake is cut at every byte", a_handshake_is_cut_at_every_byte},
    {"a handshake has a wrong byte anywhere", a_handshake_has_a_wrong_byte_anywhere},
    {"data stands right behind the handshake", data_stands_right_behind_the_handshake},
    {"little room loses nothing", little_room_loses_nothing},
    {"a chain is longer than a record", a_chain_is_longer_than_a_record},
    {"keys are updated in bulk", keys_are_updated_in_bulk},
    {"no handshake is repeated", no_handshake_is_repeated},
    {"an end is told from a cut", an_end_is_told_from_a_cut},
    {"a session is taken up", a_session_is_taken_up},
    {"a session goes without data", a_session_goes_without_data},
    {"who is refused reads why", who_is_refused_reads_why},
    {"an address and nobody are let in", an_address_and_nobody_are_let_in},
    {"what is no TLS has a name", what_is_no_tls_has_a_name},
    {"a wrong record breaks it", a_wrong_record_breaks_it},
    {"a hello is ready when it is whole", a_hello_is_ready_when_it_is_whole},
    {"sessions are bounded", sessions_are_bounded},
};

int run_tls_tests(const char *folder_of_certificates) {
  certificates = folder_of_certificates;
  const char *missing = tls_missing();
  if (missing != NULL) fail_at(missing, 0, "OpenSSL");
  int count = (int)(sizeof tests / sizeof *tests);
  for (int i = 0; i < count; i++) {
    fprintf(stderr, "%s\n", tests[i].name);
    tests[i].run();
  }
  return count;
}

int run_tls_test_without_tickets(const char *folder_of_certificates) {
  certificates = folder_of_certificates;
  for (int v = 0; v < 2; v++) {
    struct pair_options options = {.version = versions[v]};
    struct pair pair = shaken(&options);
    carry(&pair.server, &pair.client, 10, 0);
    EXPECT(!calls_again(&pair, &options));
    pair_free(&pair);
  }
  return 1;
}
