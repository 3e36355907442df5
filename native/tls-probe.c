/*
 * Whether the process that loaded this has the OpenSSL that is used here. Node exports its own; a system's node may be linked to
 * another, and Electron has BoringSSL, whose sessions and tickets are others behind the same names. Only OpenSSL 3 is taken: the
 * next major version may change what a name means.
 */
#include "tls-openssl.h"
#include "tls.h"

#include <stdio.h>

typedef void (*function)(void);

struct symbol {
  const char *name;
  function at;
};

/* As in tls-openssl.h, where each is weak: one that is missing is NULL. */
static const struct symbol symbols[] = {
    {"BIO_clear_flags", (function)BIO_clear_flags},
    {"BIO_free", (function)BIO_free},
    {"BIO_get_data", (function)BIO_get_data},
    {"BIO_get_new_index", (function)BIO_get_new_index},
    {"BIO_meth_new", (function)BIO_meth_new},
    {"BIO_meth_set_create", (function)BIO_meth_set_create},
    {"BIO_meth_set_ctrl", (function)BIO_meth_set_ctrl},
    {"BIO_meth_set_read", (function)BIO_meth_set_read},
    {"BIO_meth_set_write", (function)BIO_meth_set_write},
    {"BIO_new", (function)BIO_new},
    {"BIO_new_mem_buf", (function)BIO_new_mem_buf},
    {"BIO_set_data", (function)BIO_set_data},
    {"BIO_set_flags", (function)BIO_set_flags},
    {"BIO_set_init", (function)BIO_set_init},
    {"ERR_clear_error", (function)ERR_clear_error},
    {"ERR_get_error", (function)ERR_get_error},
    {"ERR_reason_error_string", (function)ERR_reason_error_string},
    {"EVP_PKEY_free", (function)EVP_PKEY_free},
    {"OPENSSL_version_major", (function)OPENSSL_version_major},
    {"OpenSSL_version_num", (function)OpenSSL_version_num},
    {"PEM_read_bio_PrivateKey", (function)PEM_read_bio_PrivateKey},
    {"PEM_read_bio_X509", (function)PEM_read_bio_X509},
    {"PEM_read_bio_X509_CRL", (function)PEM_read_bio_X509_CRL},
    {"SSL_CTX_add_client_CA", (function)SSL_CTX_add_client_CA},
    {"SSL_CTX_ctrl", (function)SSL_CTX_ctrl},
    {"SSL_CTX_free", (function)SSL_CTX_free},
    {"SSL_CTX_get_cert_store", (function)SSL_CTX_get_cert_store},
    {"SSL_CTX_get_num_tickets", (function)SSL_CTX_get_num_tickets},
    {"SSL_CTX_get_options", (function)SSL_CTX_get_options},
    {"SSL_CTX_new", (function)SSL_CTX_new},
    {"SSL_CTX_sess_set_new_cb", (function)SSL_CTX_sess_set_new_cb},
    {"SSL_CTX_set_cert_verify_callback", (function)SSL_CTX_set_cert_verify_callback},
    {"SSL_CTX_set_cipher_list", (function)SSL_CTX_set_cipher_list},
    {"SSL_CTX_set_ciphersuites", (function)SSL_CTX_set_ciphersuites},
    {"SSL_CTX_set_num_tickets", (function)SSL_CTX_set_num_tickets},
    {"SSL_CTX_set_options", (function)SSL_CTX_set_options},
    {"SSL_CTX_set_session_id_context", (function)SSL_CTX_set_session_id_context},
    {"SSL_CTX_set_timeout", (function)SSL_CTX_set_timeout},
    {"SSL_CTX_set_verify", (function)SSL_CTX_set_verify},
    {"SSL_CTX_use_PrivateKey", (function)SSL_CTX_use_PrivateKey},
    {"SSL_CTX_use_certificate", (function)SSL_CTX_use_certificate},
    {"SSL_SESSION_free", (function)SSL_SESSION_free},
    {"SSL_SESSION_up_ref", (function)SSL_SESSION_up_ref},
    {"SSL_ctrl", (function)SSL_ctrl},
    {"SSL_do_handshake", (function)SSL_do_handshake},
    {"SSL_free", (function)SSL_free},
    {"SSL_get0_alpn_selected", (function)SSL_get0_alpn_selected},
    {"SSL_get0_param", (function)SSL_get0_param},
    {"SSL_get0_peer_certificate", (function)SSL_get0_peer_certificate},
    {"SSL_get_error", (function)SSL_get_error},
    {"SSL_get_ex_data", (function)SSL_get_ex_data},
    {"SSL_get_ex_data_X509_STORE_CTX_idx", (function)SSL_get_ex_data_X509_STORE_CTX_idx},
    {"SSL_get_servername", (function)SSL_get_servername},
    {"SSL_get_version", (function)SSL_get_version},
    {"SSL_has_pending", (function)SSL_has_pending},
    {"SSL_new", (function)SSL_new},
    {"SSL_new_session_ticket", (function)SSL_new_session_ticket},
    {"SSL_pending", (function)SSL_pending},
    {"SSL_read_ex", (function)SSL_read_ex},
    {"SSL_session_reused", (function)SSL_session_reused},
    {"SSL_set_accept_state", (function)SSL_set_accept_state},
    {"SSL_set_bio", (function)SSL_set_bio},
    {"SSL_set_connect_state", (function)SSL_set_connect_state},
    {"SSL_set_ex_data", (function)SSL_set_ex_data},
    {"SSL_set_quiet_shutdown", (function)SSL_set_quiet_shutdown},
    {"SSL_set_session", (function)SSL_set_session},
    {"SSL_shutdown", (function)SSL_shutdown},
    {"SSL_version", (function)SSL_version},
    {"SSL_write_ex", (function)SSL_write_ex},
    {"TLS_client_method", (function)TLS_client_method},
    {"TLS_server_method", (function)TLS_server_method},
    {"X509_CRL_free", (function)X509_CRL_free},
    {"X509_STORE_CTX_get0_cert", (function)X509_STORE_CTX_get0_cert},
    {"X509_STORE_CTX_get_error", (function)X509_STORE_CTX_get_error},
    {"X509_STORE_CTX_get_ex_data", (function)X509_STORE_CTX_get_ex_data},
    {"X509_STORE_CTX_set_error", (function)X509_STORE_CTX_set_error},
    {"X509_STORE_CTX_set_ex_data", (function)X509_STORE_CTX_set_ex_data},
    {"X509_STORE_CTX_set_verify_cb", (function)X509_STORE_CTX_set_verify_cb},
    {"X509_STORE_add_cert", (function)X509_STORE_add_cert},
    {"X509_STORE_add_crl", (function)X509_STORE_add_crl},
    {"X509_STORE_set_flags", (function)X509_STORE_set_flags},
    {"X509_VERIFY_PARAM_set1_host", (function)X509_VERIFY_PARAM_set1_host},
    {"X509_VERIFY_PARAM_set1_ip_asc", (function)X509_VERIFY_PARAM_set1_ip_asc},
    {"X509_free", (function)X509_free},
    {"X509_verify_cert", (function)X509_verify_cert},
    {"i2d_X509", (function)i2d_X509},
};

const char *tls_missing(void) {
  static char reason[128];
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    if (symbols[i].at != NULL) continue;
    snprintf(reason, sizeof reason, "this node has no %s: it is built with something else than OpenSSL 3", symbols[i].name);
    return reason;
  }
  unsigned int major = OPENSSL_version_major();
  if (major == 3) return NULL;
  snprintf(reason, sizeof reason, "this node has OpenSSL %u, and only 3 is known", major);
  return reason;
}
