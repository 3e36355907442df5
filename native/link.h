/*
 * A list whose links are members of what is listed, so that joining and leaving allocate nothing, and leaving is possible at
 * any time without looking for the place. A link that is in no list points at itself.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct link {
  struct link *next, *before;
};

/* What a link is a member of. */
#define OWNER_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void link_init(struct link *link) {
  link->next = link->before = link;
}

static inline bool link_is_in(const struct link *link) {
  return link->next != link;
}

static inline void link_leave(struct link *link) {
  link->before->next = link->next;
  link->next->before = link->before;
  link_init(link);
}

/* Behind all others. */
static inline void link_join(struct link *list, struct link *link) {
  link->before = list->before;
  link->next = list;
  list->before->next = link;
  list->before = link;
}
