// The journey of `drover up`: lock, look, fetch images, plan, walk the plan, and the way back when a step fails.
//
// What is decided is decided in compose/reconcile.h and compose/rollback.h, and is printed before anything is touched.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "compose/project.h"
#include "compose/project_state.h"
#include "compose/reconcile.h"
#include "engine/client.h"
#include "stack/apply_plan.h"
#include "stack/change_project.h"
#include "stack/drift.h"
#include "stack/state_folder.h"
#include "stack/up_images.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drover::stack {

struct UpRequest {
  const compose::Project& project;  // the targets and, unless they are left out, what these depend on
  compose::UpOptions options = {};
  std::optional<PullPolicy> pull = {};  // --pull: of all services; nothing: each service's own
  // Brings the images into the engine, throws when one cannot be had; not called when there are none. See fetch_images.
  std::function<void(const std::vector<ImageNeed>&)> fetch = {};
  // In their place when it plans only: throws when one could not be had. See ask_for_images.
  std::function<void(const std::vector<ImageNeed>&)> ask = {};
  bool checks_drift = false;             // --check-drift: what no config hash tells is looked for, and told in the plan's notes
  RepairWishes repairs = {};             // --fix-drift, --restart-stale: likewise, and put right
  bool rolls_back = true;   // false: --no-rollback
  bool plans_only = false;  // --dry-run: images are asked for and not fetched
};

struct UpReport {
  enum class End {
    planned,    // --dry-run
    unchanged,  // nothing was to be done
    done,
    failed,  // before anything that runs was touched, or with the new ones kept (--no-rollback), or while old ones were removed
    rolled_back,      // what was swapped is as it was
    rollback_failed,  // somebody has to look
  };
  End end = End::planned;
  compose::Plan plan = {};
  std::vector<std::string> notes = {};  // of what was before the plan: images to be fetched, an earlier run that was cut off
  std::optional<ApplyReport> applied = {};
  std::optional<WayBackReport> way_back = {};
  std::optional<Error> failure = {};  // why it did not end as it should; code interrupted when the user asked to stop
  std::vector<std::string> remedies =
      {};  // rollback_failed, and failed with new ones kept: what runs now and what to type, a line each
};

std::string_view to_string(UpReport::End end);

// Throws for what ends a run before anything is touched: locked, refused, data_safety, unsupported, what `fetch` throws, and what
// the Client throws while it looks. What happens from then on is in the report. `state_folder` null: neither lock nor journal.
UpReport up(const Context& ctx,
            engine::Client& client,
            const StateFolder* state_folder,
            const UpRequest& request,
            const RunListener& listener);

}  // namespace drover::stack
