/* See secure.h. */
#include "secure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "early.h"
#include "end.h"
#include "relay.h"
#include "stream.h"

/* How long a peer may take to read its alert and close, and how much it may still send. */
#define TELLING_MS 1000.0
#define MOST_DROPPED (256 * 1024)
/* How long a client's session waits for data to go with: most servers answer within it, and then it costs no packet of its own. */
#define SESSION_MS 20.0

enum { HEAD_WORDS = 7, IS_CLIENT = 1, IS_STRICT = 2 };

/* ---- Reports */

struct part {
  const void *bytes;
  size_t length;
};

/* Without memory there is none, and JavaScript makes do with that. */
static void leave_report(struct end *end, const uint32_t said[3], const struct part parts[4]) {
  size_t length = HEAD_WORDS * sizeof(uint32_t);
  for (int n = 0; n < 4; n += 1) length += parts[n].length;
  struct report *report = malloc(sizeof *report + length);
  if (report == NULL) return;
  report->length = length;
  uint32_t head[HEAD_WORDS] = {said[0], said[1], said[2]};
  for (int n = 0; n < 4; n += 1) head[3 + n] = (uint32_t)parts[n].length;
  memcpy(report->bytes, head, sizeof head);
  uint8_t *at = report->bytes + sizeof head;
  for (int n = 0; n < 4; n += 1) {
    if (parts[n].length > 0) memcpy(at, parts[n].bytes, parts[n].length);
    at += parts[n].length;
  }
  free(atomic_exchange(&end->report, report));
}

static struct part text(const char *text) {
  return (struct part){text, text == NULL ? 0 : strlen(text)};
}

static void report_code(struct end *end, const char *code) {
  leave_report(end, (uint32_t[3]){0}, (struct part[4]){text(code)});
}

void secure_report_failure(struct end *end) {
  struct tls_failure failure = tls_failure_of(end->tls);
  struct part certificate = {NULL, 0};
  uint8_t *der = tls_certificate_of(end->tls, &certificate.length);
  certificate.bytes = der;
  if (der == NULL) certificate.length = 0;
  leave_report(end, (uint32_t[3]){0, 0, failure.is_peer}, (struct part[4]){text(failure.code), text(NULL), text(NULL), certificate});
  free(der);
}

static void report_success(struct end *end) {
  struct tls_facts facts = tls_facts_of(end->tls);
  struct part certificate = {NULL, 0};
  uint8_t *der = tls_certificate_of(end->tls, &certificate.length);
  certificate.bytes = der;
  if (der == NULL) certificate.length = 0;
  uint32_t version = strcmp(facts.version, "TLSv1.3") == 0 ? 0x0304 : 0x0303;
  struct part protocol = {facts.protocol, facts.protocol_len};
  leave_report(end, (uint32_t[3]){version, facts.is_resumed, 0},
               (struct part[4]){text(NULL), text(facts.server_name), protocol, certificate});
  free(der);
}

/* ---- A client's hello */

static void go_on_with_hello(struct thread *thread, struct end *end) {
  if (!early_read(thread, end, TLS_MAX_HELLO)) return;
  if (tls_hello_is_ready(end->early.bytes + end->early.from, end->early.length)) {
    end->phase = PHASE_IDLE;
    end_tell(thread, end, RECORD_HELLO);
  } else if (end->eof && !early_has_failed(thread, end)) {
    early_tell_end(thread, end);
  }
}

void secure_hello(struct thread *thread, struct end *end) {
  if (end->phase != PHASE_IDLE) return;
  end->phase = PHASE_HELLO;
  go_on_with_hello(thread, end);
}

/* ---- An alert that the peer is to read */

