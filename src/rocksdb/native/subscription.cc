// A session's listener function.
#include <memory>

#include "js.h"
#include "listener.h"
#include "methods.h"
#include "session.h"

namespace {

class EventMessage : public Message {
 public:
  EventMessage(Session* session, Event event) : session_(session), event_(std::move(event)) {}

  void Deliver(napi_env env) override {
    // A closed mailbox delivers nothing, and a session closes its mailbox first: the session lives.
    napi_value function = nullptr;
    if (!session_->listener || napi_get_reference_value(env, session_->listener, &function) != napi_ok) return;
    napi_value object = js::Object(env);
    js::Set(env, object, "kind", js::String(env, event_.kind));
    for (const auto& field : event_.texts) js::Set(env, object, field.first, js::String(env, field.second));
    for (const auto& field : event_.numbers) js::Set(env, object, field.first, js::Number(env, field.second));
    for (const auto& field : event_.booleans) js::Set(env, object, field.first, js::Boolean(env, field.second));
    napi_value result = nullptr;
    napi_call_function(env, js::Undefined(env), function, 1, &object, &result);
  }

 private:
  Session* const session_;
  const Event event_;
};

class MailboxSink : public EventSink {
 public:
  explicit MailboxSink(Session* session) : session_(session), mailbox_(session->mailbox) {}

  void OnEvent(const Event& event) override {
    mailbox_->Post(std::unique_ptr<Message>(new EventMessage(session_, event)));
  }

 private:
  Session* const session_;
  const std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace

void Session::StopListening() {
  if (sink) database->listener()->Unsubscribe(sink.get());
  sink.reset();
  if (listener) napi_delete_reference(env, listener);
  listener = nullptr;
}

namespace methods {

/** setListener(function | undefined): called with one object an event, on a later turn of the event loop. */
napi_value SetListener(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  session->StopListening();
  if (js::IsNullish(env, args.at[0])) return nullptr;
  napi_create_reference(env, args.at[0], 1, &session->listener);
  session->sink = std::make_shared<MailboxSink>(session);
  session->database->listener()->Subscribe(session->sink);
  return nullptr;
}

}  // namespace methods
