// What other threads have to say to a session's JavaScript thread.
#pragma once

#include <node_api.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

class Message {
 public:
  virtual ~Message() = default;

  /** On the JavaScript thread. An exception that it leaves pending becomes an uncaught one. */
  virtual void Deliver(napi_env env) = 0;
};

class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  static std::shared_ptr<Mailbox> Create(napi_env env);

  /** From any thread; dropped once the mailbox is closed. */
  void Post(std::unique_ptr<Message> message);

  /** On the JavaScript thread. While held, the event loop stays alive; holds are counted. */
  void Hold(napi_env env);
  void Unhold(napi_env env);

  /** Marks work that runs on another thread, so that Close can wait for it. */
  void WorkBegins();
  void WorkEnds();

  /** On the JavaScript thread: waits for running work, then delivers nothing any more. */
  void Close();

 private:
  static void OnWake(napi_env env, napi_value, void* context, void*);

  std::mutex mutex_;
  std::condition_variable work_ended_;
  std::deque<std::unique_ptr<Message>> messages_;
  napi_threadsafe_function wake_ = nullptr;
  int running_ = 0;
  int holds_ = 0;
};
