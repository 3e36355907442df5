/*
 * OpenSSL's errors have numbers and a text; Node makes a code of the text, and that code is what users have in their alarms. So
 * the same is done here, with the same text: "no shared cipher" is ERR_SSL_NO_SHARED_CIPHER. What is wrong with a certificate
 * has names of its own.
 *
 * Several errors may stand behind each other. The first that is of TLS says what happened; one before it is of a part below, and
 * says how it was found ("cipher operation failed").
 *
 * The queue of errors belongs to the thread. It is empty between calls: who meets an error takes it, and all behind it, or the
 * next connection would be told of a fault of this one.
 */
#include "tls-fault.h"

#include <stdio.h>
#include <string.h>

#include "tls-openssl.h"

struct certificate_fault {
  long error;
  const char *name;
};

/* Those that Node knows. */
static const struct certificate_fault certificate_faults[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "UNABLE_TO_GET_ISSUER_CERT"},
    {X509_V_ERR_UNABLE_TO_GET_CRL, "UNABLE_TO_GET_CRL"},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, "UNABLE_TO_DECRYPT_CERT_SIGNATURE"},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, "UNABLE_TO_DECRYPT_CRL_SIGNATURE"},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "CERT_SIGNATURE_FAILURE"},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, "CRL_SIGNATURE_FAILURE"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "CERT_NOT_YET_VALID"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "CERT_HAS_EXPIRED"},
    {X509_V_ERR_CRL_NOT_YET_VALID, "CRL_NOT_YET_VALID"},
    {X509_V_ERR_CRL_HAS_EXPIRED, "CRL_HAS_EXPIRED"},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, "ERROR_IN_CERT_NOT_BEFORE_FIELD"},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, "ERROR_IN_CERT_NOT_AFTER_FIELD"},
    {X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, "ERROR_IN_CRL_LAST_UPDATE_FIELD"},
    {X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, "ERROR_IN_CRL_NEXT_UPDATE_FIELD"},
    {X509_V_ERR_OUT_OF_MEM, "OUT_OF_MEM"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "DEPTH_ZERO_SELF_SIGNED_CERT"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "SELF_SIGNED_CERT_IN_CHAIN"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, "CERT_CHAIN_TOO_LONG"},
    {X509_V_ERR_CERT_REVOKED, "CERT_REVOKED"},
    {X509_V_ERR_INVALID_CA, "INVALID_CA"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, "PATH_LENGTH_EXCEEDED"},
    {X509_V_ERR_INVALID_PURPOSE, "INVALID_PURPOSE"},
    {X509_V_ERR_CERT_UNTRUSTED, "CERT_UNTRUSTED"},
    {X509_V_ERR_CERT_REJECTED, "CERT_REJECTED"},
    /* Node checks names itself, and has a code of its own for them. */
    {X509_V_ERR_HOSTNAME_MISMATCH, "ERR_TLS_CERT_ALTNAME_INVALID"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "ERR_TLS_CERT_ALTNAME_INVALID"},
};

const char *tls_certificate_fault(long error) {
  for (size_t i = 0; i < sizeof certificate_faults / sizeof *certificate_faults; i++) {
    if (certificate_faults[i].error == error) return certificate_faults[i].name;
  }
  return "UNSPECIFIED";
}

void tls_take_fault(char code[TLS_CODE_SIZE]) {
  unsigned long chosen = 0;
  for (unsigned long error; (error = ERR_get_error()) != 0;) {
    if (chosen == 0 || (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_LIB(chosen) != ERR_LIB_SSL)) chosen = error;
  }
  const char *reason = ERR_reason_error_string(chosen);
  snprintf(code, TLS_CODE_SIZE, "ERR_SSL_%s", reason == NULL ? "UNKNOWN" : reason);
  for (char *at = code; *at != '\0'; at++) {
    if (*at == ' ') *at = '_';
    else if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
  }
}
