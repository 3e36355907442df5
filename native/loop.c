/*
 * A turn: sleep -> events -> ends whose turn it is -> clients that have come -> commands -> time-outs -> JavaScript is called.
 *
 * The order has reasons. Slots are given anew (to clients, by commands) behind the events, so an event that epoll has told of
 * in this turn never reaches a stranger; and a listener is freed by a command, behind the clients that epoll told of. Those who
 * wait for their share of a turn come behind those who have just something to read, and join at the end of the line.
 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dead.h"
#include "dial.h"
#include "early.h"
#include "end.h"
#include "listener.h"
#include "relay.h"
#include "secure.h"

#define EVENTS 256
/* Clients that JavaScript has said nothing of. */
#define MOST_UNHEARD 256
#define LEAST_UNHEARD 4

/* How many of what takes descriptors there may be: where there are few, connections need them more. */
static unsigned that_fit(unsigned most) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
  return limit.rlim_cur / 32 < most ? (unsigned)(limit.rlim_cur / 32) : most;
}

static bool make_ends(struct thread *thread, uint32_t clients) {
  size_t bytes = 2 * (size_t)clients * sizeof(struct end);
  /* Only what has been used is memory. */
  void *ends = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (ends == MAP_FAILED) return false;
  thread->ends = ends;
  thread->clients = clients;
  thread->free_slots = malloc(clients * sizeof *thread->free_slots);
  if (thread->free_slots == NULL) return false;
  for (uint32_t n = 0; n < clients; n += 1) thread->free_slots[n] = clients - 1 - n;
  thread->free_count = clients;
  return true;
}

bool thread_init(struct thread *thread, uint32_t clients, void *ring, struct live *live) {
  link_init(&thread->listeners);
  link_init(&thread->ready);
  thread->now = monotonic_ms();
  thread->live = live;
  thread->share = MOST_SHARE_BYTES;
  thread->call_in = -1;
  ring_init(&thread->ring, ring);
  timers_init(&thread->timers, thread->now);
  dead_init(thread);
  pipes_init(&thread->pipes, that_fit(MOST_PIPES));
  thread->most_unheard = that_fit(MOST_UNHEARD);
  if (thread->most_unheard < LEAST_UNHEARD) thread->most_unheard = LEAST_UNHEARD;
  thread->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!inbox_init(&thread->inbox) || thread->epoll < 0 || !make_ends(thread, clients)) return false;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = EPOLL_NAME(EPOLL_INBOX, 0)};
  return epoll_ctl(thread->epoll, EPOLL_CTL_ADD, thread->inbox.event, &event) == 0;
}

void thread_end(struct thread *thread) {
  commands_drop(thread);
  listeners_end(thread);
  for (uint32_t slot = 0; thread->ends != NULL && slot < 2 * thread->clients; slot += 1) {
    struct end *end = &thread->ends[slot];
    /* Slots are used from the lowest on, so the first that never was ends the search. */
    if (end->generation == 0 && slot < thread->clients) slot = thread->clients - 1;
    else if (end->generation == 0) break;
    else {
      if (end->phase != PHASE_FREE && end->phase != PHASE_OVER) end_release(thread, end, false);
      free(atomic_exchange(&end->report, NULL));
    }
  }
  pipes_end(&thread->pipes);
  ring_end(&thread->ring);
  inbox_end(&thread->inbox);
  if (thread->epoll >= 0) close(thread->epoll);
  if (thread->ends != NULL) munmap(thread->ends, 2 * (size_t)thread->clients * sizeof(struct end));
  free(thread->free_slots);
  free(thread->io.out);
}

static void end_event(struct thread *thread, struct end *end, uint32_t events) {
  if (end->fd < 0) return;
  if (end->phase == PHASE_CONNECTING) {
    dial_event(thread, end, events);
    return;
  }
  end_note(end, events);
  if (end->phase == PHASE_RELAYED) relay_run(thread, end);
  else if (end->phase == PHASE_HELLO || end->phase == PHASE_SHAKING || end->phase == PHASE_TELLING) secure_event(thread, end);
  else early_event(thread, end);
}

static void handle(struct thread *thread, const struct epoll_event *event) {
  uint32_t slot = (uint32_t)event->data.u64, generation = (uint32_t)(event->data.u64 >> 32);
  if (slot < 2 * thread->clients) {
    struct end *end = &thread->ends[slot];
    if (end->generation == generation) end_event(thread, end, event->events);
  } else if (slot == EPOLL_INBOX) {
    uint64_t count;
    while (read(thread->inbox.event, &count, sizeof count) < 0 && errno == EINTR) continue;
  }
}

/*
 * Those that stood in line when this turn began, in order, until the turn has moved what it may; the others stay in front of those
 * that have joined since.
 */
static void run_ready(struct thread *thread) {
  struct link last;
  link_init(&last);
  link_join(&thread->ready, &last);
  thread->is_round = true;
  while (thread->ready.next != &last) {
    struct end *end = OWNER_OF(thread->ready.next, struct end, ready);
    link_leave(&end->ready);
    thread->waiting -= 1;
    if (end->phase == PHASE_RELAYED) relay_run(thread, end);
    if (thread->spent >= TURN_BYTES) break;
  }
  thread->is_round = false;
  link_leave(&last);
}

static void run_timers(struct thread *thread) {
  for (;;) {
    struct timer *timer = timers_due(&thread->timers, thread->now);
    if (timer == NULL) return;
    timer->call(thread, timer);
  }
}

static void accept_clients(struct thread *thread, const struct epoll_event *events, int count) {
  for (int n = 0; n < count; n += 1) {
    uint64_t name = events[n].data.u64;
    if ((uint32_t)name == EPOLL_LISTENER) listener_event(thread, (uint32_t)(name >> 32));
  }
}

/* How long the thread may sleep, as epoll_wait has it. */
static int sleep_ms(struct thread *thread) {
  double call_in = thread->call_in;
  if (link_is_in(&thread->ready) || !inbox_may_sleep(&thread->inbox)) return 0;
  double timer_in = timers_wait(&thread->timers, monotonic_ms());
  double wait = call_in < 0 || (timer_in >= 0 && timer_in < call_in) ? timer_in : call_in;
  if (wait < 0) return -1;
  return wait > 60e3 ? 60000 : (int)wait + 1;
}

static void share_out(struct thread *thread) {
  uint32_t share = ROUND_BYTES / (thread->waiting + 1);
  if (share < LEAST_SHARE_BYTES) share = LEAST_SHARE_BYTES;
  if (share > MOST_SHARE_BYTES) share = MOST_SHARE_BYTES;
  thread->share = share;
  thread->spent = 0;
}

void thread_turn(struct thread *thread, int most_ms) {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(thread->epoll, events, EVENTS, most_ms);
  inbox_awake(&thread->inbox);
  thread->now = monotonic_ms();
  share_out(thread);
  bool waited = listeners_wait(thread);
  for (int n = 0; n < count; n += 1) handle(thread, &events[n]);
  run_ready(thread);
  accept_clients(thread, events, count);
  commands_run(thread);
  run_timers(thread);
  if (waited || listeners_wait(thread)) listeners_hold(thread, listeners_wait(thread));
  thread->call_in = ring_call(&thread->ring, thread->now);
}

void *thread_run(void *argument) {
  struct thread *thread = argument;
  while (!atomic_load(&thread->inbox.is_over)) thread_turn(thread, sleep_ms(thread));
  return NULL;
}
