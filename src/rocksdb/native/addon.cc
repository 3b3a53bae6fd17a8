// The module: what exists without an open database.
#include "addon.h"

#include "clock.h"
#include "js.h"
#include "linkage.h"
#include "registry.h"
#include "rocksdb/convenience.h"
#include "rocksdb/version.h"
#include "session.h"
#include "settings.h"
#include "status.h"

using rocksdb::Status;

namespace {

/** open(path, settings): a session */
napi_value Open(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  DatabaseSettings settings;
  Status status = ReadSettings(env, args.at[1], &settings);
  if (!status.ok()) return Throw(env, status);
  std::shared_ptr<Database> database;
  status = Database::Open(CanonicalPath(js::Text(env, args.at[0])), std::move(settings), &database);
  if (!status.ok()) return Throw(env, status);
  RegisterDatabase(database);
  return (new Session(env, std::move(database)))->ToJs();
}

/** attach(path): a session of a database that this process has open */
napi_value Attach(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  std::string path = js::Text(env, args.at[0]);
  std::shared_ptr<Database> database = FindDatabase(CanonicalPath(path));
  if (!database) return Throw(env, Status::NotFound("No open database at " + path));
  return (new Session(env, std::move(database)))->ToJs();
}

/** stopDatabases(): of the whole process, before it ends */
napi_value Stop(napi_env, napi_callback_info) {
  StopDatabases();
  return nullptr;
}

/** setErrorFactory(factory) */
napi_value SetErrorFactory(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Addon* addon = Addon::Of(env);
  if (addon->error_factory) napi_delete_reference(env, addon->error_factory);
  napi_create_reference(env, args.at[0], 1, &addon->error_factory);
  return nullptr;
}

/** setFilterClock(unixMs): 0 is the system's clock */
napi_value SetFilterClock(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  SetFilterClockMs(static_cast<uint64_t>(js::Int64(env, args.at[0])));
  return nullptr;
}

/** destroy(path): deletes the files of a database that is not open */
napi_value Destroy(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Status status = rocksdb::DestroyDB(js::Text(env, args.at[0]), rocksdb::Options());
  return status.ok() ? nullptr : Throw(env, status);
}

/** repair(path, settings): salvages what can be read */
napi_value Repair(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  DatabaseSettings settings;
  Status status = ReadSettings(env, args.at[1], &settings);
  if (!status.ok()) return Throw(env, status);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& family : settings.column_families) families.emplace_back(family.name, family.options);
  status = rocksdb::RepairDB(js::Text(env, args.at[0]), settings.options, families);
  return status.ok() ? nullptr : Throw(env, status);
}

/** listColumnFamilies(path): their names in the order of their ids */
napi_value ListColumnFamilies(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  std::vector<std::string> names;
  Status status = rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), js::Text(env, args.at[0]), &names);
  if (!status.ok()) return Throw(env, status);
  napi_value result = js::Array(env, names.size());
  for (uint32_t i = 0; i < names.size(); i++) napi_set_element(env, result, i, js::String(env, names[i]));
  return result;
}

void DefineFunction(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  js::Set(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_set_instance_data(
      env, new Addon, [](napi_env, void* addon, void*) { delete static_cast<Addon*>(addon); }, nullptr);
  DefineFunction(env, exports, "open", Open);
  DefineFunction(env, exports, "attach", Attach);
  DefineFunction(env, exports, "stopDatabases", Stop);
  DefineFunction(env, exports, "destroy", Destroy);
  DefineFunction(env, exports, "repair", Repair);
  DefineFunction(env, exports, "listColumnFamilies", ListColumnFamilies);
  DefineFunction(env, exports, "setErrorFactory", SetErrorFactory);
  DefineFunction(env, exports, "setFilterClock", SetFilterClock);
  std::string version = std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." +
                        std::to_string(ROCKSDB_PATCH);
  js::Set(env, exports, "rocksdbVersion", js::String(env, version));
  js::Set(env, exports, "asserts", js::Boolean(env, RocksDBAsserts()));
  js::Set(env, exports, "linkage", js::String(env, KVROCKS_LINKAGE));
  return exports;
}
