/*
 * See stream.h. `readable` and `writable` are what is known since epoll last told of a change: a short read means that nothing
 * is left, unless an end is still to be read; a short write that nothing more fits. So a request and its answer cost two calls
 * of recv and two of send. What TLS has read and not yet given away makes an end readable as well.
 */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "end.h"
#include "secure.h"

/* What TLS makes of a chunk, and more: beyond it the buffer is given back. */
#define MOST_OUT (4 * CIPHER_BYTES)

int stream_receive(struct thread *thread, struct end *end, uint8_t *into, uint32_t room) {
  if (!end->readable || end->eof) return STREAM_NOTHING;
  ssize_t got;
  do got = recv(end->fd, into, room, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno != EAGAIN) return STREAM_FAILED;
    end->readable = false;
    return STREAM_NOTHING;
  }
  if (got == 0) {
    end->eof = true;
    if (end->tls == NULL) return STREAM_END;
    end_flag(thread, end, LIVE_UNCLEAN, true);
    end->is_cut = end->is_strict;
    return STREAM_END;
  }
  if ((uint32_t)got < room && !end->hung_up) end->readable = false;
  return (int)got;
}

/* Its peer takes no answers: there is no more to be read before it does. @returns false: see errno */
static bool may_answer(struct thread *thread, struct end *end, bool *may) {
  if (end->out.length > CIPHER_BYTES && !stream_flush(thread, end)) return false;
  *may = end->out.length <= CIPHER_BYTES;
  return true;
}

static bool needs_input(const struct end *end) {
  return !tls_has_more(end->tls) && !tls_closed(end->tls) && tls_failure_of(end->tls).code == NULL;
}

/* What a relay reads may be a little more than was asked for: what TLS has, but for that, it would have to keep. */
static int read_secure(struct thread *thread, struct end *end, const uint8_t **bytes, uint32_t most) {
  size_t room = end->phase == PHASE_RELAYED || most > PLAIN_BYTES ? PLAIN_BYTES : most;
  struct tls_io *io = &thread->io;
  bool may = true;
  if (end->eof) return STREAM_NOTHING;
  do {
    if (!may_answer(thread, end, &may)) return STREAM_FAILED;
    if (!may) return STREAM_NOTHING;
    if (needs_input(end)) {
      int got = stream_receive(thread, end, thread->cipher, sizeof thread->cipher);
      if (got <= 0) return got;
      io->in = thread->cipher;
      io->in_len = (size_t)got;
    }
    enum tls_state state;
    size_t length = tls_read(end->tls, io, thread->plain, room, &state);
    if (!stream_send(thread, end) && state != TLS_BROKEN) return STREAM_FAILED;
    if (state != TLS_OPEN || tls_has_more(end->tls)) end->readable = true;
    if (length > 0) {
      *bytes = thread->plain;
      return (int)length;
    }
    if (state == TLS_CLOSED) {
      end->eof = true;
      return STREAM_END;
    }
    if (state == TLS_BROKEN) {
      secure_report_failure(end);
      errno = TLS_ERROR;
      return STREAM_FAILED;
    }
  } while (end->readable);
  return STREAM_NOTHING;
}

int stream_read(struct thread *thread, struct end *end, const uint8_t **bytes, uint32_t most) {
  if (end->tls != NULL) return read_secure(thread, end, bytes, most);
  uint32_t room = most < CHUNK_BYTES ? most : CHUNK_BYTES;
  *bytes = thread->buffer;
  return stream_receive(thread, end, thread->buffer, room);
}

/* @returns bytes that the socket has taken; below zero: see errno */
static ssize_t send_now(struct thread *thread, struct end *end, const uint8_t *bytes, uint32_t length) {
  if (!end->writable) return 0;
  ssize_t sent;
  do sent = send(end->fd, bytes, length, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    if (errno != EAGAIN) return -1;
    sent = 0;
  }
  if ((uint32_t)sent < length) end->writable = false;
  if (sent > 0 && end->tls == NULL) end_took(thread, end, (size_t)sent);
  return sent;
}

/* Sends bytes as they are, or keeps what the socket does not take. */
static bool send_or_keep(struct thread *thread, struct end *end, const uint8_t *bytes, uint32_t length) {
  if (length == 0) return true;
  ssize_t sent = end->out.length > 0 ? 0 : send_now(thread, end, bytes, length);
  if (sent < 0) return false;
  if (chunk_add(&end->out, bytes + sent, length - (uint32_t)sent)) return true;
  errno = ENOMEM;
  return false;
}

static void note_plain(struct thread *thread, struct end *end) {
  if (end->plain_unsent == 0 || end->out.length > 0) return;
  end_took(thread, end, end->plain_unsent);
  end->plain_unsent = 0;
}

bool stream_send(struct thread *thread, struct end *end) {
  struct tls_io *io = &thread->io;
  bool is_good = send_or_keep(thread, end, io->out, (uint32_t)io->out_len);
  io->out_len = 0;
  if (io->out_cap > MOST_OUT) {
    free(io->out);
    io->out = NULL;
    io->out_cap = 0;
  }
  if (is_good) note_plain(thread, end);
  return is_good;
}

bool stream_write(struct thread *thread, struct end *end, const uint8_t *bytes, uint32_t length) {
  if (end->tls == NULL) return send_or_keep(thread, end, bytes, length);
  if (!tls_write(end->tls, &thread->io, bytes, length)) {
    thread->io.out_len = 0;
    secure_report_failure(end);
    errno = TLS_ERROR;
    return false;
  }
  end->plain_unsent += length;
  return stream_send(thread, end);
}

bool stream_flush(struct thread *thread, struct end *end) {
  if (end->out.length == 0) return true;
  ssize_t sent = send_now(thread, end, end->out.bytes + end->out.from, end->out.length);
  if (sent < 0) return false;
  if (sent > 0) chunk_shift(&end->out, (uint32_t)sent);
  note_plain(thread, end);
  return true;
}

bool stream_finish(struct thread *thread, struct end *end, bool close) {
  if (end->tls != NULL && !end->said_close) {
    end->said_close = true;
    tls_shut(end->tls, &thread->io);
    /* One that takes nothing any more is closed for that elsewhere. */
    (void)stream_send(thread, end);
  }
  if (end->tls != NULL && end->out.length > 0) return false;
  /* Closing sends the FIN in one call less. */
  if (!close) (void)shutdown(end->fd, SHUT_WR);
  return true;
}

bool stream_is_plain(const struct end *end) {
  return end->tls == NULL;
}

void stream_release(struct end *end) {
  tls_free(end->tls);
  end->tls = NULL;
}
