#include "compose/service_work.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/divergence.h"
#include "compose/labels.h"
#include "compose/shared_containers.h"

#include <algorithm>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

constexpr std::int64_t scale_max = 10'000;  // containers of one service: beyond any engine

FinalContainers with_made_up_ids(FinalContainers containers) {
  for (auto& [service, list] : containers)
    for (FinalContainer& container : list)
      if (container.target.id.empty()) container.target.id = std::string(64, '0');
  return containers;
}

// One service's turn.
class Decision {
 public:
  Decision(const Situation& situation, const Works& works, const Service& service)
      : situation_(situation), service_(service), others_(final_containers(situation, works, needed_services(service))) {
    for (const std::string& name : shared_services(service)) look_at_shared(name);
    if (made_anew_.empty())
      hashes_ = hashes_of(service, share(service, [&](const std::string& name) { return others_.at(name).front().target.id; }));
  }

  ServiceWork decide() {
    const Matches matches = [&](const ContainerDetails& container) { return !divergence(container); };
    const auto found = situation_.containers.find(service_.name);
    const ContainerList containers = found == situation_.containers.end() ? ContainerList() : found->second;
    ServiceWork work{.service = &service_};
    for (Slot& slot : find_slots(*situation_.project, service_, containers, matches))
      work.slots.push_back(decide_slot(std::move(slot)));
    fit_to_scale(work.slots);
    return work;
  }

 private:
  void look_at_shared(const std::string& name) {
    const auto found = others_.find(name);
    if (found == others_.end() || found->second.empty())
      throw Error(ErrorCode::refused,
                  "service " + service_.name + " shares a container of " + printable(name, 120) + ", and there is none");
    if (found->second.front().target.id.empty()) made_anew_ = name;
  }

  std::optional<Judged> divergence(const ContainerDetails& container) const {
    if (!made_anew_.empty()) return Judged{Divergence::hash};
    Judged judged = judge(situation_, service_, container, hashes_);
    if (judged.divergence == Divergence::none) return std::nullopt;
    return judged;
  }

  std::string cause_of(const ContainerDetails& container, int number) const {
    const UpOptions& options = *situation_.options;
    const bool is_target = situation_.is_target(service_);
    const Recreate policy = is_target ? options.recreate : options.recreate_dependencies;
    if (policy == Recreate::never) return {};
    if (!made_anew_.empty()) return "services." + service_.name + ": shares " + made_anew_ + ", which is made anew";
    if (const auto judged = divergence(container)) {
      const auto recipe =
          make_recipe(situation_, service_, {.number = number, .replaced = &container, .others = with_made_up_ids(others_)});
      return recreate_cause(situation_, service_, container, *judged, recipe({}));
    }
    if (policy == Recreate::always) return is_target ? "asked for" : "asked for, of what others depend on";
    const auto cause = options.recreate_causes.find(service_.name);
    return cause == options.recreate_causes.end() ? std::string() : cause->second;
  }

  SlotWork decide_slot(Slot slot) const {
    SlotWork work{.slot = std::move(slot)};
    Slot& place = work.slot;
    if (!place.current) {
      work.fate = Fate::create;
      work.cause = missing_cause();
      return work;
    }
    work.cause = cause_of(*place.current, place.number);
    if (work.cause.empty()) {
      work.made = place.current;
      work.old = place.predecessor;
      work.fate = place.predecessor ? Fate::swap : Fate::keep;
      if (place.predecessor) work.cause = "an earlier run was cut off";
      if (place.replacement) place.debris.push_back(std::exchange(place.replacement, nullptr));
    } else {
      work.fate = Fate::swap;
      work.old = place.current;
      work.made = place.replacement;
      if (place.predecessor) place.surplus.push_back(std::exchange(place.predecessor, nullptr));
    }
    if (work.made) work.target.id = work.made->id;
    return work;
  }

  std::string missing_cause() const { return "services." + service_.name + ": no container"; }

  // As docker compose does it: those that differ go first, then the highest numbers; new ones get the next number.
  void fit_to_scale(std::vector<SlotWork>& slots) const {
    if (service_.scale > scale_max)
      throw Error(ErrorCode::refused,
                  "service " + service_.name + ": " + std::to_string(service_.scale) +
                      " containers are more than an engine can run");
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, service_.scale));
    const std::size_t there = slots.size();
    std::vector<SlotWork*> order;
    for (SlotWork& work : slots) order.push_back(&work);
    std::stable_sort(order.begin(), order.end(), [](const SlotWork* a, const SlotWork* b) { return is_better(*a, *b); });
    for (std::size_t i = wanted; i < there; ++i) remove(*order[i]);
    for (int number = there == 0 ? 1 : slots.back().slot.number + 1; slots.size() < wanted; ++number) {
      SlotWork& work = slots.emplace_back();
      work.fate = Fate::create;
      work.slot = {.number = number, .name = container_name(*situation_.project, service_, number)};
      work.cause = missing_cause();
    }
  }

  static bool is_better(const SlotWork& a, const SlotWork& b) {
    const bool a_stays = a.fate == Fate::keep || a.slot.predecessor != nullptr;
    const bool b_stays = b.fate == Fate::keep || b.slot.predecessor != nullptr;
    return std::pair(!a_stays, a.slot.number) < std::pair(!b_stays, b.slot.number);
  }

  // An empty slot (its containers were of no use) goes without a trace.
  void remove(SlotWork& work) const {
    Slot& slot = work.slot;
    if (slot.replacement) slot.debris.push_back(std::exchange(slot.replacement, nullptr));
    if (slot.predecessor) slot.surplus.push_back(std::exchange(slot.predecessor, nullptr));
    work.fate = Fate::remove;
    work.old = slot.current;
    work.made = nullptr;
    work.target = {};
    work.cause = "services." + service_.name + ".scale: " + std::to_string(service_.scale);
  }

  const Situation& situation_;
  const Service& service_;
  FinalContainers others_;
  std::string made_anew_;  // a service whose container it shares and whose ID is not known yet
  std::set<std::string> hashes_;
};

void add_finals(FinalContainers& finals, const ServiceWork& work) {
  std::vector<FinalContainer>& list = finals[work.service->name];
  for (const SlotWork& slot : work.slots) {
    if (slot.fate == Fate::remove) continue;
    const bool has_own_name = slot.fate == Fate::keep && slot.made && !is_temporary_name(slot.made->name, slot.slot.name);
    list.push_back({has_own_name ? slot.made->name : slot.slot.name, slot.target});
  }
  std::sort(list.begin(), list.end(), [](const FinalContainer& a, const FinalContainer& b) { return a.name < b.name; });
}

}  // namespace

bool ServiceWork::is_recreated() const {
  return std::any_of(slots.begin(), slots.end(), [](const SlotWork& slot) { return slot.fate == Fate::swap; });
}

Works decide(const Situation& situation) {
  Works works;
  for (const Service* service : situation.services) works.push_back(Decision(situation, works, *service).decide());
  return works;
}

FinalContainers final_containers(const Situation& situation, const Works& works, const std::set<std::string>& services) {
  FinalContainers finals;
  for (const ServiceWork& work : works)
    if (services.contains(work.service->name)) add_finals(finals, work);
  for (const std::string& name : services) {
    const auto left_out = situation.containers.find(name);
    if (finals.contains(name) || left_out == situation.containers.end()) continue;
    for (const ContainerDetails* container : left_out->second) finals[name].push_back({container->name, {.id = container->id}});
  }
  return finals;
}

}  // namespace drover::compose
