// Images that a benchmark brings into an engine for a moment: only those that the engine knows nothing of, and all of them go
// again, so that it has afterwards what it had before.
//
// A round that brings images into an engine goes to its end (Context::without_stop): what an engine has whole it takes in, though nobody
// waits any more, and it would have it after everybody has looked. A wish to stop is heeded before the next round.
#pragma once

#include "base/context.h"
#include "cli/bench_rounds.h"
#include "cli/session.h"
#include "digest/digest.h"
#include "engine/client.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "engine/load.h"
#include "manifest/reference.h"

#include <set>
#include <string>
#include <vector>

namespace drover::cli {

struct GuestImage {
  Reference reference;
  std::set<Digest> ids = {};    // whatever an engine may have it as: config, manifest and root
  std::set<Digest> parts = {};  // nameless images of its lower layers, which a load that is cut may leave
};

// An image that the store has, as a load brings it.
GuestImage guest_of(const engine::LoadImage& image);

struct EngineContent {
  std::vector<engine::ImageSummary> images;          // dangling ones and steps in between among them
  std::vector<engine::ContainerSummary> containers;  // in any state
};

// Why a benchmark must keep its hands off, a sentence each: the engine has the image or its name, a container stands on it, two
// guests are one image. Empty: it may begin. Pure.
std::vector<std::string> find_conflicts(const std::vector<GuestImage>& guests, const EngineContent& content);

// Throws data_safety for conflicts, refused when the engine cannot be asked.
void require_absent(Session& session, const std::vector<GuestImage>& guests);

// Removes what has come of them, by ID and never by force: a name that means something else by now stays, and so does an image
// that a container or a second name has taken up meanwhile, which is an error. After a round that was cut the engine may still be
// at work: it gets three seconds. Not to be stopped. Throws data_safety when the engine has another image under a guest's name
// now, and what the engine reports.
void remove_guests(const Context& ctx, engine::Client& client, const std::vector<GuestImage>& guests, RoundEnd end);

// How `docker` is told of the engine that drover uses: "-H", "unix:///…"; empty: by the environment that both read.
std::vector<std::string> docker_words(const Settings& settings);

}  // namespace drover::cli
