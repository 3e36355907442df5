/*
 * A peer of an engine: a socket that never blocks. Each byte that it writes says where in its stream it stands, so that the one who
 * reads can tell whether bytes were lost, doubled or mixed.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define STREAM_PERIOD 251u

struct peer {
  int fd; /* -1: none */
  bool is_tcp, has_ended; /* it has read an end, or an error */
  bool has_failed; /* an error */
  uint64_t written, heard; /* bytes; those of a preface are not counted */
  uint8_t next; /* that it is to hear; the first may be any */
};

/* @returns one without a socket when it cannot connect */
struct peer peer_connect(const struct sockaddr_storage *address, socklen_t size);
/* Somebody who waits at a listener; one without a socket: nobody. */
struct peer peer_accept(int listener, bool is_tcp);
void peer_write(struct peer *peer, size_t most);
void peer_read(struct peer *peer, size_t most);
void peer_shut(struct peer *peer);
/* Closes it, over TCP by RST. */
void peer_reset(struct peer *peer);
void peer_close(struct peer *peer);
