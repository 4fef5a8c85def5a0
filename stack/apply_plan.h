// Walks a compose::Plan: each step as soon as those that it depends on are done, several at once. Decides nothing.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "compose/plan.h"
#include "engine/client.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::stack {

struct ApplyOptions {
  std::size_t jobs = 16;                                             // engine calls at once
  bool keeps_going = false;                                          // the way back: one failure does not keep the others from being undone
  std::function<void(const compose::Step&)> on_begin = {};           // before the call, one at a time
  std::function<void(const compose::Step&, const compose::StepOutcome&)> on_end = {};  // likewise
};

struct ApplyReport {
  std::vector<compose::StepOutcome> outcomes;    // one a step, in order
  std::optional<Error> failure = {};             // of the first step that failed, with what is known of why: failing check, last log lines
  int failed_step = 0;
  std::map<std::string, double> down_seconds = {};  // by service, the longest of its containers: from the engine's event that the old one
                                                    // died to the one that the new one started; 0 when the new one was first
};

// Once a step has failed, or ctx.stop asks, no further one is begun; those under way are waited for. Never throws for what a step did.
ApplyReport apply_plan(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyOptions& options = {});

}  // namespace drover::stack
