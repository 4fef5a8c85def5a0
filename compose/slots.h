// Which of a service's containers is what: those that run, those that were made to replace one, those that are kept as the way
// back, and what is left over from docker compose or a run that was cut off. Pure.
//
// A slot is (service, container number). Its containers are told apart by name: E is the name that the slot's container has in
// the end,
// "<12 hex>_E" that of one made to replace another (docker compose's as well), "E-old-<12 hex>" that of a replaced one.
#pragma once

#include "compose/project.h"
#include "engine/container_details.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

struct Slot {
  int number = 1;
  std::string name;                                   // E
  const engine::ContainerDetails* current = nullptr;  // nothing: to be made
  // An earlier run made `current` in its place and did not get to the end: the way back, until `current` has passed its gate.
  const engine::ContainerDetails* predecessor = nullptr;
  const engine::ContainerDetails* replacement = nullptr;      // made for `current`'s place, as the model wants it; does not run
  std::vector<const engine::ContainerDetails*> surplus = {};  // may run, or have run in this place
  std::vector<const engine::ContainerDetails*> debris = {};   // made to replace another, of no use: do not run
};

// "<first 12 hex of the old one>_E", "E-old-<first 12 hex>".
std::string replacement_name(std::string_view expected, const engine::ContainerDetails& old);
std::string kept_name(std::string_view expected, const engine::ContainerDetails& old);
bool is_replacement_name(std::string_view name, std::string_view expected);
bool is_kept_name(std::string_view name, std::string_view expected);

// Either of them: not to stay.
inline bool is_temporary_name(std::string_view name, std::string_view expected) {
  return is_replacement_name(name, expected) || is_kept_name(name, expected);
}

using Matches = std::function<bool(const engine::ContainerDetails&)>;  // whether a container is what the model says

// By number. `containers` are those of the service, one-offs left out; they outlive the result.
std::vector<Slot> find_slots(const Project& project,
                             const Service& service,
                             const std::vector<const engine::ContainerDetails*>& containers,
                             const Matches& matches);

}  // namespace drover::compose
