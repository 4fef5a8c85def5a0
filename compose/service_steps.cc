// Swaps, starts and restarts of services: each as soon as its own dependencies allow.
#include "base/error.h"
#include "base/text.h"
#include "compose/conditions.h"
#include "compose/labels.h"
#include "compose/plan_draft.h"
#include "compose/shared_containers.h"

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

bool is_bad(const ContainerDetails& container) {
  const engine::ContainerState& state = container.state;
  if (state.is_restarting || (state.health && state.health->status == "unhealthy")) return true;
  // Of SIGKILL and SIGTERM: stopped by somebody.
  return !state.is_running && state.exit_code != 0 && state.exit_code != 137 && state.exit_code != 143;
}

// It ran when an earlier run began to put another in its place: it was stopped after that one had been made.
bool ran_before(const SlotWork& slot) {
  const ContainerDetails& old = *slot.old;
  if (!old.state.started) return false;
  if (is_kept_name(old.name, slot.slot.name)) return true;
  ContainerList made = slot.slot.debris;
  if (slot.made) made.push_back(slot.made);
  return std::any_of(made.begin(), made.end(), [&](const ContainerDetails* each) {
    return old.state.finished && each->created && *old.state.finished >= *each->created;
  });
}

// The steps of one service.
class ServiceSteps {
 public:
  ServiceSteps(PlanDraft& draft, Conditions& conditions, ServiceWork& work)
      : draft_(draft), options_(*draft.situation.options), conditions_(conditions), work_(work), service_(*work.service) {}

  void write() {
    if (service_.deploy && service_.deploy->update_order == "start-first" && work_.is_recreated()) choose_order();
    for (SlotWork& slot : work_.slots) {
      if (slot.fate == Fate::create) write_new(slot);
      if (slot.fate == Fate::swap) write_swap(slot);
      if (slot.fate == Fate::keep) write_kept(slot);
    }
    for (SlotWork& slot : work_.slots)
      if (slot.fate == Fate::remove && slot.old) write_scaled_down(slot);
  }

 private:
  Step step(const SlotWork& slot, Action action, std::string cause, std::vector<int> needs = {}) const {
    return {.action = std::move(action),
            .resource = resource_of(slot),
            .cause = std::move(cause),
            .depends_on = std::move(needs),
            .group = service_.name};
  }

  int add(Step step, bool is_done = false) {
    step.is_done = is_done;
    return draft_.builder.add(Phase::swap, std::move(step));
  }

  void choose_order() {
    const std::string refusal = start_first_refusal(draft_, work_);
    work_.is_start_first = refusal.empty();
    if (!refusal.empty())
      draft_.builder.note("service " + service_.name + ": stopped first in spite of start-first, since " + refusal);
  }

  // For what is about to start, or to stop in order to start; what is there once is asked once.
  std::vector<int> conditions() {
    if (!condition_steps_) condition_steps_ = conditions_.of(service_);
    std::vector<int> steps = *condition_steps_;
    if (!work_.stops_early) steps.push_back(previous_);  // replicas one after the other
    return steps;
  }

  int stop(const SlotWork& slot, const ContainerDetails& container, const std::string& cause, std::vector<int> needs) {
    const StopContainer action{.container = {.id = container.id}, .timeout = options_.stop_timeout};
    const int number = add(step(slot, action, cause, std::move(needs)));
    draft_.stop_of[container.id] = number;
    return number;
  }

  // Start, then the hooks; dependents wait for the last of them.
  void start(SlotWork& slot, std::vector<int> needs, const std::string& cause, bool is_done) {
    if (slot.made && !slot.made->state.is_running) join_networks(slot, needs);
    slot.started = add(step(slot, StartContainer{slot.target}, cause, std::move(needs)), is_done);
    slot.ready = slot.started;
    for (const Hook& hook : service_.post_start)
      slot.ready =
          add(step(slot, RunHook{slot.target, hook}, "services." + service_.name + ".post_start", {slot.ready}));
    previous_ = slot.ready;
    if (!slot.target.id.empty()) draft_.start_of[slot.target.id] = slot.started;
  }

