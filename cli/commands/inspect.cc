#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/stored_tag.h"

#include <nlohmann/json.hpp>

#include <vector>

namespace drover::cli {
namespace {

ExitCode run_inspect(Session& session) {
  const std::vector<Reference> references = session.some_references("e.g. drover inspect redis:7; drover ls lists them");
  const store::BlobStore store = session.open_store(store::BlobStore::Access::read);
  // By the flag alone: DOCKER_DEFAULT_PLATFORM is about what to fetch.
  const bool is_chosen = !session.flags().platforms.empty() && session.settings().platforms;
  const std::vector<Platform> wanted = is_chosen ? session.settings().platforms->wanted : std::vector<Platform>{};
  Json documents = Json::array();
  for (const Reference& reference : references) {
    const StoredImage image = read_stored_image(store, find_stored_tag(store, reference), wanted);
    documents.push_back(inspect_json(image));
    session.output().write_text(session.settings().quiet ? image.tag.descriptor.digest.to_string() + "\n" : inspect_text(image));
  }
  session.output().set_document(references.size() == 1 ? documents[0] : documents);
  return ExitCode::done;
}

}  // namespace

Command inspect_command() {
  return {.path = "inspect",
          .group = "Reading commands",
          .summary = "show an image of the store: platforms, layers, sizes",
          .details = "With --platform only those. With --json one reference gives one object, several give an array.",
          .example = "  drover inspect redis:7",
          .positionals = {{"REF", &Flags::references, "image references"}},
          .options = {},
          .run = run_inspect};
}

}  // namespace drover::cli
