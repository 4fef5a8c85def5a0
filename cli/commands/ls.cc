#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"

#include <nlohmann/json.hpp>

#include <vector>

namespace drover::cli {
namespace {

ExitCode run_ls(Session& session) {
  std::vector<StoredImage> images;
  if (const auto store = session.try_open_store()) {
    for (const store::Tag& tag : store->tags()) images.push_back(read_stored_image(*store, tag));
  }
  session.output().set_document(ls_json(images));
  if (session.settings().quiet) {
    for (const StoredImage& image : images) session.output().write_text(image.tag.descriptor.digest.to_string() + "\n");
  } else {
    session.output().write_text(ls_text(images));
  }
  return ExitCode::done;
}

}  // namespace

Command ls_command() {
  return {.path = "ls",
          .group = "Reading commands",
          .summary = "list the images in the store",
          .details = "",
          .example = "  drover ls --json | jq -r '.images[].reference'",
          .positionals = {},
          .options = {},
          .run = run_ls};
}

}  // namespace drover::cli