  // Which it lost when a run that made a network again was cut off.
  void join_networks(const SlotWork& slot, std::vector<int>& needs) {
    for (const NetworkPlace* place : networks_of(draft_.situation, service_)) {
      const std::string& name = place->model->name;
      const bool is_joining = std::any_of(draft_.joins.begin(), draft_.joins.end(), [&](const Join& join) {
        return join.slot == &slot && join.network == place;
      });
      if (slot.made->network_settings.networks.contains(name) || is_joining) continue;
      const auto settings = endpoint_of(body_of(draft_, service_, slot.slot.number), name);
      if (!settings) continue;
      const int joined = add(step(slot,
                                  ConnectNetwork{name, slot.target, *settings},
                                  "services." + service_.name + ".networks: not in " + name,
                                  {draft_.created_networks[place->model->key]}));
      draft_.joins.push_back({&slot, place, joined});
      needs.push_back(joined);
    }
  }

  int gate(SlotWork& slot, int after) {
    Await await{.container = slot.target, .until = Await::Until::gate, .timeout = options_.gate_timeout};
    await.was_bad_before = slot.old && is_bad(*slot.old) && !ran_before(slot);
    await.settle = std::min<std::chrono::milliseconds>(await.settle, options_.gate_timeout);
    await.may_complete = may_complete() && !(slot.old && slot.old->state.is_running);  // what ran all the time is no job
    slot.gate = add(step(slot, await, await.was_bad_before ? "what it replaces was not well either" : "", {after}));
    return slot.gate;
  }

  bool may_complete() const {
    std::string policy = service_.restart.substr(0, service_.restart.find(':'));
    if (service_.deploy && service_.deploy->has_restart_policy) policy = service_.deploy->restart_condition;
    return policy.empty() || policy == "no" || policy == "none" || policy == "on-failure";
  }

  void
  rename_to_final(SlotWork& slot, const std::string& from, std::vector<int> needs, bool is_done, const std::string& cause = {}) {
    const std::string& name = slot.slot.name;
    if (from == name) return;
    draft_.name_takers.emplace_back(add(step(slot, RenameContainer{slot.target, from, name}, cause, std::move(needs)), is_done),
                                    name);
  }

  std::string first_name(const SlotWork& slot) const {
    return std::get<CreateContainer>(draft_.builder.at(slot.created).action).name;
  }

  void write_new(SlotWork& slot) {
    int last = slot.created;
    if (options_.starts) {
      start(slot, with(conditions(), slot.created), "", slot.made && slot.made->state.is_running);
      last = slot.started;
      gate(slot, slot.ready);
    }
    rename_to_final(slot, first_name(slot), {last}, false);
  }

  static std::vector<int> with(std::vector<int> steps, int step) {
    steps.push_back(step);
    return steps;
  }

  void write_swap(SlotWork& slot) {
    const std::string cause = "replaced by #" + std::to_string(slot.created);
    // Where both run although the old one was to stop first, the engine restarted and brought it up again: it stops before anything is waited for.
    if (options_.starts && slot.old->state.is_running && work_.is_start_first) {
      start_new(slot, conditions());
      slot.stopped = stop(slot, *slot.old, cause, {gate(slot, slot.ready)});
      previous_ = slot.stopped;
      exchange_names(slot, slot.stopped);
      return;
    }
    stop_old(slot, cause);
    int last = slot.stopped != 0 ? slot.stopped : slot.created;
    if (options_.starts) {
      const bool has_waited = slot.old->state.is_running && !work_.stops_early;  // with its stop
      start_new(slot, has_waited ? std::vector<int>{last} : with(conditions(), last));
      last = slot.started;
      gate(slot, slot.ready);
    }
    exchange_names(slot, last);
  }

  void stop_old(SlotWork& slot, const std::string& cause) {
    if (slot.old->state.is_running) {
      slot.stopped = stop(slot, *slot.old, cause, work_.stops_early || !options_.starts ? std::vector<int>{} : conditions());
    } else if (ran_before(slot)) {
      slot.stopped =
          add(step(slot, StopContainer{.container = {.id = slot.old->id}, .timeout = options_.stop_timeout}, cause), true);
    }
  }

  // One that runs already, in a network that is made again, stops for a while.
  void start_new(SlotWork& slot, std::vector<int> needs) {
    const bool runs = slot.made && slot.made->state.is_running;
    if (runs && is_in_changed_network(draft_.situation, *slot.made)) {
      const int before = add(step(slot, StartContainer{slot.target}, "", {slot.created, slot.stopped}), true);
      needs = with(std::move(needs), stop(slot, *slot.made, "its network is made again", {before}));
      start(slot, std::move(needs), "", false);
      return;
    }
    start(slot, std::move(needs), "", runs);
  }

