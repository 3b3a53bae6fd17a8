// What one JavaScript environment (main thread or worker) keeps: the factory of its error objects.
#pragma once

#include <node_api.h>

struct Addon {
  napi_ref error_factory = nullptr;

  static Addon* Of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return static_cast<Addon*>(data);
  }
};
