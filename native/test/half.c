/* See half.h. */
#include "half.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../listener.h"
#include "../loop.h"

/* The longest is a dial: an address and a preface. */
#define MOST_WORDS 1024

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

struct half half_begin(uint32_t clients, uint32_t withheld) {
  struct half half = {.withheld = withheld, .event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  half.thread = calloc(1, sizeof *half.thread);
  half.live = calloc(2 * (size_t)clients, sizeof *half.live);
  half.memory = calloc(1, RING_BYTES);
  EXPECT(half.event >= 0 && half.thread != NULL && half.live != NULL && half.memory != NULL);
  struct ring_head *head = half.memory;
  atomic_store(&head->tail, 0u - withheld);
  half.thread->ring.call = (napi_threadsafe_function)(intptr_t)half.event;
  EXPECT(thread_init(half.thread, clients, half.memory, half.live));
  return half;
}

void half_end(struct half *half) {
  thread_end(half->thread);
  free(half->thread);
  free(half->live);
  free(half->memory);
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
  atomic_store(&head->tail, half->read - half->withheld);
  return true;
}

void half_heard(struct half *half) {
  struct ring_head *head = half->memory;
  if (atomic_load(&head->is_full) != 0) half_put(half, COMMAND_ROOM, (struct name){0, 0}, 0, 0);
}

bool half_is_called(const struct half *half) {
  const struct ring_head *head = half->memory;
  return atomic_load(&head->is_called) != 0;
}

void half_put(struct half *half, enum command_kind kind, struct name name, uint32_t third, uint32_t fourth) {
  const uint32_t words[] = {kind, 6, name.slot, name.generation, third, fourth};
  EXPECT(inbox_put(&half->thread->inbox, words, 6));
}

static uint32_t words_of(uint32_t bytes) {
  return (bytes + 3) / 4;
}

void half_send(struct half *half, struct name name, const uint8_t *bytes, uint32_t length) {
  uint32_t words[MOST_WORDS] = {COMMAND_SEND, 5 + words_of(length), name.slot, name.generation, length};
  EXPECT(words[1] <= MOST_WORDS);
  memcpy(&words[5], bytes, length);
  EXPECT(inbox_put(&half->thread->inbox, words, words[1]));
}

void half_dial(struct half *half, const struct dial_words *dial) {
  uint32_t address = words_of(dial->size), size = 8 + address + words_of(dial->preface);
  uint32_t words[MOST_WORDS] = {COMMAND_DIAL, size,          dial->name.slot, dial->name.generation, dial->ms,
                                dial->size,   dial->preface, dial->is_home};
  EXPECT(size <= MOST_WORDS);
  memcpy(&words[8], dial->address, dial->size);
  memset(&words[8 + address], PREFACE_BYTE, dial->preface);
  EXPECT(inbox_put(&half->thread->inbox, words, size));
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
