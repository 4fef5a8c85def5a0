#include "cli/render.h"

#include "base/text.h"
#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace drover::cli {
namespace {

constexpr std::uint64_t wasted_share = 100;  // of what was fetched: less is not worth a word

Json platforms_json(const registry::PulledImage& image) {
  Json platforms = Json::array();
  if (image.resolved) {
    for (const registry::ResolvedImage& resolved : image.resolved->images) platforms.push_back(resolved.platform.to_string());
  }
  return platforms;
}

double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

void add_totals(Json& json, const registry::PullReport& report) {
  json["bytes"] = {{"total", report.bytes.total},
                   {"fetched", report.bytes.fetched},
                   {"reused", report.bytes.reused},
                   {"resumed", report.bytes.resumed},
                   {"wasted", report.bytes.wasted}};
  json["requests"] = report.requests;
  json["seconds"] = rounded(report.seconds);
}

std::string totals_text(const registry::PullReport& report) {
  std::string text = format_bytes(report.bytes.fetched) + " fetched, " + format_bytes(report.bytes.reused) + " were there";
  if (report.bytes.resumed > 0) text += ", " + format_bytes(report.bytes.resumed) + " resumed";
  if (report.bytes.wasted > report.bytes.fetched / wasted_share) text += ", " + format_bytes(report.bytes.wasted) + " in vain";
  return text + ", " + std::to_string(report.requests) + " requests, " + format_seconds(report.seconds) + "\n";
}

std::string short_digest(const std::optional<Digest>& digest) { return digest ? digest->short_hex() : "-"; }

Json digest_json(const std::optional<Digest>& digest) { return digest ? Json(digest->to_string()) : Json(nullptr); }

std::string_view state_name(stack::PrefetchedImage::State state) {
  switch (state) {
    case stack::PrefetchedImage::State::present: return "present";
    case stack::PrefetchedImage::State::loaded: return "loaded";
    case stack::PrefetchedImage::State::stored: return "stored";
    case stack::PrefetchedImage::State::failed: return "failed";
  }
  return "failed";
}

Json other_json(const stack::PrefetchedImage& image, const stack::StoredPlatform& other) {
  Json entry = {{"reference", image.wanted.reference.to_string()}, {"platform", other.platform.to_string()}, {"digest", other.digest.to_string()}};
  entry["imageId"] = nullptr;
  entry["state"] = state_name(stack::PrefetchedImage::State::stored);
  entry["layers"] = {{"total", other.layers_total}, {"sent", 0}};
  entry["bytesSent"] = 0;
  entry["services"] = image.wanted.services;
  return entry;
}

std::string layers_text(std::size_t total, std::size_t sent) { return std::to_string(sent) + "/" + std::to_string(total); }

std::string short_image_id(const std::string& id) {
  const auto digest = Digest::try_parse(id);
  return digest ? digest->short_hex() : (id.empty() ? "-" : id);
}

}  // namespace

Json pull_json(const registry::PullReport& report) {
  Json images = Json::array();
  for (const registry::PulledImage& image : report.images) {
    Json entry = {{"reference", image.reference.to_string()}};
    entry["digest"] = image.resolved ? Json(image.resolved->root.descriptor.digest.to_string()) : Json(nullptr);
    entry["platforms"] = platforms_json(image);
    if (image.error) entry["error"] = error_json(*image.error);
    images.push_back(std::move(entry));
  }
  Json json = {{"images", std::move(images)}};
  add_totals(json, report);
  return json;
}

std::string pull_text(const registry::PullReport& report) {
  Table table({"REFERENCE", "DIGEST", "PLATFORMS"});
  for (const registry::PulledImage& image : report.images) {
    if (!image.complete || !image.resolved) continue;
    std::vector<std::string> platforms;
    for (const registry::ResolvedImage& resolved : image.resolved->images) platforms.push_back(resolved.platform.to_string());
    table.add({image.reference.to_string(), image.resolved->root.descriptor.digest.short_hex(), join(platforms, ",")});
  }
  return (table.is_empty() ? std::string() : table.to_string()) + totals_text(report);
}

Json plan_json(const stack::Forecast& forecast) {
  const auto number_or_null = [](const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(nullptr); };
  const auto need_json = [](const stack::DiskNeed& need) {
    const Json free = need.space ? Json(need.space->free_bytes) : Json(nullptr);
    const bool is_estimate = need.bytes != need.bytes_min;
    return Json{{"bytes", need.bytes}, {"free", free}, {"estimated", is_estimate}, {"passing", need.bytes_passing}};
  };
  const registry::PullPlan& plan = forecast.pull;
  Json blobs = Json::array();
  for (const registry::PullPlan::Blob& blob : plan.blobs) {
    blobs.push_back({{"digest", blob.descriptor.digest.to_string()},
                     {"size", blob.descriptor.size},
                     {"mediaType", blob.descriptor.media_type},
                     {"repository", blob.repository.name()},
                     {"present", blob.is_present}});
  }
  Json json = {{"blobs", std::move(blobs)}};
  json["bytes"] = {{"total", plan.bytes_total}, {"missing", plan.bytes_missing}};
  json["requests"] = forecast.requests;
  json["disk"]["store"] = need_json(forecast.store);
  json["disk"]["engine"] = forecast.engine ? need_json(*forecast.engine) : Json(nullptr);
  const registry::RateLimit limit = forecast.hub_limit.value_or(registry::RateLimit{});
  json["dockerHub"] = {{"pulls", forecast.hub_pulls}, {"limit", number_or_null(limit.limit)}, {"remaining", number_or_null(limit.remaining)}};
  return json;
}

