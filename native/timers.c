/* See timers.h. `next` is a bound and no promise: clearing a timer leaves it, and the thread wakes once in vain. */
#include "timers.h"

#define NEVER 1e300

static unsigned slot_of(double at) {
  return (unsigned)((unsigned long long)(at / TIMER_SLOT_MS) % TIMER_SLOTS);
}

void timers_init(struct timers *timers, double now) {
  for (unsigned n = 0; n < TIMER_SLOTS; n += 1) link_init(&timers->slots[n]);
  timers->count = 0;
  timers->looked_at = now;
  timers->next = NEVER;
}

void timer_init(struct timer *timer, timer_call *call) {
  link_init(&timer->link);
  timer->call = call;
}

void timer_set(struct timers *timers, struct timer *timer, double due_at) {
  timer_clear(timers, timer);
  /* A slot that has been looked at is not looked at before the wheel comes round. */
  timer->due_at = due_at > timers->looked_at ? due_at : timers->looked_at;
  link_join(&timers->slots[slot_of(timer->due_at)], &timer->link);
  timers->count += 1;
  if (timer->due_at < timers->next) timers->next = timer->due_at;
}

void timer_clear(struct timers *timers, struct timer *timer) {
  if (!link_is_in(&timer->link)) return;
  link_leave(&timer->link);
  timers->count -= 1;
}

/* The first in one slot that is due. */
static struct timer *due_in(struct link *slot, double now) {
  for (struct link *link = slot->next; link != slot; link = link->next) {
    struct timer *timer = OWNER_OF(link, struct timer, link);
    if (timer->due_at <= now) return timer;
  }
  return NULL;
}

static double earliest(const struct timers *timers) {
  double next = NEVER;
  for (unsigned n = 0; n < TIMER_SLOTS; n += 1) {
    const struct link *slot = &timers->slots[n];
    for (const struct link *link = slot->next; link != slot; link = link->next) {
      double due_at = OWNER_OF(link, struct timer, link)->due_at;
      if (due_at < next) next = due_at;
    }
  }
  return next;
}

struct timer *timers_due(struct timers *timers, double now) {
  if (timers->count == 0 || now < timers->next) return NULL;
  /* After a long sleep one round is enough: it passes every slot. */
  double round_ago = now - (TIMER_SLOTS - 1) * TIMER_SLOT_MS;
  double first = timers->looked_at > round_ago ? timers->looked_at : round_ago;
  for (double at = first; slot_of(at) != slot_of(now); at += TIMER_SLOT_MS) {
    struct timer *timer = due_in(&timers->slots[slot_of(at)], now);
    if (timer != NULL) {
      timer_clear(timers, timer);
      return timer;
    }
  }
  struct timer *timer = due_in(&timers->slots[slot_of(now)], now);
  if (timer != NULL) {
    timer_clear(timers, timer);
    return timer;
  }
  timers->looked_at = now;
  timers->next = earliest(timers);
  return NULL;
}

double timers_wait(const struct timers *timers, double now) {
  if (timers->count == 0) return -1;
  return timers->next > now ? timers->next - now : 0;
}
