/*
 * See commands.h. A command for an end that is over, or whose slot names another by now, is passed over: JavaScript cannot
 * know of an end before it has read of it, and says what it says in the meantime in good faith. Slots and generations are
 * checked here and nowhere else.
 *
 * How a wake-up does not get lost: the thread sets `is_asleep`, then looks whether there are commands, then sleeps;
 * JavaScript adds commands, then looks at `is_asleep`. Whichever comes second sees the other.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dial.h"
#include "early.h"
#include "end.h"
#include "engine.h"
#include "listener.h"
#include "relay.h"
#include "secure.h"

bool inbox_init(struct inbox *inbox) {
  pthread_mutex_init(&inbox->lock, NULL);
  inbox->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return inbox->event >= 0;
}

void inbox_end(struct inbox *inbox) {
  free(inbox->words);
  free(inbox->taken);
  if (inbox->event >= 0) close(inbox->event);
  pthread_mutex_destroy(&inbox->lock);
}

static void wake(struct inbox *inbox) {
  uint64_t one = 1;
  /* It fails only when it is full of wake-ups. */
  if (atomic_exchange(&inbox->is_asleep, false) && write(inbox->event, &one, sizeof one) < 0) return;
}

static bool make_room(struct inbox *inbox, size_t words) {
  if (words <= inbox->room) return true;
  uint32_t *more = realloc(inbox->words, 2 * words * sizeof *more);
  if (more == NULL) return false;
  inbox->words = more;
  inbox->room = 2 * words;
  return true;
}

bool inbox_put(struct inbox *inbox, const uint32_t *words, size_t count) {
  pthread_mutex_lock(&inbox->lock);
  bool fits = make_room(inbox, inbox->count + count);
  if (fits) {
    memcpy(inbox->words + inbox->count, words, count * sizeof *words);
    inbox->count += count;
  }
  pthread_mutex_unlock(&inbox->lock);
  wake(inbox);
  return fits;
}

void inbox_finish(struct inbox *inbox) {
  atomic_store(&inbox->is_over, true);
  wake(inbox);
}

bool inbox_may_sleep(struct inbox *inbox) {
  atomic_store(&inbox->is_asleep, true);
  pthread_mutex_lock(&inbox->lock);
  bool is_empty = inbox->count == 0;
  pthread_mutex_unlock(&inbox->lock);
  return is_empty && !atomic_load(&inbox->is_over);
}

void inbox_awake(struct inbox *inbox) {
  atomic_store(&inbox->is_asleep, false);
}

/* Takes all commands that are there. The other buffer is filled in the meantime. */
static void take(struct inbox *inbox) {
  pthread_mutex_lock(&inbox->lock);
  uint32_t *words = inbox->words;
  size_t room = inbox->room;
  inbox->taken_count = inbox->count;
  inbox->words = inbox->taken;
  inbox->room = inbox->taken_room;
  inbox->taken = words;
  inbox->taken_room = room;
  inbox->count = 0;
  pthread_mutex_unlock(&inbox->lock);
}

static struct end *end_of(struct thread *thread, const uint32_t *name) {
  if (name[0] >= 2 * thread->clients) return NULL;
  struct end *end = &thread->ends[name[0]];
  return end->generation == name[1] && end->phase != PHASE_FREE ? end : NULL;
}

/* Those that are about an end that is there. */
static void run_for_end(struct thread *thread, const struct command *command, struct end *end) {
  const uint32_t *arguments = command->arguments;
  end_heard(thread, end);
  switch ((enum command_kind)command->kind) {
    case COMMAND_COLLECT: early_collect(thread, end); break;
    case COMMAND_ASK: early_ask(thread, end, arguments[2]); break;
    case COMMAND_TAKE: early_take(thread, end, arguments[2]); break;
    case COMMAND_CLOSE: end_close(thread, end, arguments[2] != 0); break;
    case COMMAND_RELAY: relay_start(thread, end, end_of(thread, &arguments[2])); break;
    case COMMAND_ABORT: relay_abort(thread, end, arguments[2] != 0); break;
    case COMMAND_KEEP_ALIVE: end_keep_alive(thread, end, arguments[2]); break;
    case COMMAND_PROBE: end_probe(thread, end); break;
    case COMMAND_FORGET: end_forget(thread, end); break;
    case COMMAND_HELLO: secure_hello(thread, end); break;
    default: break;
  }
}

static void run(struct thread *thread, const struct command *command) {
  const uint32_t *arguments = command->arguments;
  switch ((enum command_kind)command->kind) {
    case COMMAND_LISTEN: listener_add(thread, arguments); return;
    case COMMAND_UNLISTEN: listener_remove(thread, arguments[0]); return;
    case COMMAND_DIAL: dial_start(thread, arguments); return;
    case COMMAND_ROOM: ring_refill(&thread->ring); return;
    case COMMAND_SECURE: secure_start(thread, end_of(thread, arguments), arguments); return;
    case COMMAND_RELAY:
      /* A client that has gone meanwhile: its candidate has nobody to go with. */
      if (end_of(thread, &arguments[0]) == NULL) {
        struct end *candidate = end_of(thread, &arguments[2]);
        if (candidate != NULL) end_close(thread, candidate, true);
        return;
      }
      break;
    default: break;
  }
  struct end *end = end_of(thread, arguments);
  if (end != NULL) run_for_end(thread, command, end);
}

/* The next of those that were taken. @returns NULL: there is none */
static const struct command *next(const struct inbox *inbox, size_t *at) {
  if (*at + 2 > inbox->taken_count) return NULL;
  const struct command *command = (const struct command *)(void *)&inbox->taken[*at];
  if (command->words < LEAST_WORDS || *at + command->words > inbox->taken_count) return NULL;
  *at += command->words;
  return command;
}

void commands_run(struct thread *thread) {
  size_t at = 0;
  take(&thread->inbox);
  for (const struct command *command; (command = next(&thread->inbox, &at)) != NULL;) run(thread, command);
}

void commands_drop(struct thread *thread) {
  size_t at = 0;
  take(&thread->inbox);
  for (const struct command *command; (command = next(&thread->inbox, &at)) != NULL;) {
    if (command->kind == COMMAND_LISTEN) close((int)command->arguments[1]);
    if (command->kind == COMMAND_SECURE) secure_start(thread, NULL, command->arguments);
  }
}
