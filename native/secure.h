/*
 * The handshakes of TLS, of clients that are let in and of candidates that are dialed.
 *
 *   a client:    idle -> hello -> (RECORD_HELLO: JavaScript says when it is its turn) -> shaking -> idle, RECORD_SECURED
 *   a candidate: idle                                                                 -> shaking -> idle, RECORD_SECURED
 *
 * Until the hello is whole a client costs no more than its bytes. Whose turn it is and what a peer may be called is said by
 * JavaScript: it judges the certificate that a report holds, after the chain has been verified here. A handshake that fails is
 * told at once (RECORD_REFUSED), and when that was for a reason of ours the peer can read the alert: a FIN goes behind it, and
 * what comes is dropped until the peer closes, for a bounded time. A close asked for in the meantime is that close.
 *
 * A report is what JavaScript is told beyond a record. It takes it out of the end by an exchange, so that neither thread
 * waits for the other; one that nobody takes is freed when the slot names another end. All numbers are 32 bits: the version, 1
 * for a session that was taken up, 1 for a failure that is about this peer, then the lengths of code, SNI, ALPN and certificate
 * (DER), then these.
 */
#pragma once
#include "engine.h"

/* Reads a client's hello. */
void secure_hello(struct thread *thread, struct end *end);
/*
 * Begins a handshake. `arguments`: see COMMAND_SECURE. The context is taken over.
 *
 * @param end NULL: it has gone
 */
void secure_start(struct thread *thread, struct end *end, const uint32_t *arguments);
/* epoll has told of an end in one of the three phases. */
void secure_event(struct thread *thread, struct end *end);
/* TLS has failed behind the handshake: leaves a report. */
void secure_report_failure(struct end *end);
