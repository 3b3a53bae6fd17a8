// Work on a database that runs on another thread and settles a promise.
#pragma once

#include <node_api.h>

#include <memory>

#include "database.h"
#include "mailbox.h"
#include "rocksdb/status.h"
#include "session.h"

class Job : public Message {
 public:
  /** Starts the job and returns its promise. The database stays open until the job has ended. */
  static napi_value Start(napi_env env, Session* session, std::unique_ptr<Job> job);

  ~Job() override;

  void Deliver(napi_env env) final;

 protected:
  /** On a worker thread. */
  virtual rocksdb::Status Run(Database* database) = 0;

  /** What the promise resolves to, after Run returned OK. */
  virtual napi_value Result(napi_env env);

 private:
  Session* session_ = nullptr;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<Database> database_;
  napi_deferred deferred_ = nullptr;
  rocksdb::Status status_;
};
