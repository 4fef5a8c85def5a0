#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"

#include "base/text.h"
#include "registry/resolve.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace drover::cli {
namespace {

std::vector<std::string> explain(Session& session, const registry::ResolvedReference& resolved, const Platform& wanted) {
  std::vector<std::string> lines = {"platform: " + wanted.to_string() + (session.settings().platforms ? " (asked for)" : " (this machine's)")};
  if (const auto* index = std::get_if<Index>(&resolved.root.document)) {
    const Selection selection = select_manifest(*index, wanted);
    lines.insert(lines.end(), selection.reasons.begin(), selection.reasons.end());
  } else {
    lines.push_back("the reference names one manifest, there is no index to choose from");
  }
  const std::vector<std::string> access = session.registry().explain(resolved.reference);
  lines.insert(lines.end(), access.begin(), access.end());
  return lines;
}

Platform wanted_platform(const Settings& settings) {
  if (!settings.platforms || settings.platforms->wanted.empty()) return Platform::host();
  return settings.platforms->wanted.front();
}

Error missing_platform(const ResolvedView& view, const Platform& wanted) {
  std::vector<std::string> names;
  for (const ImageView& image : view.images) names.push_back(image.platform);
  return Error(ErrorCode::platform_missing,
               "no manifest of " + view.reference + " for " + wanted.to_string() + " (has " + join(names, ", ") + "); try another --platform");
}

ExitCode run_resolve(Session& session) {
  const std::vector<Reference> references = session.some_references("e.g. drover resolve redis:7");
  const Platform wanted = wanted_platform(session.settings());
  const bool must_match = session.settings().platforms && !session.settings().platforms->all;
  Json documents = Json::array();
  std::vector<Error> failures;
  for (const Reference& reference : references) {
    try {
      const registry::ResolvedReference resolved = registry::resolve(session.ctx(), session.registry(), reference, {.all = true, .wanted = {}});
      ResolvedView view = view_of(resolved, wanted);
      if (session.flags().explain) view.explanation = explain(session, resolved, wanted);
      documents.push_back(resolve_json(view));
      session.output().write_text(session.settings().quiet ? view.root.digest.to_string() + "\n" : resolve_text(view));
      if (must_match && !view.selected) failures.push_back(missing_platform(view, wanted));
    } catch (Error& error) {
      if (error.code() == ErrorCode::interrupted) throw;
      error.add_frame("cannot resolve " + reference.familiar());
      failures.push_back(error);
      documents.push_back({{"reference", reference.to_string()}, {"error", error_json(error)}});
    }
  }
  if (references.size() == 1 && !failures.empty() && documents[0].contains("error")) {
    documents[0].erase("reference");  // one reference, one failure: the shape that every failing command has
  }
  session.output().set_document(references.size() == 1 ? documents[0] : documents);
  return session.finish(failures);
}

}  // namespace

Command resolve_command() {
  return {.path = "resolve",
          .group = "Reading commands",
          .summary = "show what a reference means: digests, platforms, layers",
          .details = "Asks the registry, fetches no layer. With --platform: which image of a multi-arch reference that takes.\n"
                     "With --json one reference gives one object, several give an array.",
          .example = "  drover resolve redis:7 --platform linux/arm64 --explain",
          .positionals = {{"REF", &Flags::references, "image references"}},
          .options = {{"--explain", &Flags::explain, "why this platform, and how the registry is reached"}},
          .run = run_resolve};
}

}  // namespace drover::cli
