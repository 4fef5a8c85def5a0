// Reports as JSON documents and as short texts. Pure; the members' names are a contract with scripts.
#pragma once

#include "base/error.h"
#include "cli/stored_image.h"
#include "engine/load.h"
#include "registry/pull.h"
#include "registry/resolve.h"
#include "stack/check.h"
#include "stack/forecast.h"
#include "stack/prefetch.h"
#include "stack/prune.h"
#include "store/blob_store.h"
#include "store/gc.h"
#include "store/verify.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

using Json = nlohmann::ordered_json;

// {"code","message"} and, where known, "httpStatus" and "retryAt".
Json error_json(const Error& error);

struct ResolvedView {
  std::string reference;
  Descriptor root;
  std::vector<ImageView> images;
  std::optional<std::size_t> selected;  // index into images
  std::vector<std::string> explanation;
};

ResolvedView view_of(const registry::ResolvedReference& resolved, const Platform& wanted);
Json resolve_json(const ResolvedView& view);
std::string resolve_text(const ResolvedView& view);

Json pull_json(const registry::PullReport& report);
std::string pull_text(const registry::PullReport& report);
Json plan_json(const stack::Forecast& forecast);

struct LoadedImage {
  Reference reference;
  Platform platform;
  std::optional<Digest> digest;
  std::optional<engine::LoadOutcome> outcome;
  std::optional<Error> error;
};
Json load_json(const std::vector<LoadedImage>& images, double seconds);
std::string load_text(const std::vector<LoadedImage>& images);

Json prefetch_json(const stack::PrefetchReport& report);
std::string prefetch_text(const stack::PrefetchReport& report);

Json check_json(const std::vector<stack::CheckedImage>& images);
std::string check_text(const std::vector<stack::CheckedImage>& images);

Json ls_json(const std::vector<StoredImage>& images);
std::string ls_text(const std::vector<StoredImage>& images);
Json inspect_json(const StoredImage& image);
std::string inspect_text(const StoredImage& image);

// `found` before, `left` after a repair; the same when there was none. `removed` was damaged and not needed.
Json verify_json(const store::VerifyReport& found, const store::VerifyReport& left, const std::vector<Digest>& removed);
std::string faults_text(const store::VerifyReport& report);  // digests, a line each
std::string repaired_text(const store::VerifyReport& found, const store::VerifyReport& left, const std::vector<Digest>& removed);

// `report` when the plan was applied.
Json gc_json(const store::GcPlan& plan, const std::optional<store::GcReport>& report);
std::string gc_report_text(const store::GcReport& report);

// `report` when the plan was applied.
Json prune_json(const stack::PrunePlan& plan, const std::optional<stack::PruneReport>& report);
std::string prune_report_text(const stack::PruneReport& report);
// The plan in a document that prune_json made. Throws usage for anything else.
stack::PrunePlan parse_prune_plan(std::string_view text);

}  // namespace drover::cli
