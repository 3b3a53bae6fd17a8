#include "status.h"

#include "addon.h"
#include "js.h"

using rocksdb::Status;

const char* StatusCodeName(const Status& status) {
  switch (status.code()) {
    case Status::kOk: return "OK";
    case Status::kNotFound: return "NotFound";
    case Status::kCorruption: return "Corruption";
    case Status::kNotSupported: return "NotSupported";
    case Status::kInvalidArgument: return "InvalidArgument";
    case Status::kIOError: return "IOError";
    case Status::kMergeInProgress: return "MergeInProgress";
    case Status::kIncomplete: return "Incomplete";
    case Status::kShutdownInProgress: return "ShutdownInProgress";
    case Status::kTimedOut: return "TimedOut";
    case Status::kAborted: return "Aborted";
    case Status::kBusy: return "Busy";
    case Status::kExpired: return "Expired";
    case Status::kTryAgain: return "TryAgain";
    case Status::kCompactionTooLarge: return "CompactionTooLarge";
    case Status::kColumnFamilyDropped: return "ColumnFamilyDropped";
    default: return "Unknown";
  }
}

const char* StatusSubcodeName(const Status& status) {
  switch (status.subcode()) {
    case Status::kNone: return "None";
    case Status::kMutexTimeout: return "MutexTimeout";
    case Status::kLockTimeout: return "LockTimeout";
    case Status::kLockLimit: return "LockLimit";
    case Status::kNoSpace: return "NoSpace";
    case Status::kDeadlock: return "Deadlock";
    case Status::kStaleFile: return "StaleFile";
    case Status::kMemoryLimit: return "MemoryLimit";
    case Status::kSpaceLimit: return "SpaceLimit";
    case Status::kPathNotFound: return "PathNotFound";
    case Status::kManualCompactionPaused: return "ManualCompactionPaused";
    case Status::kOverwritten: return "Overwritten";
    case Status::kIOFenced: return "IOFenced";
    default: return "Other";
  }
}

const char* StatusSeverityName(const Status& status) {
  switch (status.severity()) {
    case Status::kNoError: return "none";
    case Status::kSoftError: return "soft";
    case Status::kHardError: return "hard";
    case Status::kFatalError: return "fatal";
    default: return "unrecoverable";
  }
}

bool StatusIsRetryable(const Status& status) {
  if (status.ok() || status.severity() >= Status::kFatalError) return false;
  if (status.IsNoSpace() || status.subcode() == Status::kSpaceLimit) return true;
  // EDQUOT has no subcode of its own.
  return status.IsIOError() && status.ToString().find("Disk quota exceeded") != std::string::npos;
}

napi_value ErrorOf(napi_env env, const Status& status) {
  Addon* addon = Addon::Of(env);
  napi_value factory = nullptr;
  napi_value receiver = js::Undefined(env);
  napi_value message = js::String(env, status.ToString());
  if (addon && addon->error_factory) napi_get_reference_value(env, addon->error_factory, &factory);
  if (!factory) {
    napi_value error = nullptr;
    napi_create_error(env, js::String(env, StatusCodeName(status)), message, &error);
    return error;
  }
  napi_value arguments[] = {js::String(env, StatusCodeName(status)), js::String(env, StatusSubcodeName(status)),
                            js::String(env, StatusSeverityName(status)), js::Boolean(env, StatusIsRetryable(status)),
                            message};
  napi_value error = nullptr;
  napi_call_function(env, receiver, factory, 5, arguments, &error);
  return error;
}

napi_value Throw(napi_env env, const Status& status) {
  napi_value error = ErrorOf(env, status);
  if (error) napi_throw(env, error);
  return nullptr;
}
