// Whether a container is what the model says, as docker compose judges it: by labels, networks and named volumes. Pure.
//
// What neither of them sees this way (the true environment, aliases, contents of configs) is the business of drift.h.
#pragma once

#include "compose/shared_containers.h"
#include "compose/situation.h"

#include <set>
#include <string>

namespace drover::compose {

// The config hashes of a service in every epoch: with any of them a container is what the model says.
std::set<std::string> hashes_of(const Service& service, const SharedContainers& shared);

// Nothing when it is; else "hash", "image", ... in the order of what tells most.
enum class Divergence { none, dead, image, hash, network, address, volume };

struct Judged {
  Divergence divergence = Divergence::none;
  std::string what = {};  // the network or volume
};

Judged judge(const Situation& situation,
             const Service& service,
             const engine::ContainerDetails& container,
             const std::set<std::string>& hashes);

// Why it is replaced, for people: "services.web.image: v1 -> v2", "image web:1 is now sha256:…", "services.web.environment.A",
// ... `body` is what would be made. What the hash was taken over is written nowhere: what can be compared is.
std::string recreate_cause(const Situation& situation,
                           const Service& service,
                           const engine::ContainerDetails& container,
                           const Judged& judged,
                           const CreateBody& body);

}  // namespace drover::compose
