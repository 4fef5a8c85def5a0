#include "cli/render.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace drover::cli {
namespace {

Json faults_json(const std::vector<store::BlobFault>& faults) {
  Json list = Json::array();
  for (const store::BlobFault& fault : faults) {
    Json entry = {{"digest", fault.digest.to_string()}};
    entry["size"] = fault.descriptor ? Json(fault.descriptor->size) : Json(nullptr);
    entry["reason"] = fault.why;
    entry["references"] = fault.needed_by;
    list.push_back(std::move(entry));
  }
  return list;
}

std::vector<std::string> faulty_digests(const store::VerifyReport& report) {
  std::set<std::string> digests;
  for (const auto* faults : {&report.damaged, &report.missing}) {
    for (const store::BlobFault& fault : *faults) digests.insert(fault.digest.to_string());
  }
  return {digests.begin(), digests.end()};
}

std::vector<std::string> repaired_digests(const store::VerifyReport& found, const store::VerifyReport& left, const std::vector<Digest>& removed) {
  const std::vector<std::string> before = faulty_digests(found);
  const std::vector<std::string> after = faulty_digests(left);
  std::vector<std::string> repaired;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(repaired));
  std::erase_if(repaired, [&](const std::string& digest) {
    return std::any_of(removed.begin(), removed.end(), [&](const Digest& gone) { return gone.to_string() == digest; });
  });
  return repaired;
}

Json items_json(const std::vector<store::GcItem>& items, bool with_bytes) {
  Json list = Json::array();
  for (const store::GcItem& item : items) {
    Json entry = {{"kind", to_string(item.kind)}, {"id", item.id}, {"names", item.names}};
    if (with_bytes) entry["bytes"] = item.bytes;
    entry["reason"] = item.reason;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

Json verify_json(const store::VerifyReport& found, const store::VerifyReport& left, const std::vector<Digest>& removed) {
  Json json = {{"blobs", found.checked}, {"bytes", found.bytes}};
  json["damaged"] = faults_json(found.damaged);
  json["missing"] = faults_json(found.missing);
  json["leftOut"] = faults_json(found.left_out);
  Json unusable = Json::array();
  for (const store::TagFault& fault : left.unusable) unusable.push_back({{"reference", fault.name}, {"reason", fault.why}});
  json["unusable"] = std::move(unusable);
  json["repaired"] = repaired_digests(found, left, removed);
  Json gone = Json::array();
  for (const Digest& digest : removed) gone.push_back(digest.to_string());
  json["removed"] = std::move(gone);
  json["sound"] = left.is_sound();
  json["seconds"] = std::round(found.seconds * 1000) / 1000;
  return json;
}

std::string faults_text(const store::VerifyReport& report) {
  std::string text;
  for (const std::string& digest : faulty_digests(report)) text += digest + "\n";
  return text;
}

std::string repaired_text(const store::VerifyReport& found, const store::VerifyReport& left, const std::vector<Digest>& removed) {
  std::string text;
  for (const std::string& digest : repaired_digests(found, left, removed)) text += "repaired " + digest + "\n";
  for (const Digest& digest : removed) text += "removed " + digest.to_string() + ", which no image needs\n";
  return text;
}

Json gc_json(const store::GcPlan& plan, const std::optional<store::GcReport>& report) {
  Json json = {{"keep", items_json(plan.keep, false)}};
  json["remove"] = items_json(plan.remove, true);
  json["refused"] = report ? items_json(report->kept, true) : Json::array();
  json["bytes"] = plan.bytes;
  json["applied"] = report.has_value();
  if (report) json["removed"] = {{"count", report->removed}, {"bytes", report->bytes}};
  return json;
}

std::string gc_report_text(const store::GcReport& report) {
  std::string text = "removed " + std::to_string(report.removed) + " files, " + format_bytes(report.bytes) + "\n";
  for (const store::GcItem& item : report.kept) text += "kept " + printable(item.id) + ": " + printable(item.reason) + "\n";
  return text;
}

}  // namespace drover::cli
