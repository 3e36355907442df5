/* See half.h. */
#include "half.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../listener.h"
#include "../loop.h"

#define MOST_WORDS 16384

void fail_at(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: expected: %s\n", file, line, what);
  fflush(stderr);
  abort();
}

/* Node's. The function that the thread calls is the event of a half. */
napi_status napi_call_threadsafe_function(napi_threadsafe_function call, void *data, napi_threadsafe_function_call_mode mode) {
  (void)data, (void)mode;
  uint64_t one = 1;
  ssize_t written = write((int)(intptr_t)call, &one, sizeof one);
  EXPECT(written == sizeof one);
  return napi_ok;
}

struct half half_begin(uint32_t clients) {
  /* As in the addon: what goes by splice to one who has gone is an errno. */
  (void)signal(SIGPIPE, SIG_IGN);
  struct half half = {.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  half.thread = calloc(1, sizeof *half.thread);
  half.live = calloc(2 * (size_t)clients, sizeof *half.live);
  half.memory = calloc(1, RING_BYTES);
  half.words = malloc(MOST_WORDS * sizeof *half.words);
  EXPECT(half.event >= 0 && half.thread != NULL && half.live != NULL && half.memory != NULL && half.words != NULL);
  half.thread->ring.call = (napi_threadsafe_function)(intptr_t)half.event;
  EXPECT(thread_init(half.thread, clients, half.memory, half.live));
  return half;
}

void half_end(struct half *half) {
  thread_end(half->thread);
  free(half->thread);
  free(half->live);
  free(half->memory);
  free(half->words);
  close(half->event);
}

void half_hear(struct half *half) {
  uint64_t count;
  ssize_t got = read(half->event, &count, sizeof count);
  (void)got;
  struct ring_head *head = half->memory;
  atomic_store(&head->is_called, 0);
}

bool half_next(struct half *half, struct record *record) {
  struct ring_head *head = half->memory;
  if (atomic_load(&head->head) == half->read) return false;
  const struct record *records = (const void *)((const char *)half->memory + sizeof *head);
  *record = records[half->read % RING_RECORDS];
  half->read += 1;
  atomic_store(&head->tail, half->read);
  return true;
}

void half_heard(struct half *half) {
  struct ring_head *head = half->memory;
  if (atomic_load(&head->is_full) != 0) half_put(half, COMMAND_ROOM, (struct name){0, 0}, 0, 0);
  half_flush(half);
}

bool half_is_called(const struct half *half) {
  const struct ring_head *head = half->memory;
  return atomic_load(&head->is_called) != 0;
}

void half_flush(struct half *half) {
  if (half->count == 0) return;
  EXPECT(inbox_put(&half->thread->inbox, half->words, half->count));
  half->count = 0;
}

/* @returns where the arguments behind the name go; they are zero */
static uint32_t *begin(struct half *half, enum command_kind kind, struct name name, uint32_t words) {
  if (half->count + words > MOST_WORDS) half_flush(half);
  EXPECT(words <= MOST_WORDS);
  uint32_t *at = half->words + half->count;
  half->count += words;
  memset(at, 0, words * sizeof *at);
  at[0] = kind;
  at[1] = words;
  at[2] = name.slot;
  at[3] = name.generation;
  return at + 4;
}

void half_put(struct half *half, enum command_kind kind, struct name name, uint32_t third, uint32_t fourth) {
  uint32_t *at = begin(half, kind, name, 6);
  at[0] = third;
  at[1] = fourth;
}

static uint32_t words_of(uint32_t bytes) {
  return (bytes + 3) / 4;
}

void half_dial(struct half *half, const struct dial_words *dial) {
  uint32_t address = words_of(dial->size);
  uint32_t *at = begin(half, COMMAND_DIAL, dial->name, 8 + address + words_of(dial->preface));
  at[0] = dial->ms;
  at[1] = dial->size;
  at[2] = dial->preface;
  at[3] = dial->is_home;
  memcpy(at + 4, dial->address, dial->size);
  memset(at + 4 + address, PREFACE_BYTE, dial->preface);
}

int half_listen(bool is_tcp, struct sockaddr_storage *address, socklen_t *size) {
  struct listener_options options = {.size = sizeof(sa_family_t), .keep_alive_ms = 1000};
  options.address.ss_family = AF_UNIX;
  if (is_tcp) {
    struct sockaddr_in *four = (void *)&options.address;
    *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    options.size = sizeof *four;
  }
  int fd = listener_open(&options);
  EXPECT(fd >= 0);
  *size = sizeof *address;
  EXPECT(getsockname(fd, (struct sockaddr *)address, size) == 0);
  return fd;
}

const uint8_t *half_lent(const struct half *half, uint32_t slot, uint32_t *length) {
  const struct chunk *early = &half->thread->ends[slot].early;
  *length = early->length;
  return early->bytes + early->from;
}

unsigned open_descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  EXPECT(folder != NULL);
  unsigned count = 0;
  while (readdir(folder) != NULL) count += 1;
  closedir(folder);
  return count;
}