Json load_json(const std::vector<LoadedImage>& images, double seconds) {
  Json list = Json::array();
  for (const LoadedImage& image : images) {
    Json entry = {{"reference", image.reference.to_string()}, {"platform", image.platform.to_string()}, {"digest", digest_json(image.digest)}};
    entry["imageId"] = image.outcome ? Json(image.outcome->image_id) : Json(nullptr);
    if (image.outcome) {
      entry["state"] = image.outcome->state == engine::LoadOutcome::State::present ? "present" : "loaded";
      entry["layers"] = {{"total", image.outcome->layers_total}, {"sent", image.outcome->layers_sent}};
      entry["bytesSent"] = image.outcome->bytes_sent;
    } else {
      entry["state"] = "failed";
    }
    if (image.error) entry["error"] = error_json(*image.error);
    list.push_back(std::move(entry));
  }
  Json json = {{"images", std::move(list)}};
  json["seconds"] = rounded(seconds);
  return json;
}

std::string load_text(const std::vector<LoadedImage>& images) {
  Table table({"REFERENCE", "IMAGE ID", "STATE", "LAYERS SENT", "SENT"});
  for (const LoadedImage& image : images) {
    if (!image.outcome) continue;
    const engine::LoadOutcome& outcome = *image.outcome;
    table.add({image.reference.to_string(), short_image_id(outcome.image_id),
               outcome.state == engine::LoadOutcome::State::present ? "present" : "loaded",
               layers_text(outcome.layers_total, outcome.layers_sent), format_bytes(outcome.bytes_sent)});
  }
  return table.is_empty() ? std::string() : table.to_string();
}

Json prefetch_json(const stack::PrefetchReport& report) {
  Json images = Json::array();
  for (const stack::PrefetchedImage& image : report.images) {
    Json entry = {{"reference", image.wanted.reference.to_string()}, {"platform", image.platform.to_string()}, {"digest", digest_json(image.digest)}};
    entry["imageId"] = image.image_id.empty() ? Json(nullptr) : Json(image.image_id);
    entry["state"] = state_name(image.state);
    entry["layers"] = {{"total", image.layers_total}, {"sent", image.layers_sent}};
    entry["bytesSent"] = image.bytes_sent;
    entry["services"] = image.wanted.services;
    if (image.error) entry["error"] = error_json(*image.error);
    images.push_back(std::move(entry));
    for (const stack::StoredPlatform& other : image.others) images.push_back(other_json(image, other));
  }
  Json json = {{"images", std::move(images)}};
  add_totals(json, report.pulled);
  return json;
}

std::string prefetch_text(const stack::PrefetchReport& report) {
  Table table({"REFERENCE", "PLATFORM", "DIGEST", "STATE", "LAYERS SENT", "SENT"});
  for (const stack::PrefetchedImage& image : report.images) {
    table.add({image.wanted.reference.to_string(), image.platform.to_string(), short_digest(image.digest), std::string(state_name(image.state)),
               layers_text(image.layers_total, image.layers_sent), format_bytes(image.bytes_sent)});
    for (const stack::StoredPlatform& other : image.others) {
      table.add({image.wanted.reference.to_string(), other.platform.to_string(), short_digest(other.digest),
                 std::string(state_name(stack::PrefetchedImage::State::stored)), layers_text(other.layers_total, 0), format_bytes(0)});
    }
  }
  return (table.is_empty() ? std::string() : table.to_string()) + totals_text(report.pulled);
}

Json check_json(const std::vector<stack::CheckedImage>& images) {
  const auto text_or_null = [](const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); };
  Json list = Json::array();
  for (const stack::CheckedImage& image : images) {
    Json entry = {{"reference", image.wanted.reference.to_string()}, {"services", image.wanted.services}, {"platform", image.platform.to_string()}};
    entry["running"] = text_or_null(image.running);
    entry["local"] = text_or_null(image.local);
    entry["available"] = text_or_null(image.available);
    entry["state"] = to_string(image.state);
    if (image.error) entry["error"] = error_json(*image.error);
    list.push_back(std::move(entry));
  }
  return {{"images", std::move(list)}};
}

std::string check_text(const std::vector<stack::CheckedImage>& images) {
  const auto shortened = [](const std::optional<std::string>& text) { return text ? short_image_id(*text) : std::string("-"); };
  Table table({"REFERENCE", "SERVICES", "PLATFORM", "RUNNING", "LOCAL", "AVAILABLE", "STATE"});
  for (const stack::CheckedImage& image : images) {
    table.add({image.wanted.reference.familiar(), image.wanted.services.empty() ? "-" : join(image.wanted.services, ","),
               image.platform.to_string(), shortened(image.running), shortened(image.local), shortened(image.available),
               std::string(to_string(image.state))});
  }
  return table.to_string();
}

}  // namespace drover::cli