/* @returns whether the peer has closed, or may say no more */
static bool drop_what_comes(struct thread *thread, struct end *end) {
  for (;;) {
    ssize_t got = recv(end->fd, thread->cipher, sizeof thread->cipher, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0 || errno != EAGAIN;
    end->dropped += (uint32_t)got;
    if (end->dropped > MOST_DROPPED) return true;
  }
}

static void told(struct thread *thread, struct end *end) {
  end->phase = PHASE_IDLE;
  end_close(thread, end, false);
}

static void told_enough(struct thread *thread, struct timer *timer) {
  struct end *end = OWNER_OF(timer, struct end, timer);
  if (end->phase == PHASE_TELLING) told(thread, end);
}

static void go_on_telling(struct thread *thread, struct end *end) {
  bool is_sent = stream_flush(thread, end);
  if (is_sent && end->out.length == 0 && !end->shut) {
    end->shut = true;
    (void)shutdown(end->fd, SHUT_WR);
  }
  if (!is_sent || drop_what_comes(thread, end)) told(thread, end);
}

static void tell(struct thread *thread, struct end *end) {
  tls_free(end->tls);
  end->tls = NULL;
  end->phase = PHASE_TELLING;
  timer_init(&end->timer, told_enough);
  timer_set(&thread->timers, &end->timer, monotonic_ms() + TELLING_MS);
  go_on_telling(thread, end);
}

/* ---- The session of a client that is told nothing */

static void give_session(struct thread *thread, struct timer *timer) {
  struct end *end = OWNER_OF(timer, struct end, timer);
  if (end->fd < 0 || end->tls == NULL || end->said_close || end->error != 0 || !tls_owes_session(end->tls)) return;
  tls_give_session(end->tls, &thread->io);
  if (stream_send(thread, end)) return;
  if (end->phase == PHASE_RELAYED) relay_refused(thread, end, errno);
  else end_fail(thread, end, errno);
}

/* ---- The handshake */

static void finish(struct thread *thread, struct end *end) {
  report_success(end);
  end->phase = PHASE_IDLE;
  if (tls_owes_session(end->tls)) {
    timer_init(&end->timer, give_session);
    timer_set(&thread->timers, &end->timer, monotonic_ms() + SESSION_MS);
  }
  if (tls_has_more(end->tls)) end->readable = true;
  end_tell(thread, end, RECORD_SECURED);
}

static void refuse(struct thread *thread, struct end *end) {
  bool is_ours = thread->io.out_len > 0;
  secure_report_failure(end);
  end->phase = PHASE_IDLE;
  end_tell(thread, end, RECORD_REFUSED);
  if (stream_send(thread, end) && is_ours) tell(thread, end);
}

/* The peer has left in the middle. */
static void give_up(struct thread *thread, struct end *end) {
  report_code(end, "EOF");
  tls_forget(end->tls);
  end->phase = PHASE_IDLE;
  end_tell(thread, end, RECORD_REFUSED);
}

/* What was read before comes first. @returns as stream_read */
static int next_input(struct thread *thread, struct end *end, struct chunk *early) {
  *early = end->early;
  end->early = (struct chunk){.bytes = NULL};
  if (early->length > 0) {
    thread->io.in = early->bytes + early->from;
    thread->io.in_len = early->length;
    return (int)early->length;
  }
  int got = stream_receive(thread, end, thread->cipher, sizeof thread->cipher);
  thread->io.in = thread->cipher;
  thread->io.in_len = got > 0 ? (size_t)got : 0;
  return got;
}

static void go_on_shaking(struct thread *thread, struct end *end) {
  for (;;) {
    struct chunk early;
    int got = next_input(thread, end, &early);
    if (got == STREAM_FAILED) {
      end_fail(thread, end, errno);
      return;
    }
    if (got == STREAM_END) {
      give_up(thread, end);
      return;
    }
    enum tls_step step = tls_shake(end->tls, &thread->io);
    chunk_drop(&early);
    if (step == TLS_FAILED) {
      refuse(thread, end);
      return;
    }
    if (!stream_send(thread, end)) {
      end_fail(thread, end, errno);
      return;
    }
    if (step == TLS_DONE) {
      finish(thread, end);
      return;
    }
    if (got == STREAM_NOTHING) return;
  }
}

static struct tls_context *context_at(const uint32_t *words) {
  struct tls_context *context;
  _Static_assert(sizeof context <= 2 * sizeof *words, "a pointer is two words");
  memcpy(&context, words, sizeof context);
  return context;
}

void secure_start(struct thread *thread, struct end *end, const uint32_t *arguments) {
  struct tls_context *context = context_at(&arguments[2]);
  if (end == NULL || end->phase != PHASE_IDLE) {
    tls_context_drop(context);
    return;
  }
  const char *name = (const char *)&arguments[6];
  struct tls_peer_name peer = {.name = name, .target = name + arguments[5]};
  end->tls = (arguments[4] & IS_CLIENT) != 0 ? tls_connect(context, &peer) : tls_accept(context);
  tls_context_drop(context);
  if (end->tls == NULL) {
    end_fail(thread, end, ENOMEM);
    return;
  }
  end->is_strict = (arguments[4] & IS_STRICT) != 0;
  /* Of the bytes that were sent from here on none is the relay's but what is written to it. */
  end->taken = 0;
  end->phase = PHASE_SHAKING;
  go_on_shaking(thread, end);
}

void secure_event(struct thread *thread, struct end *end) {
  if (end->phase == PHASE_TELLING) {
    go_on_telling(thread, end);
    return;
  }
  if (end->writable && !stream_flush(thread, end)) end_fail(thread, end, errno);
  else if (end->phase == PHASE_HELLO) go_on_with_hello(thread, end);
  else go_on_shaking(thread, end);
}
