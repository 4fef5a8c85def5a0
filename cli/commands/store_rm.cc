#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/stored_tag.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

// As it is written in the layout, so that what another tool named is found too; else as a user writes a reference.
std::string find_name(const store::BlobStore& store, const std::string& text) {
  return store.find_tag(text) ? text : find_stored_tag(store, Reference::parse(text)).name;
}

ExitCode run_store_rm(Session& session) {
  if (session.flags().references.empty()) throw Error(ErrorCode::usage, "no image is named; drover ls lists them");
  store::BlobStore store = session.open_store(session.settings().dry_run ? store::BlobStore::Access::read : store::BlobStore::Access::write);
  std::vector<std::string> names;
  for (const std::string& text : session.flags().references) {  // all or none
    std::string name = find_name(store, text);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  Json removed = Json::array();
  std::string text;
  for (const std::string& name : names) {
    if (!session.settings().dry_run && !store.remove_tag(name)) continue;  // somebody was faster
    removed.push_back(name);
    text += session.settings().quiet ? name + "\n" : (session.settings().dry_run ? "would remove " : "removed ") + name + "\n";
  }
  if (!session.settings().quiet) text += "blobs that no tag needs any more: drover store gc\n";
  session.output().set_document({{"removed", std::move(removed)}, {"applied", !session.settings().dry_run}});
  session.output().write_text(text);
  return ExitCode::done;
}

}  // namespace

Command store_rm_command() {
  return {.path = "store rm",
          .group = "Caring commands",
          .summary = "take an image's tag out of the store",
          .details = "Its blobs stay until drover store gc: other images may need them. What the engine holds is not touched.",
          .example = "  drover store rm redis:7 && drover store gc --apply",
          .positionals = {{"REF", &Flags::references, "image references, as drover ls shows them"}},
          .options = {},
          .run = run_store_rm};
}

}  // namespace drover::cli
