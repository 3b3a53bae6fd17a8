// The files of a database and what is in them.
#include <map>

#include "job.h"
#include "js.h"
#include "methods.h"
#include "rocksdb/convenience.h"
#include "rocksdb/metadata.h"
#include "rocksdb/transaction_log.h"
#include "rocksdb/version.h"
#include "session.h"
#include "status.h"
#include "write.h"

using rocksdb::Slice;
using rocksdb::Status;

namespace {

napi_value BytesOf(napi_env env, const std::string& bytes) { return js::CopiedBuffer(env, bytes.data(), bytes.size()); }

napi_value LiveFile(napi_env env, const rocksdb::LiveFileMetaData& file) {
  const std::pair<const char*, double> numbers[] = {
      {"level", file.level},
      {"bytes", static_cast<double>(file.size)},
      {"entries", static_cast<double>(file.num_entries)},
      {"deletions", static_cast<double>(file.num_deletions)},
      {"smallestSequence", static_cast<double>(file.smallest_seqno)},
      {"largestSequence", static_cast<double>(file.largest_seqno)},
      {"creationTime", static_cast<double>(file.file_creation_time)}};
  napi_value result = js::Object(env);
  js::Set(env, result, "name", js::String(env, file.name));
  js::Set(env, result, "columnFamily", js::String(env, file.column_family_name));
  js::Set(env, result, "smallestKey", BytesOf(env, file.smallestkey));
  js::Set(env, result, "largestKey", BytesOf(env, file.largestkey));
  for (const auto& field : numbers) js::Set(env, result, field.first, js::Number(env, field.second));
  js::Set(env, result, "beingCompacted", js::Boolean(env, file.being_compacted));
  return result;
}

napi_value TableObject(napi_env env, const std::string& file, const rocksdb::TableProperties& table) {
  const std::pair<const char*, double> numbers[] = {
      {"entries", static_cast<double>(table.num_entries)},
      {"deletions", static_cast<double>(table.num_deletions)},
      {"dataBytes", static_cast<double>(table.data_size)},
      {"rawKeyBytes", static_cast<double>(table.raw_key_size)},
      {"rawValueBytes", static_cast<double>(table.raw_value_size)},
      {"creationTime", static_cast<double>(table.creation_time)},
      {"fileCreationTime", static_cast<double>(table.file_creation_time)}};
  napi_value result = js::Object(env);
  js::Set(env, result, "file", js::String(env, file));
  js::Set(env, result, "columnFamily", js::String(env, table.column_family_name));
  for (const auto& field : numbers) js::Set(env, result, field.first, js::Number(env, field.second));
  napi_value user = js::Object(env);
  for (const auto& property : table.user_collected_properties) {
    js::Set(env, user, property.first.c_str(), BytesOf(env, property.second));
  }
  js::Set(env, result, "user", user);
  return result;
}

/** Reads the files' property blocks, from disk where they are not cached. */
class TablePropertiesJob : public Job {
 public:
  explicit TablePropertiesJob(rocksdb::ColumnFamilyHandle* family) : family_(family) {}

 protected:
  Status Run(Database* database) override { return database->db()->GetPropertiesOfAllTables(family_, &tables_); }

  napi_value Result(napi_env env) override {
    napi_value result = js::Array(env, tables_.size());
    std::map<std::string, std::shared_ptr<const rocksdb::TableProperties>> sorted(tables_.begin(), tables_.end());
    uint32_t at = 0;
    for (const auto& table : sorted) napi_set_element(env, result, at++, TableObject(env, table.first, *table.second));
    return result;
  }

 private:
  rocksdb::ColumnFamilyHandle* const family_;
  rocksdb::TablePropertiesCollection tables_;
};

/** A flat array of buffers: begin, end, begin, end. Borrowed until the call returns. */
bool ReadRanges(napi_env env, napi_value array, std::vector<rocksdb::Range>* ranges) {
  uint32_t length = js::Length(env, array);
  for (uint32_t i = 0; i + 1 < length; i += 2) {
    Slice begin = js::Bytes(env, js::At(env, array, i));
    Slice end = js::Bytes(env, js::At(env, array, i + 1));
    if (!begin.data() || !end.data()) return false;
    ranges->emplace_back(begin, end);
  }
  return true;
}

}  // namespace

