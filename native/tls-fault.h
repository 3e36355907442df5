/* Faults of OpenSSL by the names that Node gives them: what logs, metrics and alarms of today's engine say. */
#ifndef ATTACHE_TLS_FAULT_H
#define ATTACHE_TLS_FAULT_H

#include "tls.h"

/* Writes the code of what this thread's queue of errors holds, and empties it. */
void tls_take_fault(char code[TLS_CODE_SIZE]);
/* @param error one of X509_V_ERR_...; @returns static text */
const char *tls_certificate_fault(long error);

#endif
