/*
 * See listener.h. What every accepted socket is to have (TCP_NODELAY, keep-alive) is set on the listening one: Linux hands it
 * down, so it costs nothing per connection.
 *
 * When the process is out of descriptors a client waits in the kernel's queue and the listener pauses: epoll would tell of it
 * again and again. Each turn takes a bounded number of clients, so that those who are served are not starved by those who come.
 * JavaScript decides who is let in, and may be busy: while it has said nothing of so many, the next ones wait in that queue, too.
 * They would take the descriptors that it keeps for itself.
 */
#include "listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "address.h"
#include "end.h"

#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100

static bool set(int fd, int level, int name) {
  int on = 1;
  return setsockopt(fd, level, name, &on, sizeof on) == 0;
}

static bool prepare(int fd, const struct listener_options *options) {
  int family = options->address.ss_family;
  if (family == AF_UNIX) return true;
  if (!set(fd, SOL_SOCKET, SO_REUSEADDR) || !set(fd, IPPROTO_TCP, TCP_NODELAY)) return false;
  if (family == AF_INET6) {
    int only = options->is_ipv6_only;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0) return false;
  }
  if (options->keep_alive_ms > 0) keep_alive(fd, options->keep_alive_ms);
  return true;
}

int listener_open(const struct listener_options *options) {
  int fd = socket(options->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const struct sockaddr *address = (const struct sockaddr *)&options->address;
  if (prepare(fd, options) && bind(fd, address, options->size) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

static void watch(struct thread *thread, struct listener *listener, int operation) {
  struct epoll_event event = {.events = listener->is_paused ? 0 : EPOLLIN, .data.u64 = EPOLL_NAME(EPOLL_LISTENER, listener->id)};
  (void)epoll_ctl(thread->epoll, operation, listener->fd, &event);
}

static void pause_over(struct thread *thread, struct timer *timer) {
  struct listener *listener = OWNER_OF(timer, struct listener, timer);
  listener->is_paused = listeners_wait(thread);
  watch(thread, listener, EPOLL_CTL_MOD);
}

static void pause_now(struct thread *thread, struct listener *listener) {
  listener->is_paused = true;
  watch(thread, listener, EPOLL_CTL_MOD);
  timer_set(&thread->timers, &listener->timer, thread->now + PAUSE_MS);
}

void listener_add(struct thread *thread, const uint32_t *arguments) {
  struct listener *listener = calloc(1, sizeof *listener);
  if (listener == NULL) abort();
  *listener = (struct listener){.id = arguments[0], .fd = (int)arguments[1]};
  listener->is_tcp = arguments[2] != 0;
  listener->is_wild = arguments[3] != 0;
  timer_init(&listener->timer, pause_over);
  link_join(&thread->listeners, &listener->link);
  watch(thread, listener, EPOLL_CTL_ADD);
}

static void end_listener(struct thread *thread, struct listener *listener) {
  timer_clear(&thread->timers, &listener->timer);
  link_leave(&listener->link);
  /* To close it is not enough: a child of the process that has not come to its exec yet holds it as well. */
  (void)epoll_ctl(thread->epoll, EPOLL_CTL_DEL, listener->fd, NULL);
  close(listener->fd);
  free(listener);
}

static struct listener *listener_of(struct thread *thread, uint32_t id) {
  for (struct link *link = thread->listeners.next; link != &thread->listeners; link = link->next) {
    struct listener *listener = OWNER_OF(link, struct listener, link);
    if (listener->id == id) return listener;
  }
  return NULL;
}

void listener_remove(struct thread *thread, uint32_t id) {
  struct listener *listener = listener_of(thread, id);
  if (listener != NULL) end_listener(thread, listener);
}

bool listeners_wait(const struct thread *thread) {
  return ring_is_full(&thread->ring) || thread->unheard >= thread->most_unheard;
}

void listeners_hold(struct thread *thread, bool is_held) {
  for (struct link *link = thread->listeners.next; link != &thread->listeners; link = link->next) {
    struct listener *listener = OWNER_OF(link, struct listener, link);
    bool pauses = is_held || link_is_in(&listener->timer.link);
    if (pauses == listener->is_paused) continue;
    listener->is_paused = pauses;
    watch(thread, listener, EPOLL_CTL_MOD);
  }
}

void listeners_end(struct thread *thread) {
  while (link_is_in(&thread->listeners))
    end_listener(thread, OWNER_OF(thread->listeners.next, struct listener, link));
}

/* Where the listener has one address, JavaScript knows the local one. */
static void describe(struct record_addresses *addresses, const struct sockaddr_storage *remote, int fd) {
  address_describe(addresses, remote);
  struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
  socklen_t size = sizeof local;
  if (fd >= 0 && getsockname(fd, (struct sockaddr *)&local, &size) == 0)
    address_write(&local, addresses->local, &addresses->local_port);
}

static void tell_failure(struct thread *thread, struct listener *listener, int error) {
  struct record record = {.kind = RECORD_ACCEPT_FAILED, .of = listener->id};
  record.outcome.code = (uint32_t)error;
  ring_tell(&thread->ring, &record, true);
}

static void welcome(struct thread *thread, struct listener *listener, int fd, const struct sockaddr_storage *remote) {
  struct end *end = end_of_client(thread);
  if (end == NULL) {
    close(fd);
    tell_failure(thread, listener, ENOBUFS);
    return;
  }
  end->is_tcp = listener->is_tcp;
  end->writable = true;
  end->is_unheard = true;
  thread->unheard += 1;
  struct record record = {
      .kind = RECORD_ACCEPTED, .slot = end->slot, .generation = end->generation, .of = listener->id};
  describe(&record.addresses, remote, listener->is_wild ? fd : -1);
  bool is_open = end_open(thread, end, fd);
  int error = errno;
  ring_tell(&thread->ring, &record, true);
  if (!is_open) end_fail(thread, end, error);
}

/* Errors of a connection that has ended while it waited to be accepted: accept(2) says that these are to be passed over. */
static bool is_passing(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN || error == EHOSTUNREACH ||
         error == ENETUNREACH || error == EOPNOTSUPP;
}

static void accept_some(struct thread *thread, struct listener *listener) {
  for (int n = 0; n < ACCEPTS_PER_TURN && !listeners_wait(thread); n += 1) {
    struct sockaddr_storage remote = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof remote;
    int fd = accept4(listener->fd, (struct sockaddr *)&remote, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      welcome(thread, listener, fd, &remote);
      continue;
    }
    if (is_passing(errno)) continue;
    if (errno == EINVAL) {
      /* Shut down: JavaScript says so in a moment. Until then epoll would tell of it in each turn, whatever it is asked for. */
      (void)epoll_ctl(thread->epoll, EPOLL_CTL_DEL, listener->fd, NULL);
    } else if (errno != EAGAIN) {
      tell_failure(thread, listener, errno);
      pause_now(thread, listener);
    }
    return;
  }
}

void listener_event(struct thread *thread, uint32_t id) {
  struct listener *listener = listener_of(thread, id);
  if (listener != NULL) accept_some(thread, listener);
}