namespace methods {

/** sortedWalFiles() */
napi_value SortedWalFiles(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  rocksdb::VectorLogPtr files;
  Status status = session->db()->GetSortedWalFiles(files);
  if (!status.ok()) return Throw(env, status);
  napi_value result = js::Array(env, files.size());
  for (uint32_t i = 0; i < files.size(); i++) {
    const auto& file = *files[i];
    napi_value object = js::Object(env);
    js::Set(env, object, "path", js::String(env, file.PathName()));
    js::Set(env, object, "logNumber", js::Number(env, static_cast<double>(file.LogNumber())));
    js::Set(env, object, "archived", js::Boolean(env, file.Type() == rocksdb::kArchivedLogFile));
    js::Set(env, object, "startSequence", js::Number(env, static_cast<double>(file.StartSequence())));
    js::Set(env, object, "bytes", js::Number(env, static_cast<double>(file.SizeFileBytes())));
    napi_set_element(env, result, i, object);
  }
  return result;
}

/** liveFiles(): every SST file's metadata */
napi_value LiveFiles(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  std::vector<rocksdb::LiveFileMetaData> files;
  session->db()->GetLiveFilesMetaData(&files);
  napi_value result = js::Array(env, files.size());
  for (uint32_t i = 0; i < files.size(); i++) napi_set_element(env, result, i, LiveFile(env, files[i]));
  return result;
}

/** liveFileNames(flushMemtable): {files, manifestBytes}; relative to the directory, with a leading slash */
napi_value LiveFileNames(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  std::vector<std::string> names;
  uint64_t manifest_bytes = 0;
  Status status = session->db()->GetLiveFiles(names, &manifest_bytes, js::Bool(env, args.at[0]));
  if (!status.ok()) return Throw(env, status);
  napi_value files = js::Array(env, names.size());
  for (uint32_t i = 0; i < names.size(); i++) napi_set_element(env, files, i, js::String(env, names[i]));
  napi_value result = js::Object(env);
  js::Set(env, result, "files", files);
  js::Set(env, result, "manifestBytes", js::Number(env, static_cast<double>(manifest_bytes)));
  return result;
}

/** tableProperties(family): a promise */
napi_value TableProperties(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[0]);
  if (!family) return nullptr;
  return Job::Start(env, session, std::unique_ptr<Job>(new TablePropertiesJob(family)));
}

/** setFileDeletions(enabled): counted by RocksDB */
napi_value SetFileDeletions(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
#if ROCKSDB_MAJOR >= 9
  auto enable = [session] { return session->db()->EnableFileDeletions(); };
#else
  auto enable = [session] { return session->db()->EnableFileDeletions(false); };
#endif
  Status status = js::Bool(env, args.at[0]) ? enable() : session->db()->DisableFileDeletions();
  return status.ok() ? nullptr : Throw(env, status);
}

/** approximateSizes(family, ranges, includeMemtables, includeFiles, errorMargin): bytes of each range */
napi_value ApproximateSizes(napi_env env, napi_callback_info info) {
  js::Arguments<5> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[0]);
  if (!family) return nullptr;
  std::vector<rocksdb::Range> ranges;
  if (!ReadRanges(env, args.at[1], &ranges)) return js::ThrowType(env, "ranges are pairs of buffers");
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = js::Bool(env, args.at[2]);
  options.include_files = js::Bool(env, args.at[3]);
  napi_get_value_double(env, args.at[4], &options.files_size_error_margin);
  std::vector<uint64_t> sizes(ranges.size());
  Status status = session->db()->GetApproximateSizes(options, family, ranges.data(), static_cast<int>(ranges.size()),
                                                     sizes.data());
  if (!status.ok()) return Throw(env, status);
  napi_value result = js::Array(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); i++) {
    napi_set_element(env, result, i, js::Number(env, static_cast<double>(sizes[i])));
  }
  return result;
}

/** deleteFilesInRanges(family, ranges): drops files that lie within a range, end exclusive */
napi_value DeleteFilesInRanges(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[0]);
  if (!family) return nullptr;
  std::vector<rocksdb::Range> ranges;
  if (!ReadRanges(env, args.at[1], &ranges)) return js::ThrowType(env, "ranges are pairs of buffers");
  std::vector<rocksdb::RangePtr> pointers;
  for (const auto& range : ranges) pointers.emplace_back(&range.start, &range.limit);
  Status status = rocksdb::DeleteFilesInRanges(session->db(), family, pointers.data(), pointers.size(), false);
  return status.ok() ? nullptr : Throw(env, status);
}

/** deleteRange(family, begin, end, flags) */
napi_value DeleteRange(napi_env env, napi_callback_info info) {
  js::Arguments<4> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[0]);
  if (!family) return nullptr;
  Slice begin = js::Bytes(env, args.at[1]);
  Slice end = js::Bytes(env, args.at[2]);
  if (!begin.data() || !end.data()) return js::ThrowType(env, "a range is two buffers");
  Status status = session->db()->DeleteRange(WriteOptionsOf(js::Uint32(env, args.at[3])), family, begin, end);
  return status.ok() ? nullptr : Throw(env, status);
}

}  // namespace methods
