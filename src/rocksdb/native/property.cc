// RocksDB's properties.
#include <map>

#include "js.h"
#include "methods.h"
#include "session.h"

namespace {

struct PropertyCall {
  Session* session = nullptr;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  std::string name;

  PropertyCall(napi_env env, napi_callback_info info) {
    js::Arguments<2> args(env, info);
    Session* open = Session::Of(env, args.data);
    if (!open) return;
    family = open->FamilyOf(args.at[0]);
    name = js::Text(env, args.at[1]);
    if (family) session = open;
  }
};

}  // namespace

namespace methods {

/** property(family, name): text, or undefined if RocksDB does not know it */
napi_value Property(napi_env env, napi_callback_info info) {
  PropertyCall call(env, info);
  if (!call.session) return nullptr;
  std::string value;
  bool known = call.session->db()->GetProperty(call.family, call.name, &value);
  return known ? js::String(env, value) : js::Undefined(env);
}

/** intProperty(family, name): a number, or undefined */
napi_value IntProperty(napi_env env, napi_callback_info info) {
  PropertyCall call(env, info);
  if (!call.session) return nullptr;
  uint64_t value = 0;
  bool known = call.session->db()->GetIntProperty(call.family, call.name, &value);
  return known ? js::Number(env, static_cast<double>(value)) : js::Undefined(env);
}

/** mapProperty(family, name): an object of texts, or undefined */
napi_value MapProperty(napi_env env, napi_callback_info info) {
  PropertyCall call(env, info);
  if (!call.session) return nullptr;
  std::map<std::string, std::string> values;
  if (!call.session->db()->GetMapProperty(call.family, call.name, &values)) return js::Undefined(env);
  napi_value result = js::Object(env);
  for (const auto& entry : values) js::Set(env, result, entry.first.c_str(), js::String(env, entry.second));
  return result;
}

}  // namespace methods
