// Which services of a project take part: by profile, and by name with what those depend on.
#pragma once

#include "compose/node.h"

#include <set>
#include <string>
#include <vector>

namespace drover::compose {

// Services without profiles, with one of `profiles`, or any when that has "*". Takes a normalised project.
std::set<std::string> enabled_services(const Node& project, const std::vector<std::string>& profiles);

// `names`, which enable their own profiles, and what they depend on; no names: all that `profiles` enable. Throws usage for a
// service that is not there. Dependencies on services that are left out are removed from the project when there are names.
std::set<std::string> select_services(Node& project, std::vector<std::string> profiles, const std::vector<std::string>& names);

// Of all services, sorted.
std::vector<std::string> all_profiles(const Node& project);

}  // namespace drover::compose
