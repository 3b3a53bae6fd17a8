#include "listener.h"

#include <algorithm>

#include "rocksdb/db.h"
#include "status.h"

using rocksdb::Status;

namespace {

const char* BackgroundErrorReasonName(rocksdb::BackgroundErrorReason reason) {
  static const char* const names[] = {"flush",  "compaction",     "write_callback",
                                      "memtable", "manifest_write", "flush_no_wal",
                                      "manifest_write_no_wal"};
  auto index = static_cast<size_t>(reason);
  return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown";
}

const char* StallConditionName(rocksdb::WriteStallCondition condition) {
  switch (condition) {
    case rocksdb::WriteStallCondition::kNormal: return "normal";
    case rocksdb::WriteStallCondition::kDelayed: return "delay";
    case rocksdb::WriteStallCondition::kStopped: return "stop";
    default: return "unknown";
  }
}

const char* CreationReasonName(rocksdb::TableFileCreationReason reason) {
  switch (reason) {
    case rocksdb::TableFileCreationReason::kFlush: return "flush";
    case rocksdb::TableFileCreationReason::kCompaction: return "compaction";
    case rocksdb::TableFileCreationReason::kRecovery: return "recovery";
    default: return "misc";
  }
}

Event CompactionEvent(const char* kind, const rocksdb::CompactionJobInfo& info) {
  return {kind,
          {{"columnFamily", info.cf_name}, {"status", info.status.ToString()}},
          {{"jobId", info.job_id},
           {"reason", static_cast<double>(info.compaction_reason)},
           {"compression", static_cast<double>(info.compression)},
           {"baseInputLevel", info.base_input_level},
           {"outputLevel", info.output_level},
           {"inputFiles", static_cast<double>(info.input_files.size())},
           {"outputFiles", static_cast<double>(info.output_files.size())},
           {"inputBytes", static_cast<double>(info.stats.total_input_bytes)},
           {"outputBytes", static_cast<double>(info.stats.total_output_bytes)},
           {"inputRecords", static_cast<double>(info.stats.num_input_records)},
           {"outputRecords", static_cast<double>(info.stats.num_output_records)},
           {"elapsedMicros", static_cast<double>(info.stats.elapsed_micros)}},
          {{"isManual", info.stats.is_manual_compaction}}};
}

Event FlushEvent(const char* kind, const rocksdb::FlushJobInfo& info) {
  return {kind,
          {{"columnFamily", info.cf_name}, {"file", info.file_path}},
          {{"jobId", info.job_id},
           {"reason", static_cast<double>(info.flush_reason)},
           {"threadId", static_cast<double>(info.thread_id)},
           {"smallestSequence", static_cast<double>(info.smallest_seqno)},
           {"largestSequence", static_cast<double>(info.largest_seqno)}},
          {{"slowsWrites", info.triggered_writes_slowdown}, {"stopsWrites", info.triggered_writes_stop}}};
}

Event ErrorEvent(const char* kind, const Status& status) {
  return {kind,
          {{"status", status.ToString()},
           {"code", StatusCodeName(status)},
           {"subcode", StatusSubcodeName(status)},
           {"severity", StatusSeverityName(status)}},
          {},
          {{"ok", status.ok()}, {"retryable", StatusIsRetryable(status)}}};
}

/** "/000123.sst" out of an error's text, or nothing. */
std::string TableFileName(const std::string& message) {
  size_t end = message.find(".sst");
  if (end == std::string::npos) return std::string();
  size_t begin = message.rfind('/', end);
  return begin == std::string::npos ? std::string() : message.substr(begin, end + 4 - begin);
}

}  // namespace

void Listener::Subscribe(std::shared_ptr<EventSink> sink) {
  std::lock_guard<std::mutex> lock(mutex_);
  sinks_.push_back(std::move(sink));
  sink_count_ = sinks_.size();
}

void Listener::Unsubscribe(const EventSink* sink) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto is_it = [sink](const std::shared_ptr<EventSink>& other) { return other.get() == sink; };
  sinks_.erase(std::remove_if(sinks_.begin(), sinks_.end(), is_it), sinks_.end());
  sink_count_ = sinks_.size();
}

void Listener::Emit(const Event& event) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& sink : sinks_) sink->OnEvent(event);
}

void Listener::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& info) {
  if (IsHeard()) Emit(FlushEvent("flushBegin", info));
}

void Listener::OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) {
  if (IsHeard()) Emit(FlushEvent("flushCompleted", info));
}

void Listener::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) {
  if (IsHeard()) Emit(CompactionEvent("compactionBegin", info));
}

void Listener::OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) {
  if (IsHeard()) Emit(CompactionEvent("compactionCompleted", info));
}

void Listener::OnTableFileCreated(const rocksdb::TableFileCreationInfo& info) {
  if (!IsHeard()) return;
  Emit({"tableFileCreated",
        {{"columnFamily", info.cf_name},
         {"file", info.file_path},
         {"reason", CreationReasonName(info.reason)},
         {"status", info.status.ToString()}},
        {{"jobId", info.job_id}, {"fileBytes", static_cast<double>(info.file_size)}},
        {}});
}

void Listener::OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& info) {
  if (!IsHeard()) return;
  Emit({"tableFileDeleted",
        {{"file", info.file_path}, {"status", info.status.ToString()}},
        {{"jobId", info.job_id}},
        {}});
}

void Listener::OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) {
  if (!IsHeard()) return;
  Emit({"stallConditionsChanged",
        {{"columnFamily", info.cf_name},
         {"previous", StallConditionName(info.condition.prev)},
         {"current", StallConditionName(info.condition.cur)}},
        {},
        {}});
}

/**
 * A file that a flush or compaction failed to write is not part of any version yet, so the database is sound without
 * it. RocksDB would call the error unrecoverable.
 */
bool Listener::ConcernsDeadFile(const Status& error) const {
  if (!error.IsCorruption() && !error.IsIOError()) return false;
  std::string name = TableFileName(error.ToString());
  rocksdb::DB* db = context_->db.load(std::memory_order_acquire);
  if (name.empty() || !db) return false;
  std::vector<std::string> live;
  uint64_t manifest_bytes = 0;
  if (!db->GetLiveFiles(live, &manifest_bytes, false).ok()) return false;
  return std::find(live.begin(), live.end(), name) == live.end();
}

void Listener::OnBackgroundError(rocksdb::BackgroundErrorReason reason, Status* error) {
  Event event = ErrorEvent("backgroundError", *error);
  event.texts.emplace_back("reason", BackgroundErrorReasonName(reason));
  bool ignored = ConcernsDeadFile(*error);
  event.booleans.emplace_back("ignored", ignored);
  if (ignored) *error = Status::OK();
  if (IsHeard()) Emit(event);
}

/**
 * RocksDB would wait for as much free space as a write buffer may take, however little it has to write, and refuse
 * Resume() meanwhile. Whoever opened the database calls Resume() instead.
 */
void Listener::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, Status error, bool* auto_recovery) {
  if (error.IsNoSpace()) *auto_recovery = false;
}

void Listener::OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) {
  if (!IsHeard()) return;
  Event event = ErrorEvent("errorRecoveryEnd", info.new_bg_error);
  event.texts.emplace_back("previousStatus", info.old_bg_error.ToString());
  Emit(event);
}
