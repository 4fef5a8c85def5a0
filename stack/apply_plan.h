// Walks a compose::Plan: each step as soon as those that it depends on are done, several at once. Decides nothing.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "compose/plan.h"
#include "engine/client.h"
#include "engine/timestamp.h"
#include "stack/outage.h"
#include "stack/run_journal.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::stack {

struct ApplyOptions {
  std::size_t jobs = 16;                                             // engine calls at once, besides waits
  bool keeps_going = false;                                          // the way back: one failure does not keep the others from being undone
  // One at a time, in order, on a thread of their own: a slow one keeps nobody down. All have been called when apply_plan returns.
  std::function<void(const compose::Step&)> on_begin = {};
  std::function<void(const compose::Step&, const compose::StepOutcome&)> on_end = {};
  std::function<void(const compose::Plan&)> on_way_back = {};        // of go_back: what it is about to do
  RunJournal* journal = nullptr;                                     // told of every step before its calls, and after; of the commit
  std::map<std::string, engine::Timestamp> deaths = {};              // of containers that died before, by ID: the report of what is undone
  std::chrono::milliseconds swap_patience{300};                      // an old container that stops no sooner lets other services go first
  OutageOptions outage = {};
};

struct ApplyReport {
  std::vector<compose::StepOutcome> outcomes = {};    // one a step, in order
  std::optional<Error> failure = {};             // of the first step that failed, with what is known of why: failing check, last log lines
  int failed_step = 0;                           // 0 with a failure: none in particular (interrupted, no events)
  bool is_committed = false;                     // the first of the removals has begun: there is no way back any more
  std::map<std::string, double> down_seconds = {};  // by service, the longest of its containers: from the engine's event that the old one
                                                    // died to the one that the new one started; 0 when the new one was first
  std::map<std::string, engine::Timestamp> deaths = {};  // by container's ID, those of the options included
};

// Once a step has failed, or ctx.stop asks, no further one is begun; calls that are under way are waited for, waits end. Never throws for
// what a step did. An engine that restarts in the middle is waited for (OutageOptions), and steps are then judged by what is there.
ApplyReport apply_plan(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyOptions& options = {});

// How long a way back may take.
inline constexpr std::chrono::minutes way_back_max{15};

struct WayBackReport {
  compose::Plan plan;                            // compose::plan_rollback's
  ApplyReport report;
};

// Undoes what an apply_plan did, also when ctx.stop was asked for: the way back has a context of its own, bounded by way_back_max. Of
// `options` all but keeps_going and deaths counts. Nothing is undone when no step was tried, also of what an earlier run did. Not after
// is_committed.
WayBackReport go_back(const Context& ctx, engine::Client& client, const compose::Plan& plan, const ApplyReport& applied, const ApplyOptions& options = {});

}  // namespace drover::stack
