/*
 * See dead.h. All ends are looked at equally often, so they stand in the order in which they are due, and one timer serves all of
 * them. With ten thousand that is two thousand calls of getsockopt a second at most, and none for those that were sent nothing
 * since they were last heard of.
 */
#include "dead.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "end.h"
#include "relay.h"

/* @returns whether it is dead */
static bool look(struct thread *thread, struct end *end) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(end->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return false;
  bool is_under_way = info.tcpi_unacked > 0 || info.tcpi_probes > 0;
  double heard_at = thread->now - info.tcpi_last_ack_recv;
  if (!is_under_way) end->silent_since = 0;
  else if (end->silent_since <= 0 || heard_at > end->silent_since) end->silent_since = thread->now;
  return is_under_way && thread->now - end->silent_since >= end->keep_alive_ms + DEAD_GRACE_MS;
}

static void look_on(struct thread *thread, struct timer *timer) {
  while (link_is_in(&thread->watched)) {
    struct end *end = OWNER_OF(thread->watched.next, struct end, watch);
    if (end->look_at > thread->now) {
      timer_set(&thread->timers, timer, end->look_at);
      return;
    }
    link_leave(&end->watch);
    end->look_at = thread->now + DEAD_LOOK_MS;
    link_join(&thread->watched, &end->watch);
    if (look(thread, end)) relay_lost(thread, end, ETIMEDOUT);
  }
}

void dead_init(struct thread *thread) {
  link_init(&thread->watched);
  timer_init(&thread->look, look_on);
}

void dead_watch(struct thread *thread, struct end *end, uint32_t ms) {
  if (end->fd < 0 || !end->is_tcp || ms == 0 || link_is_in(&end->watch)) return;
  end->keep_alive_ms = ms;
  end->look_at = thread->now + DEAD_LOOK_MS;
  link_join(&thread->watched, &end->watch);
  if (!link_is_in(&thread->look.link)) timer_set(&thread->timers, &thread->look, end->look_at);
}
