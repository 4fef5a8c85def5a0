// A project and an engine for tests of plans: files as text, "as up would have made it" by applying the plan.
#pragma once

#include "base/error.h"
#include "compose/reconcile.h"
#include "tests/compose/engine_model.h"

#include <map>
#include <string>

namespace drover::compose {

Project load_shop(const std::string& text);  // project "shop" in /srv/shop

struct Shop {
  EngineModel engine;

  // Images app:1, app:2, db:1, ... as the services of the text name them, those that are not there yet.
  void add_images(const Project& project);
  // What `up` would do.
  Plan plan(const std::string& text, const UpOptions& options = {});
  // Does it; the plan that was done.
  Plan up(const std::string& text, const UpOptions& options = {});
  // The same as a transcript, with beginnings of IDs as <IMAGE> of what has the ID.
  std::string text(const std::string& text, const UpOptions& options = {});
  // The message, with the code in front: "refused: ..."; "none".
  std::string refusal(const std::string& text, const UpOptions& options = {});
  // The beginning of its ID, as temporary names have it.
  std::string short_id_of(const std::string& name);
};

std::string replace_every(std::string text, const std::string& from, const std::string& to);

}  // namespace drover::compose
