// Whether a container that is waited for has come to where it should be. Pure: judged over what the engine told of it.
#pragma once

#include "compose/plan.h"
#include "engine/container_details.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace drover::stack {

// One that its restart policy brings up again may die so often before it counts as failed: programs that look for a database which is just
// being swapped as well give up once or twice.
inline constexpr int deaths_forgiven_max = 2;

struct Watched {
  std::optional<engine::ContainerDetails> details = {};    // as it is now; nothing: there is none
  int deaths = 0;                                          // since the wait began, by events
  std::optional<std::int64_t> last_exit_code = {};         // by events: of one that is gone by now
  std::chrono::milliseconds waited{0};                     // since the wait began
  std::chrono::milliseconds undisturbed{0};                // since it began, or since its last death or start, the later
  std::int64_t restarts = 0;                               // its RestartCount when the wait began
};

struct Judgement {
  enum class Verdict { waiting, passed, failed };
  Verdict verdict = Verdict::waiting;
  std::string why = {};                                    // it failed: "exited with code 1"; "is unhealthy: its check printed \"…\" (exit code 1)"
  std::optional<std::chrono::milliseconds> look_again = {};  // waiting: in that time, if nothing happens before; nothing: only when something does
};

Judgement judge(const compose::Await& await, const Watched& watched);

// How long an end has to be seen before it counts. An engine that shuts down ends every container before it goes: that is no container's
// fault, and over soon.
inline constexpr std::chrono::milliseconds look_again_after{250};
inline constexpr std::chrono::milliseconds late_news_max{5000};

struct Circumstances {
  bool looks_like_shutdown = false;           // others end as well
  std::chrono::milliseconds farewell_max{0};  // how long an engine that shuts down goes on answering
  bool has_no_news = false;                   // the events have not told of the end
};

// 0 for what is no end, or is the container's own doing: it runs (and is unhealthy), or was killed for want of memory.
std::chrono::milliseconds patience_with(const engine::ContainerDetails& details, const Circumstances& circumstances);

}  // namespace drover::stack