  // The old one gives its name up, the new one takes it.
  void exchange_names(SlotWork& slot, int after) {
    const std::string& name = slot.slot.name;
    const std::string kept = kept_name(name, *slot.old);
    const bool is_kept = slot.old->name == kept;
    const RenameContainer action{{.id = slot.old->id}, is_kept ? name : slot.old->name, kept};
    const int renamed = add(step(slot, action, "kept until the new one has proved itself", {after}), is_kept);
    draft_.release_of[action.from] = renamed;
    const bool has_name = slot.made && slot.made->name == name;
    rename_to_final(slot, first_name(slot), {renamed}, has_name);
  }

  void write_kept(SlotWork& slot) {
    const ContainerDetails& container = *slot.made;
    if (is_temporary_name(container.name, slot.slot.name))
      rename_to_final(slot, container.name, {}, false, "left by a run that was cut off");
    if (container.state.is_paused) {
      draft_.builder.note("container " + container.name + " is paused: left as it is");
    } else if (container.state.is_running) {
      write_running(slot);
    } else if (options_.starts) {
      start(slot, conditions(), "it is " + container.state.status, false);
      if (options_.waits) gate(slot, slot.ready);
    }
  }

  void write_running(SlotWork& slot) {
    const ContainerDetails& container = *slot.made;
    if (is_in_changed_network(draft_.situation, container)) {
      slot.stopped = stop(slot, container, "its network is made again", {});
      start(slot, with(conditions(), slot.stopped), "", false);
      if (options_.waits) gate(slot, slot.ready);
      return;
    }
    if (const std::string cause = restart_cause(); !cause.empty() && options_.starts) {
      slot.started = add(step(slot, RestartContainer{slot.target, options_.stop_timeout}, cause, conditions()));
      slot.ready = slot.started;
      previous_ = slot.started;
    }
    const bool is_well =
        !container.state.health || container.state.health->status == "healthy" || container.state.health->status == "none";
    if (options_.waits && (slot.ready != 0 || !is_well || container.state.is_restarting)) gate(slot, slot.ready);
  }

  std::string restart_cause() const {
    if (const auto cause = options_.restart_causes.find(service_.name); cause != options_.restart_causes.end())
      return cause->second;
    for (const std::string& shared : namespace_services(service_)) {
      const ServiceWork* owner = draft_.find_work(shared);
      if (owner && !owner->slots.empty() && owner->slots.front().ready != 0)
        return "it shares a namespace of " + shared + ", which starts anew";
    }
    for (const Dependency& dependency : service_.depends_on) {
      const ServiceWork* other = dependency.is_restarted ? draft_.find_work(dependency.service) : nullptr;
      if (other && other->is_recreated()) return "services." + service_.name + ".depends_on." + dependency.service + ".restart";
    }
    return {};
  }

  // After those that stay have been swapped, so that some of them run at any time.
  void write_scaled_down(SlotWork& slot) {
    if (!slot.old->state.is_running) return;
    std::vector<int> needs;
    for (const SlotWork& other : work_.slots)
      if (!work_.stops_early) needs.push_back(other.ready);
    for (const Hook& hook : service_.pre_stop)
      needs = {
          add(step(slot, RunHook{{.id = slot.old->id}, hook}, "services." + service_.name + ".pre_stop", needs))};
    slot.stopped = stop(slot, *slot.old, slot.cause, needs);
  }

  PlanDraft& draft_;
  const UpOptions& options_;
  Conditions& conditions_;
  ServiceWork& work_;
  const Service& service_;
  std::optional<std::vector<int>> condition_steps_;
  int previous_ = 0;  // of the replica before
};

// The namespaces of a container die with it: those that share them stop before. They stay up until it is about to stop itself.
void stop_sharers_first(PlanDraft& draft, ServiceWork& work) {
  for (const std::string& shared : namespace_services(*work.service)) {
    ServiceWork* owner = draft.find_work(shared);
    if (!owner || !owner->is_recreated()) continue;
    for (const SlotWork& sharer : work.slots) {
      for (const SlotWork& slot : owner->slots) {
        if (sharer.stopped == 0 || slot.stopped == 0) continue;
        draft.builder.require(slot.stopped, sharer.stopped);
        for (const int needed : std::vector<int>(draft.builder.at(slot.stopped).depends_on))
          draft.builder.prefer(sharer.stopped, needed);
      }
    }
  }
}

}  // namespace

void write_service_steps(PlanDraft& draft) {
  Conditions conditions(draft);
  for (ServiceWork& work : draft.works) ServiceSteps(draft, conditions, work).write();
  for (ServiceWork& work : draft.works) stop_sharers_first(draft, work);
}

}  // namespace drover::compose
