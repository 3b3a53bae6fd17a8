// RocksDB's events, passed on to the sessions that listen.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "filters.h"
#include "rocksdb/listener.h"

/** An event as plain data: JavaScript gets one object of its fields. */
struct Event {
  const char* kind;
  std::vector<std::pair<const char*, std::string>> texts;
  std::vector<std::pair<const char*, double>> numbers;
  std::vector<std::pair<const char*, bool>> booleans;
};

/** Where a session gets events. Called on RocksDB's threads. */
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnEvent(const Event& event) = 0;
};

class Listener : public rocksdb::EventListener {
 public:
  explicit Listener(std::shared_ptr<FilterContext> context) : context_(std::move(context)) {}

  void Subscribe(std::shared_ptr<EventSink> sink);
  void Unsubscribe(const EventSink* sink);

  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override;
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override;
  void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) override;
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) override;
  void OnTableFileCreated(const rocksdb::TableFileCreationInfo& info) override;
  void OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& info) override;
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) override;
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status error, bool* auto_recovery) override;
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override;

 private:
  bool IsHeard() const { return sink_count_.load(std::memory_order_relaxed) > 0; }
  void Emit(const Event& event);
  bool ConcernsDeadFile(const rocksdb::Status& error) const;

  const std::shared_ptr<FilterContext> context_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<EventSink>> sinks_;
  std::atomic<size_t> sink_count_{0};
};
