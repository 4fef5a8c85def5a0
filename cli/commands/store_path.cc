#include "cli/command.h"
#include "cli/session.h"

#include <nlohmann/json.hpp>

namespace drover::cli {
namespace {

ExitCode run_store_path(Session& session) {
  const std::string path = session.settings().store.string();
  if (path.empty()) throw Error(ErrorCode::usage, "no folder for the store: neither --store nor DROVER_STORE nor HOME is set");
  session.output().set_document({{"path", path}});
  session.output().write_text(path + "\n");
  return ExitCode::done;
}

}  // namespace

Command store_path_command() {
  return {.path = "store path",
          .group = "Caring commands",
          .summary = "print the store's folder",
          .details = "An OCI image layout: other tools read it as oci:FOLDER:NAME.",
          .example = "  skopeo copy oci:$(drover store path):docker.io/library/redis:7 dir:/tmp/redis",
          .positionals = {},
          .options = {},
          .run = run_store_path};
}

}  // namespace drover::cli
