/*
 * Listening sockets. JavaScript's thread opens one, so that `bind` answers at once and a mask for the file of a Unix socket can
 * be set around it; then it belongs to the thread. JavaScript's thread stops one by shutting it down, which refuses new clients
 * before the call returns, and the thread closes it when it reads of it.
 */
#pragma once
#include "engine.h"

#define BACKLOG 4096

struct listener {
  int fd;
  uint32_t id;
  bool is_tcp;
  bool is_wild; /* each client may have come to another address of ours */
  bool is_paused;
  struct timer timer; /* when it goes on after a pause */
  struct link link;
};

struct listener_options {
  struct sockaddr_storage address;
  socklen_t size;
  bool is_ipv6_only;
  uint32_t keep_alive_ms; /* 0: none */
};

/* Binds and listens. @returns the descriptor; below zero: errno, negated. JavaScript's thread. */
int listener_open(const struct listener_options *options);

/* COMMAND_LISTEN: id, descriptor, 1: TCP, 1: local addresses differ. */
void listener_add(struct thread *thread, const uint32_t *arguments);
void listener_remove(struct thread *thread, uint32_t id);
/* epoll has told of it. */
void listener_event(struct thread *thread, uint32_t id);
/* All of them accept, or none. */
void listeners_hold(struct thread *thread, bool is_held);
/* Whether no client is to be accepted at the moment. */
bool listeners_wait(const struct thread *thread);
void listeners_end(struct thread *thread);
