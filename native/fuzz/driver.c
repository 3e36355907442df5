/*
 * Drives a fuzzer without libFuzzer, with what a C compiler has: `-fsanitize-coverage=trace-pc` calls this at every branch. An input
 * that comes by a way that none came by before is kept, and later inputs are made of those that were kept.
 *
 *     driver SECONDS SEED CORPUS
 *
 * CORPUS is a folder: its files are the first inputs, and what is kept is written there. The input that is being tried stands in its
 * file `tried`, so that a finding, which ends the process, can be tried again: driver 0 0 CORPUS.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_BYTES 4096
#define MOST_KEPT 65536
#define WAYS (1 << 16)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
  uint8_t *bytes;
  size_t size;
};

static uint8_t reached[WAYS], known[WAYS];
static uintptr_t last;
static struct input kept[MOST_KEPT];
static size_t kept_count, known_count;
static uint64_t state;
static const char *corpus;

/* Called at every branch of what is tried; this file is compiled without it. */
void __sanitizer_cov_trace_pc(void) {
  uintptr_t here = (uintptr_t)__builtin_return_address(0);
  reached[(here ^ last) % WAYS] = 1;
  last = here >> 1;
}

static uint64_t draw(void) {
  /* xorshift64*: any good spread will do. */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1dULL;
}

static size_t below(size_t most) {
  return most == 0 ? 0 : (size_t)(draw() % most);
}

static void put(const char *name, const uint8_t *bytes, size_t size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", corpus, name);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0 || write(file, bytes, size) != (ssize_t)size) {
    perror(path);
    exit(2);
  }
  close(file);
}

static int is_new(void) {
  int found = 0;
  for (size_t i = 0; i < WAYS; i++) {
    if (!reached[i] || known[i]) continue;
    known[i] = found = 1;
    known_count += 1;
  }
  return found;
}

static void try_one(const uint8_t *bytes, size_t size, int is_from_corpus) {
  memset(reached, 0, sizeof reached);
  last = 0;
  put("tried", bytes, size);
  LLVMFuzzerTestOneInput(bytes, size);
  if (!is_new() || kept_count == MOST_KEPT) return;
  struct input *one = &kept[kept_count++];
  one->size = size;
  one->bytes = malloc(size + 1);
  memcpy(one->bytes, bytes, size);
  if (is_from_corpus) return;
  char name[32];
  uint64_t hash = 1469598103934665603ULL;
  for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 1099511628211ULL;
  snprintf(name, sizeof name, "%016llx", (unsigned long long)hash);
  put(name, bytes, size);
}

static void try_corpus(void) {
  DIR *folder = opendir(corpus);
  if (folder == NULL) {
    perror(corpus);
    exit(2);
  }
  static uint8_t bytes[MOST_BYTES];
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char path[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", corpus, entry->d_name);
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? -1 : read(file, bytes, sizeof bytes);
    if (file >= 0) close(file);
    if (size >= 0) try_one(bytes, (size_t)size, 1);
  }
  closedir(folder);
}

/* One that was kept, changed in a few places; now and then the head of one and the tail of another; seldom noise. */
static size_t make(uint8_t *bytes) {
  size_t size = 0;
  if (kept_count == 0 || below(50) == 0) {
    size = 1 + below(256);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)draw();
    return size;
  }
  const struct input *one = &kept[below(kept_count)];
  memcpy(bytes, one->bytes, size = one->size);
  if (below(4) == 0) {
    const struct input *other = &kept[below(kept_count)];
    size_t head = below(size + 1), from = below(other->size + 1), tail = other->size - from;
    if (head + tail > MOST_BYTES) tail = MOST_BYTES - head;
    memcpy(bytes + head, other->bytes + from, tail);
    size = head + tail;
  }
  for (size_t changes = 1 + below(8); changes > 0; changes--) {
    size_t at = below(size + 1);
    switch (below(4)) {
      case 0: if (at < size) bytes[at] = (uint8_t)draw(); break;
      case 1: if (at < size) bytes[at] ^= (uint8_t)(1u << below(8)); break;
      case 2:
        if (size + 2 > MOST_BYTES) break;
        memmove(bytes + at + 2, bytes + at, size - at);
        bytes[at] = (uint8_t)draw();
        bytes[at + 1] = (uint8_t)draw();
        size += 2;
        break;
      default: {
        size_t gone = below(size - at + 1) % 16;
        memmove(bytes + at, bytes + at + gone, size - at - gone);
        size -= gone;
      }
    }
  }
  return size;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: driver SECONDS SEED CORPUS\n");
    return 64;
  }
  time_t until = time(NULL) + atoi(argv[1]);
  state = strtoull(argv[2], NULL, 10) | 1;
  corpus = argv[3];
  LLVMFuzzerInitialize(&argc, &argv);
  try_corpus();
  uint64_t tried = kept_count;
  static uint8_t bytes[MOST_BYTES];
  for (; time(NULL) < until; tried++) try_one(bytes, make(bytes), 0);
  printf("%llu inputs, %zu kept, %zu ways\n", (unsigned long long)tried, kept_count, known_count);
  return 0;
}
