/*
 * Whether a client's first bytes are worth OpenSSL's while.
 *
 * Until its hello is whole a client is to cost no more than its bytes: a TLS session takes some 20 kB, and a port that
 * strangers can reach is asked by many that never finish a hello. So the caller looks at what has come (it need not even take it
 * out of the socket), and makes a session when OpenSSL has something to do: with a whole hello, or with what is none, to
 * which it knows the right alert.
 */
#include "tls.h"

enum { RECORD_HEADER = 5, MESSAGE_HEADER = 4, HANDSHAKE = 22, CLIENT_HELLO = 1 };

static size_t smaller(size_t one, size_t other) { return one < other ? one : other; }

static size_t read_16(const uint8_t *at) { return (size_t)at[0] << 8 | at[1]; }

static size_t read_24(const uint8_t *at) { return (size_t)at[0] << 16 | read_16(at + 1); }

bool tls_hello_is_ready(const uint8_t *bytes, size_t len) {
  if (len >= TLS_MAX_HELLO) return true;
  size_t message = 0; /* bytes of it that have come, over all records */
  size_t wanted = MESSAGE_HEADER;
  for (size_t at = 0; at < len;) {
    if (bytes[at] != HANDSHAKE) return true;
    if (len - at < RECORD_HEADER) return false;
    size_t content = at + RECORD_HEADER;
    size_t length = read_16(bytes + content - 2);
    if (length == 0) return true; /* a fault: there are no empty records of a handshake */
    size_t there = smaller(length, len - content);
    if (message == 0 && there > 0) {
      if (bytes[content] != CLIENT_HELLO) return true;
      if (there >= MESSAGE_HEADER) wanted += read_24(bytes + content + 1);
      else if (there == length) return true; /* the length of the message in pieces: only to be a nuisance */
    }
    if (wanted > TLS_MAX_HELLO) return true;
    message += there;
    if (message >= wanted && wanted > MESSAGE_HEADER) return true;
    at = content + length;
  }
  return false;
}
