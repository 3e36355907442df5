/* See delivery.h. */
#include "delivery.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "relay.h"

#define ASK_AGAIN_MS 5.0
#define PATIENCE_MS 5000.0

static uint32_t undelivered(const struct end *end) {
  int bytes = 0;
  return ioctl(end->fd, SIOCOUTQ, &bytes) < 0 || bytes < 0 ? 0 : (uint32_t)bytes;
}

static void ask(struct thread *thread, struct timer *timer) {
  struct end *end = OWNER_OF(timer, struct end, timer);
  if (end->phase != PHASE_RELAYED || end->fd < 0) return;
  uint32_t left = undelivered(end);
  double now = monotonic_ms();
  if (left < end->undelivered) end->undelivered_since = now;
  end->undelivered = left;
  if (left == 0 || now - end->undelivered_since >= PATIENCE_MS) relay_delivered(thread, end);
  else timer_set(&thread->timers, &end->timer, now + ASK_AGAIN_MS);
}

void delivery_await(struct thread *thread, struct end *end) {
  timer_clear(&thread->timers, &end->timer);
  if (end->timer.call != ask) {
    end->undelivered = UINT32_MAX;
    timer_init(&end->timer, ask);
  }
  ask(thread, &end->timer);
}
