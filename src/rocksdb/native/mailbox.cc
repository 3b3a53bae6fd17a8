#include "mailbox.h"

#include <utility>

#include "js.h"

namespace {

// Node itself drops what a thread-safe function of this version of the API throws, with a warning.
void TellUncaught(napi_env env) {
  bool pending = false;
  napi_value exception = nullptr;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

}  // namespace

std::shared_ptr<Mailbox> Mailbox::Create(napi_env env) {
  auto mailbox = std::make_shared<Mailbox>();
  // The function keeps the mailbox alive until Node is done with it.
  auto* context = new std::shared_ptr<Mailbox>(mailbox);
  auto finalize = [](napi_env, void*, void* shared) { delete static_cast<std::shared_ptr<Mailbox>*>(shared); };
  napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, js::String(env, "rocksdb"), 0, 1, nullptr, finalize,
                                      context, OnWake, &mailbox->wake_);
  if (status != napi_ok) {
    delete context;
    return mailbox;
  }
  napi_unref_threadsafe_function(env, mailbox->wake_);
  return mailbox;
}

void Mailbox::Post(std::unique_ptr<Message> message) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!wake_) return;
  messages_.push_back(std::move(message));
  napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Mailbox::OnWake(napi_env env, napi_value, void* context, void*) {
  if (!env) return;
  std::shared_ptr<Mailbox> mailbox = *static_cast<std::shared_ptr<Mailbox>*>(context);
  std::unique_ptr<Message> message;
  {
    std::lock_guard<std::mutex> lock(mailbox->mutex_);
    if (mailbox->messages_.empty()) return;
    message = std::move(mailbox->messages_.front());
    mailbox->messages_.pop_front();
  }
  message->Deliver(env);
  TellUncaught(env);
}

void Mailbox::Hold(napi_env env) {
  if (holds_++ == 0 && wake_) napi_ref_threadsafe_function(env, wake_);
}

void Mailbox::Unhold(napi_env env) {
  if (--holds_ == 0 && wake_) napi_unref_threadsafe_function(env, wake_);
}

void Mailbox::WorkBegins() {
  std::lock_guard<std::mutex> lock(mutex_);
  running_++;
}

void Mailbox::WorkEnds() {
  std::lock_guard<std::mutex> lock(mutex_);
  running_--;
  work_ended_.notify_all();
}

void Mailbox::Close() {
  std::deque<std::unique_ptr<Message>> undelivered;
  std::unique_lock<std::mutex> lock(mutex_);
  work_ended_.wait(lock, [this] { return running_ == 0; });
  if (!wake_) return;
  napi_threadsafe_function wake = std::exchange(wake_, nullptr);
  undelivered.swap(messages_);
  lock.unlock();
  napi_release_threadsafe_function(wake, napi_tsfn_abort);
}
