/* See early.h. */
#include "early.h"

#include <errno.h>

#include "end.h"
#include "stream.h"

static void note_kept(struct thread *thread, const struct end *end) {
  atomic_store_explicit(&thread->live[end->slot].early, end->early.length, memory_order_relaxed);
}

void early_tell_end(struct thread *thread, struct end *end) {
  if (end->eof_told) return;
  end->eof_told = true;
  end_flag(thread, end, LIVE_ENDED, true);
  end_tell(thread, end, RECORD_ENDED);
}

/* It has failed behind its end, or where nothing of it is read. @returns whether it is gone */
bool early_has_failed(struct thread *thread, struct end *end) {
  if (!end->failed) return false;
  end->failed = false;
  int error = end_error(end);
  if (error == 0) return false;
  end_fail(thread, end, error);
  return true;
}

/* Reads until nothing is left or enough is kept. @returns false: the end is gone */
bool early_read(struct thread *thread, struct end *end, uint32_t most) {
  while (end->readable && !end->eof && end->early.length < most) {
    const uint8_t *bytes = NULL;
    int got = stream_read(thread, end, &bytes, most - end->early.length);
    if (got == STREAM_NOTHING) return true;
    if (got == STREAM_FAILED) {
      end_fail(thread, end, errno);
      return false;
    }
    if (got == STREAM_END) break;
    if (!chunk_add(&end->early, bytes, (uint32_t)got)) {
      end_fail(thread, end, ENOMEM);
      return false;
    }
    end_moved(thread, end);
    note_kept(thread, end);
  }
  return true;
}

static void go_on_collecting(struct thread *thread, struct end *end) {
  if (!early_read(thread, end, EARLY_BYTES)) return;
  if (end->eof) early_tell_end(thread, end);
  if (end->eof || end->early.length >= EARLY_BYTES) early_has_failed(thread, end);
}

static void go_on_asking(struct thread *thread, struct end *end) {
  uint32_t before = end->early.length;
  if (!early_read(thread, end, end->most)) return;
  if (end->early.length > before) {
    end->phase = PHASE_LENT;
    end_tell(thread, end, RECORD_LENT);
  } else if (end->eof) {
    if (!early_has_failed(thread, end)) early_tell_end(thread, end);
  }
}

static void go_on(struct thread *thread, struct end *end) {
  if (end->phase == PHASE_COLLECTING) go_on_collecting(thread, end);
  else if (end->phase == PHASE_ASKED) go_on_asking(thread, end);
}

void early_collect(struct thread *thread, struct end *end) {
  if (end->phase != PHASE_IDLE) return;
  end->phase = PHASE_COLLECTING;
  go_on(thread, end);
}

void early_ask(struct thread *thread, struct end *end, uint32_t most) {
  if (end->phase != PHASE_IDLE) return;
  end->most = (uint16_t)(most < EARLY_BYTES ? most : EARLY_BYTES);
  end->phase = PHASE_ASKED;
  go_on(thread, end);
}

void early_take(struct thread *thread, struct end *end, uint32_t bytes) {
  if (end->phase != PHASE_LENT && end->phase != PHASE_ASKED) return;
  end->phase = PHASE_IDLE;
  if (bytes > 0 && end->early.length > 0)
    chunk_shift(&end->early, bytes < end->early.length ? bytes : end->early.length);
  note_kept(thread, end);
}

void early_event(struct thread *thread, struct end *end) {
  if (end->writable && end->out.length > 0 && end->phase != PHASE_LENT && !stream_flush(thread, end)) {
    end_fail(thread, end, errno);
    return;
  }
  go_on(thread, end);
}
