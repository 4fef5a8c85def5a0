// What happens in an engine: GET /events, and when to look anew because something may have been missed.
//
// No engine promises every event. It remembers the last 256 for those that come back, none over its own restart, and drops what a slow
// reader does not take. So the order is always: subscribe, then read the state, then follow events; and read the state anew after every
// gap. EventSubscription says when: its first notice, and one after each gap, has no event.
#pragma once

#include "base/context.h"
#include "base/retry.h"
#include "engine/client.h"
#include "engine/query.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace drover::engine {

struct Event {
  std::string type;                                    // "container", "image", "network", "volume", ...
  std::string action;                                  // "start", "die", "health_status: healthy", "exec_create: ls", ...
  std::string actor_id = {};                           // of the object; an image's name where that is all there is
  std::map<std::string, std::string> attributes = {};  // a container's labels, image, name, exitCode, ...
  std::string scope = {};                              // "local" or "swarm"
  Timestamp time = {};                                 // by the engine's clock

  friend bool operator==(const Event&, const Event&) = default;
};

// Pure; absent and null members are fine. Nothing for what is no event.
std::optional<Event> parse_event(const nlohmann::json& object);

struct EventOptions {
  // {"type", {"container"}}, {"event", {"die", "health_status"}}: health checks alone cause three events each, so name those wanted.
  Filters filters = {};
  // Then the engine is asked whether it is there: it may be silent for hours. A subscription has to be answered within it.
  std::chrono::milliseconds silence_max{60'000};
  std::chrono::milliseconds answer_max{10'000};   // how long it may take to say so
  // Of an outage: an engine that restarts is away for some seconds, one that is upgraded for a minute or two.
  RetryPolicy retry = {.attempts_max = 30, .first = std::chrono::milliseconds(200), .longest = std::chrono::milliseconds(10'000)};
};

struct EventNotice {
  std::optional<Event> event;  // nothing: read the state anew now
  std::string reason = {};     // why, then: "subscribed", "subscribed again after ..."
};

// What a reader may leave unread before it has to read the state anew.
inline constexpr std::size_t unread_events_max = 10'000;

// A subscription, on a connection and a thread of its own: while the state is read nothing is lost. Comes back by itself when the
// connection ends, with `since` and without telling an event twice. For one consumer; ends before the client does.
class EventSubscription {
 public:
  // Returns at once. `ctx` is for the whole subscription: its stop and its deadline end it.
  EventSubscription(const Context& ctx, Client& client, EventOptions options = {});
  ~EventSubscription();
  EventSubscription(const EventSubscription&) = delete;
  EventSubscription& operator=(const EventSubscription&) = delete;

  // The next one, in order; nothing when none came within `wait`, or a little later: it asks a silent engine whether it is there. Throws
  // what ended the subscription: an outage that lasted too long (network), a refusal (engine, unsupported), interrupted.
  std::optional<EventNotice> next(const Context& ctx, std::chrono::milliseconds wait);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::engine
