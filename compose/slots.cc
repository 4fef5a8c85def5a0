#include "compose/slots.h"

#include "compose/create_body.h"
#include "compose/labels.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace drover::compose {
namespace {

using engine::ContainerDetails;
using Containers = std::vector<const ContainerDetails*>;

constexpr std::size_t short_id_length = 12;
constexpr std::string_view kept_mark = "-old-";

bool is_short_id(std::string_view text) {
  return text.size() == short_id_length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool was_started(const ContainerDetails& container) {
  return container.state.started.has_value() || container.state.is_running;
}

// Takes the first one that fits out of the list.
template <typename Fits> const ContainerDetails* take(Containers& containers, const Fits& fits) {
  const auto found =
      std::find_if(containers.begin(), containers.end(), [&](const ContainerDetails* each) { return fits(*each); });
  if (found == containers.end()) return nullptr;
  const ContainerDetails* container = *found;
  containers.erase(found);
  return container;
}

// Sorts the containers of one slot into their roles.
class Sorting {
 public:
  Sorting(Slot& slot, const Matches& matches) : slot_(slot), matches_(matches) {}

  void sort(const Containers& containers) {
    for (const ContainerDetails* each : containers) (is_kept_name(each->name, slot_.name) ? kept_ : others_).push_back(each);
    const auto by_age = [](const ContainerDetails* a, const ContainerDetails* b) { return a->created > b->created; };
    std::stable_sort(kept_.begin(), kept_.end(), by_age);
    std::stable_sort(others_.begin(), others_.end(), [&](auto* a, auto* b) { return rank(*a) < rank(*b); });
    slot_.current = take(others_, [](const ContainerDetails&) { return true; });
    if (slot_.current) find_predecessor();
    if (slot_.current && !slot_.predecessor) take_up_running_replacement();
    if (slot_.current && !slot_.predecessor) find_replacement();
    if (!slot_.current && !kept_.empty()) use_kept();
    clear_rest();
  }

 private:
  bool has_replacement_name(const ContainerDetails& container) const { return is_replacement_name(container.name, slot_.name); }

  // What runs before what does not; then the right name; then what has run before what never did.
  std::tuple<bool, bool, bool, bool> rank(const ContainerDetails& container) const {
    return {!container.state.is_running, container.name != slot_.name, has_replacement_name(container), !was_started(container)};
  }

  // The run that made `current` in another's place was cut off before its end.
  void find_predecessor() {
    const ContainerDetails& current = *slot_.current;
    const bool is_proven_dud = !current.state.is_running && (has_replacement_name(current) || !was_started(current));
    if (!kept_.empty()) {
      if (is_proven_dud && !matches_(current)) {
        slot_.debris.push_back(&current);
        slot_.current = nullptr;
        return;
      }
      slot_.predecessor = take(kept_, [](const ContainerDetails&) { return true; });
      return;
    }
    if (!current.state.is_running || !has_replacement_name(current)) return;
    slot_.predecessor =
        take(others_, [&](const ContainerDetails& each) { return each.name == slot_.name && each.created <= current.created; });
  }

  // One started beside the other, with the other still to be stopped.
  void take_up_running_replacement() {
    const auto is_taken_up = [&](const ContainerDetails& each) {
      return each.state.is_running && has_replacement_name(each) && matches_(each);
    };
    if (!slot_.current->state.is_running) return;
    if (const ContainerDetails* newer = take(others_, is_taken_up)) {
      slot_.predecessor = slot_.current;
      slot_.current = newer;
    }
  }

  void find_replacement() {
    if (matches_(*slot_.current)) return;
    slot_.replacement = take(others_, [&](const ContainerDetails& each) {
      return !each.state.is_running && !each.state.is_dead && has_replacement_name(each) && matches_(each);
    });
  }

  // What was made in its place is gone, or of no use.
  void use_kept() {
    slot_.current = take(kept_, [](const ContainerDetails&) { return true; });
    find_replacement();
  }

  void clear_rest() {
    for (const ContainerDetails* each : others_) {
      const bool is_debris = !each->state.is_running && (has_replacement_name(*each) || !was_started(*each));
      (is_debris ? slot_.debris : slot_.surplus).push_back(each);
    }
    slot_.surplus.insert(slot_.surplus.end(), kept_.begin(), kept_.end());
  }

  Slot& slot_;
  const Matches& matches_;
  Containers kept_;
  Containers others_;
};

}  // namespace

std::string replacement_name(std::string_view expected, const ContainerDetails& old) {
  return short_id(old.id) + "_" + std::string(expected);
}

std::string kept_name(std::string_view expected, const ContainerDetails& old) {
  return std::string(expected) + std::string(kept_mark) + short_id(old.id);
}

// docker compose puts one ID before the other when it fails more than once.
bool is_replacement_name(std::string_view name, std::string_view expected) {
  bool has_id = false;
  while (name != expected) {
    if (name.size() <= short_id_length || name[short_id_length] != '_' || !is_short_id(name.substr(0, short_id_length)))
      return false;
    name.remove_prefix(short_id_length + 1);
    has_id = true;
  }
  return has_id;
}

bool is_kept_name(std::string_view name, std::string_view expected) {
  if (!name.starts_with(expected) || name.size() != expected.size() + kept_mark.size() + short_id_length) return false;
  return name.substr(expected.size(), kept_mark.size()) == kept_mark &&
         is_short_id(name.substr(expected.size() + kept_mark.size()));
}

std::vector<Slot>
find_slots(const Project& project, const Service& service, const Containers& containers, const Matches& matches) {
  std::map<int, Containers> by_number;
  for (const ContainerDetails* container : containers) by_number[container_number(*container)].push_back(container);
  std::vector<Slot> slots;
  for (const auto& [number, members] : by_number) {
    Slot& slot = slots.emplace_back();
    slot.number = number;
    slot.name = container_name(project, service, number);
    Sorting(slot, matches).sort(members);
  }
  return slots;
}

}  // namespace drover::compose
