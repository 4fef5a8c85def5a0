// What this host's compose projects own, remembered after the engine has forgotten: `docker compose down` removes the containers, and what
// they owned looks like rubbish to anyone who asks the engine alone. A value and the pure functions that feed it; state_folder.h keeps it.
#pragma once

#include "engine/snapshot.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::stack {

using engine::TimePoint;

struct Ledger {
  struct Volume {
    std::set<std::string> services;                      // that mounted it; empty where only the project is known
    TimePoint last_seen = {};
    friend bool operator==(const Volume&, const Volume&) = default;
  };
  struct Project {
    TimePoint last_seen = {};                            // in an engine; the epoch: only a compose file told of it
    std::map<std::string, Volume> volumes = {};          // by name, anonymous ones as well
    std::map<std::string, std::string> images = {};      // by service: the familiar reference that its containers were last seen with
    std::set<std::string> declared = {};                 // familiar references that its compose file named when it was last read
    std::set<std::string> engines = {};                  // where it was seen (Snapshot::engine), but for those of which it was forgotten
    friend bool operator==(const Project&, const Project&) = default;
  };
  struct Image {
    TimePoint first_seen = {};
    std::optional<TimePoint> last_used = {};             // by a container
    std::set<std::string> repositories = {};             // every one that ever named it: a retag takes the name away
    friend bool operator==(const Image&, const Image&) = default;
  };
  struct Prefetched {
    std::string image_id;
    std::string reference;                               // familiar
    std::string project;                                 // may be empty
    TimePoint time = {};
    friend bool operator==(const Prefetched&, const Prefetched&) = default;
  };

  std::map<std::string, Project> projects = {};
  std::map<std::string, TimePoint> volumes_used = {};                // when each volume was last seen in use, owned or not; see volume_memory
  std::map<std::string, std::map<std::string, Image>> images = {};   // by engine, then ID; those that the engine still has
  std::vector<Prefetched> prefetched = {};                           // for updates that are not applied yet
  // By project, then engine (every_engine: all of them): when it was forgotten. That engine's older memories of it do not count.
  std::map<std::string, std::map<std::string, TimePoint>> forgotten = {};
  std::map<std::string, TimePoint> pins = {};                        // what `drover pin` was given: a familiar reference or an image ID

  friend bool operator==(const Ledger&, const Ledger&) = default;
};

// How long the ledger knows when a volume was used that is not on the engine at hand. Should it be there again, its grace begins anew: more
// is kept, never less.
inline constexpr std::chrono::hours volume_memory{24 * 30};

inline constexpr const char* every_engine = "";

// "mail" of what compose or a swarm stack labelled; empty for everything else.
std::string project_of(const std::map<std::string, std::string>& labels);
std::string service_of(const std::map<std::string, std::string>& labels);

// What a compose file says, so that a project owns its volumes and images before its first container does.
struct ProjectWords {
  std::string name;
  std::vector<std::string> volumes = {};  // names in the engine, external ones as well
  std::vector<std::string> images = {};   // familiar references
};

// The ledger after this look. Ownership is only ever added. An image that the engine no longer has is forgotten; a prefetched one is
// applied, and its record goes, once a container uses it.
Ledger observe(Ledger ledger, const engine::Snapshot& snapshot, TimePoint now);
Ledger observe(Ledger ledger, const ProjectWords& project, TimePoint now);
// The project is gone from that engine, or from every_engine; it goes out of the ledger with the last engine that it was seen on.
Ledger forget(Ledger ledger, const std::string& project, const std::string& engine, TimePoint now);
// Replaces an earlier record of the same reference and project.
Ledger note_prefetched(Ledger ledger, const Ledger::Prefetched& record);

// Who owns the volume, present or past, one a project.
struct Owner {
  std::string project;
  std::set<std::string> services = {};
  TimePoint last_seen = {};
};
std::vector<Owner> owners_of(const Ledger& ledger, std::string_view volume);

// "redis" of "redis:7", "redis@sha256:…", "redis:7@sha256:…"; keeps a port: "localhost:5000/redis".
std::string repository_of(std::string_view reference);

}  // namespace drover::stack
