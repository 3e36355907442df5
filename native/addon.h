/* What the files that JavaScript calls share. All of it is JavaScript's thread's. */
#pragma once
#include <node_api.h>
#include <stdbool.h>

#include "engine.h"

/* NULL: there is no engine, or none any more. */
struct thread *addon_thread(void);
napi_value addon_throw_type_error(napi_env env, const char *message);
/* @returns false: fewer than `count`, an exception is pending */
bool addon_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);

/* addon-tls.c */
napi_value addon_context(napi_env env, napi_callback_info info);
napi_value addon_secure(napi_env env, napi_callback_info info);
napi_value addon_report(napi_env env, napi_callback_info info);
