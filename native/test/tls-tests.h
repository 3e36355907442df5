/* The tests of TLS in C: run by tls-main.c as a program (under sanitizers), and by tls-addon.c in the OpenSSL of a node. */
#ifndef ATTACHE_TLS_TESTS_H
#define ATTACHE_TLS_TESTS_H

/* Aborts at the first fault. @returns how many tests have run */
int run_tls_tests(const char *folder_of_certificates);
/* The same of one test, for a process whose configuration of OpenSSL has turned tickets off. */
int run_tls_test_without_tickets(const char *folder_of_certificates);

#endif
