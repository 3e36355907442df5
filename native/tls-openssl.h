/*
 * What is used of OpenSSL, all of it public in 3.0 and unchanged since.
 *
 * Each symbol is weak: a node binary that lacks one loads this file all the same, `tls_missing` names what is missing, and
 * services without TLS are served. Bound strongly, the whole engine would be refused; bound lazily, the first call would end
 * the process. A test compares this list with what the compiler made.
 */
#ifndef ATTACHE_TLS_OPENSSL_H
#define ATTACHE_TLS_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#pragma weak BIO_clear_flags
#pragma weak BIO_free
#pragma weak BIO_get_data
#pragma weak BIO_get_new_index
#pragma weak BIO_meth_new
#pragma weak BIO_meth_set_create
#pragma weak BIO_meth_set_ctrl
#pragma weak BIO_meth_set_read
#pragma weak BIO_meth_set_write
#pragma weak BIO_new
#pragma weak BIO_new_mem_buf
#pragma weak BIO_set_data
#pragma weak BIO_set_flags
#pragma weak BIO_set_init
#pragma weak ERR_clear_error
#pragma weak ERR_get_error
#pragma weak ERR_reason_error_string
#pragma weak EVP_PKEY_free
#pragma weak OPENSSL_version_major
#pragma weak OpenSSL_version_num
#pragma weak PEM_read_bio_PrivateKey
#pragma weak PEM_read_bio_X509
#pragma weak PEM_read_bio_X509_CRL
#pragma weak SSL_CTX_add_client_CA
#pragma weak SSL_CTX_ctrl
#pragma weak SSL_CTX_free
#pragma weak SSL_CTX_get_cert_store
#pragma weak SSL_CTX_get_num_tickets
#pragma weak SSL_CTX_get_options
#pragma weak SSL_CTX_new
#pragma weak SSL_CTX_sess_set_new_cb
#pragma weak SSL_CTX_set_cert_verify_callback
#pragma weak SSL_CTX_set_cipher_list
#pragma weak SSL_CTX_set_ciphersuites
#pragma weak SSL_CTX_set_num_tickets
#pragma weak SSL_CTX_set_options
#pragma weak SSL_CTX_set_session_id_context
#pragma weak SSL_CTX_set_timeout
#pragma weak SSL_CTX_set_verify
#pragma weak SSL_CTX_use_PrivateKey
#pragma weak SSL_CTX_use_certificate
#pragma weak SSL_SESSION_free
#pragma weak SSL_SESSION_up_ref
#pragma weak SSL_ctrl
#pragma weak SSL_do_handshake
#pragma weak SSL_free
#pragma weak SSL_get0_alpn_selected
#pragma weak SSL_get0_param
#pragma weak SSL_get0_peer_certificate
#pragma weak SSL_get_error
#pragma weak SSL_get_ex_data
#pragma weak SSL_get_ex_data_X509_STORE_CTX_idx
#pragma weak SSL_get_servername
#pragma weak SSL_get_version
#pragma weak SSL_has_pending
#pragma weak SSL_new
#pragma weak SSL_new_session_ticket
#pragma weak SSL_pending
#pragma weak SSL_read_ex
#pragma weak SSL_session_reused
#pragma weak SSL_set_accept_state
#pragma weak SSL_set_bio
#pragma weak SSL_set_connect_state
#pragma weak SSL_set_ex_data
#pragma weak SSL_set_quiet_shutdown
#pragma weak SSL_set_session
#pragma weak SSL_shutdown
#pragma weak SSL_version
#pragma weak SSL_write_ex
#pragma weak TLS_client_method
#pragma weak TLS_server_method
#pragma weak X509_CRL_free
#pragma weak X509_STORE_CTX_get0_cert
#pragma weak X509_STORE_CTX_get_error
#pragma weak X509_STORE_CTX_get_ex_data
#pragma weak X509_STORE_CTX_set_error
#pragma weak X509_STORE_CTX_set_ex_data
#pragma weak X509_STORE_CTX_set_verify_cb
#pragma weak X509_STORE_add_cert
#pragma weak X509_STORE_add_crl
#pragma weak X509_STORE_set_flags
#pragma weak X509_VERIFY_PARAM_set1_host
#pragma weak X509_VERIFY_PARAM_set1_ip_asc
#pragma weak X509_free
#pragma weak X509_verify_cert
#pragma weak i2d_X509

#endif
