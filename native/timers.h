/*
 * Time-outs (of dials, of listeners that pause), on a wheel: setting and clearing one moves a few pointers. A slot stands for TIMER_SLOT_MS, and a timer
 * that is due in a later round stays in its slot, so any time-out fits. One is up to a slot late, never early.
 */
#pragma once
#include <stdbool.h>

#include "link.h"

#define TIMER_SLOTS 256
#define TIMER_SLOT_MS 4.0

struct thread;
struct timer;
typedef void timer_call(struct thread *thread, struct timer *timer);

struct timer {
  struct link link;
  double due_at; /* ms of CLOCK_MONOTONIC */
  timer_call *call;
};

struct timers {
  struct link slots[TIMER_SLOTS];
  unsigned count;
  double looked_at; /* every slot before this time has been looked at */
  double next;      /* no timer is due before */
};

void timers_init(struct timers *timers, double now);
void timer_init(struct timer *timer, timer_call *call);
/* Sets it, or sets it anew. */
void timer_set(struct timers *timers, struct timer *timer, double due_at);
void timer_clear(struct timers *timers, struct timer *timer);
/* One that is due; it is cleared. NULL: there is none. */
struct timer *timers_due(struct timers *timers, double now);
/* ms until one may be due; below zero: none is set */
double timers_wait(const struct timers *timers, double now);
