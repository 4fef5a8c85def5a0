#include "stack/step_caller.h"

#include "base/text.h"
#include "engine/containers.h"
#include "engine/engine_failure.h"

#include <chrono>
#include <map>
#include <variant>

namespace drover::stack {
namespace {

constexpr int tries_max = 5;  // of a step whose answers get lost

Deed deed_of(const Aim& aim) { return {.created_id = aim.created_id}; }

Deed try_once(const Context& ctx, engine::Client& client, Outages& outages, const compose::Step& step, const compose::CreatedIds& created) {
  try {
    return perform_step(ctx, client, step, created);
  } catch (const Error& error) {
    if (outages.is_loss(error)) throw;
    const Aim aim = look_for_aim(ctx, client, step, created);
    if (aim.is_reached) return deed_of(aim);
    throw;
  }
}

// Malformed, about something that is not there, or in conflict with what is: an engine that goes away has other excuses (403, 500).
bool is_about_the_request(int status) { return status == 400 || status == 404 || status == 409; }

// A refusal by an engine that is shutting down says nothing about the step: it is tried until the engine is gone, or has proved to stay.
Deed try_past_farewell(const Context& ctx, engine::Client& client, Outages& outages, const compose::Step& step, const compose::CreatedIds& created) {
  constexpr std::chrono::milliseconds pause{250};
  const auto until = ctx.clock->now() + outages.options().farewell_max;
  while (true) {
    try {
      return try_once(ctx, client, outages, step, created);
    } catch (const engine::EngineFailure& failure) {
      if (is_about_the_request(failure.status) || ctx.clock->now() >= until) throw;
      ctx.clock->sleep_for(pause, ctx.stop);  // the news of deaths may come after the refusal
      if (!outages.looks_like_shutdown()) throw;
    }
  }
}

void assert_one(const Context& ctx, engine::Client& client, const compose::Step& step, const std::string& container) {
  const auto details = engine::find_container(ctx, client, container);
  if (!details) return;
  const auto* const stop = std::get_if<compose::StopContainer>(&step.action);
  if (stop != nullptr && details->state.is_running) engine::stop_container(ctx, client, container, {.timeout = stop->timeout});
  if (stop == nullptr && !details->state.is_running && details->state.exit_code != 0) engine::start_container(ctx, client, container);
}

}  // namespace

Deed call_step(engine::Client& client, Outages& outages, const compose::Step& step, const compose::CreatedIds& created) {
  if (outages.is_given_up() && !outages.wait_until_back()) throw Error(ErrorCode::network, "the engine does not answer any more");
  for (int tries = 1;; ++tries) {
    try {
      const Outages::Try one(outages);
      if (tries > 1) {
        const Aim aim = look_for_aim(one.ctx(), client, step, created);
        if (aim.is_reached) return deed_of(aim);
      }
      return try_past_farewell(one.ctx(), client, outages, step, created);
    } catch (const Error& error) {
      if (!outages.is_loss(error)) throw;
      if (std::holds_alternative<compose::RunHook>(step.action)) {
        throw Error(ErrorCode::network, "the engine went away meanwhile, so what became of it is not known");
      }
      if (tries == tries_max) throw;
    }
    if (!outages.wait_until_back()) {
      const auto seconds = std::chrono::duration<double>(outages.options().patience).count();
      throw Error(ErrorCode::network, "the engine did not come back within " + format_seconds(seconds));
    }
  }
}

// First what has to be down: it may hold the ports of what has to be up.
void assert_done(const Context& ctx, engine::Client& client, const DoneSteps& done) {
  std::map<std::string, const compose::Step*> last;  // by container
  for (const auto& [step, container] : done) last[container] = step;
  for (const bool stops : {true, false}) {
    for (const auto& [container, step] : last) {
      if (std::holds_alternative<compose::StopContainer>(step->action) != stops) continue;
      try {
        assert_one(ctx, client, *step, container);
      } catch (const Error& error) {
        ctx.debug("after the engine came back, " + step->resource + ": " + error.what());
      }
    }
  }
}

}  // namespace drover::stack
