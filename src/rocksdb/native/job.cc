#include "job.h"

#include <utility>

#include "js.h"
#include "status.h"
#include "worker_pool.h"

napi_value Job::Start(napi_env env, Session* session, std::unique_ptr<Job> job) {
  napi_value promise = nullptr;
  if (napi_create_promise(env, &job->deferred_, &promise) != napi_ok) return nullptr;
  job->session_ = session;
  job->mailbox_ = session->mailbox;
  job->database_ = session->database;
  session->JobBegins();
  job->mailbox_->WorkBegins();
  Job* running = job.release();
  RunOnWorker([running] {
    std::unique_ptr<Job> ended(running);
    std::shared_ptr<Mailbox> mailbox = ended->mailbox_;
    ended->status_ = ended->Run(ended->database_.get());
    mailbox->Post(std::move(ended));
    mailbox->WorkEnds();
  });
  return promise;
}

void Job::Deliver(napi_env env) {
  napi_value value = status_.ok() ? Result(env) : ErrorOf(env, status_);
  if (status_.ok() && value) {
    napi_resolve_deferred(env, deferred_, value);
  } else if (value) {
    napi_reject_deferred(env, deferred_, value);
  } else {
    napi_reject_deferred(env, deferred_, ErrorOf(env, rocksdb::Status::Aborted("No result could be made")));
  }
}

// One that is not delivered ends here, on the JavaScript thread too: its environment is closing.
Job::~Job() {
  if (session_) session_->JobEnds();
}

napi_value Job::Result(napi_env env) { return js::Undefined(env); }
