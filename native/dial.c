/*
 * See dial.h. The preface (a PROXY header) goes out as soon as TCP stands, ahead of anything else, and does not count as a byte
 * of the relay: `taken` begins below zero by what of it is still kept.
 */
#include "dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "address.h"
#include "end.h"
#include "stream.h"

static uint32_t words_of(uint32_t bytes) {
  return (bytes + 3) / 4;
}

/* @returns false: errno says why; the socket is the end's all the same */
static bool begin(struct thread *thread, struct end *end, const struct sockaddr *address, socklen_t size) {
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  end->is_tcp = address->sa_family != AF_UNIX;
  int on = 1;
  if (end->is_tcp) (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  end->fd = fd;
  if (connect(fd, address, size) < 0 && errno != EINPROGRESS) return false;
  return end_open(thread, end, fd);
}

/* Whoever accepts it is told of it behind this: clients are accepted by this thread as well. */
static void tell_home(struct thread *thread, struct end *end) {
  struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
  socklen_t size = sizeof own;
  if (getsockname(end->fd, (struct sockaddr *)&own, &size) < 0) return;
  struct record record = {.kind = RECORD_HOME, .slot = end->slot, .generation = end->generation};
  address_describe(&record.addresses, &own);
  ring_tell(&thread->ring, &record, true);
}

void dial_start(struct thread *thread, const uint32_t *arguments) {
  struct end *end = end_of_candidate(thread, arguments[0], arguments[1]);
  if (end == NULL) return;
  uint32_t ms = arguments[2], address_bytes = arguments[3], preface_bytes = arguments[4];
  struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
  if (address_bytes <= sizeof address) memcpy(&address, &arguments[6], address_bytes);
  /* Kept until it may be sent. */
  const uint8_t *preface = (const uint8_t *)&arguments[6 + words_of(address_bytes)];
  if (!chunk_add(&end->out, preface, preface_bytes)) {
    end_fail(thread, end, ENOMEM);
    return;
  }
  if (!begin(thread, end, (struct sockaddr *)&address, address_bytes)) {
    end_fail(thread, end, errno);
    return;
  }
  timer_set(&thread->timers, &end->timer, monotonic_ms() + ms);
  if (arguments[5] != 0) tell_home(thread, end);
}

void dial_event(struct thread *thread, struct end *end, uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    int error = end_error(end);
    /* A peer that resets at once was there all the same: whoever carries it reads what it has to say. */
    if (error != 0 || (events & EPOLLOUT) == 0) {
      end_fail(thread, end, error != 0 ? error : ECONNREFUSED);
      return;
    }
  }
  if ((events & EPOLLOUT) == 0) return;
  timer_clear(&thread->timers, &end->timer);
  end->phase = PHASE_IDLE;
  end->writable = true;
  end_note(end, events);
  end->taken = -(int64_t)end->out.length;
  if (!stream_flush(thread, end)) {
    end_fail(thread, end, errno);
    return;
  }
  end_tell(thread, end, RECORD_DIALED);
}

void dial_timed_out(struct thread *thread, struct timer *timer) {
  struct end *end = OWNER_OF(timer, struct end, timer);
  /* ETIMEDOUT is the kernel's word for something else. */
  if (end->phase == PHASE_CONNECTING) end_fail(thread, end, ETIME);
}
