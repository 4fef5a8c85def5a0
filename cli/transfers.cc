#include "cli/transfers.h"

#include "base/text.h"

#include <algorithm>

namespace drover::cli {
namespace {

constexpr std::chrono::seconds rate_window{5};
constexpr std::size_t label_bytes_max = 200;

}  // namespace

Transfers::Phase& Transfers::phase(std::string_view name) {
  for (Phase& known : phases_) {
    if (known.name == name) return known;
  }
  phases_.push_back({.name = std::string(name), .samples = {}});
  return phases_.back();
}

const Transfers::Phase* Transfers::find_phase(std::string_view name) const {
  const auto found = std::find_if(phases_.begin(), phases_.end(), [&](const Phase& p) { return p.name == name; });
  return found == phases_.end() ? nullptr : &*found;
}

std::optional<Transfer> Transfers::apply(const ProgressEvent& event, Time now) {
  using Kind = ProgressEvent::Kind;
  if (event.kind == Kind::message) return std::nullopt;
  Phase& phase = this->phase(event.phase);
  if (phase.samples.empty()) phase.samples.emplace_back(now, 0);
  if (event.id.empty()) {
    if (event.kind == Kind::started) phase.announced += event.total;
    return std::nullopt;
  }
  auto found = std::find_if(active_.begin(), active_.end(), [&](const Transfer& t) { return t.id == event.id && t.phase == event.phase; });
  if (found == active_.end()) {
    // A transfer that ends without having begun took no time worth showing: its blob was there.
    const bool is_whole = event.kind == Kind::finished;
    active_.push_back({.phase = std::string(event.phase), .id = std::string(event.id),
                       .label = printable(event.label.empty() ? event.id : event.label, label_bytes_max),
                       .done = event.done, .initial = is_whole ? event.total : event.done, .total = event.total, .begin = now});
    found = std::prev(active_.end());
    phase.done += event.done;
    phase.total += event.total;
  } else {
    const bool is_end = event.kind == Kind::finished || event.kind == Kind::failed;
    // An end that names no figures, or smaller ones, takes nothing back; a success is complete.
    const std::uint64_t total = is_end || event.total == 0 ? std::max(event.total, found->total) : event.total;
    const std::uint64_t done = event.kind == Kind::finished ? total : is_end ? std::max(event.done, found->done) : event.done;
    phase.done += done - found->done;  // also when it is less: a transfer that had to begin again
    phase.total += total - found->total;
    if (event.kind == Kind::started) {
      found->initial = done;
    } else if (done > found->done) {
      phase.moved += done - found->done;
    }
    found->done = done;
    found->total = total;
  }
  if (event.kind != Kind::finished && event.kind != Kind::failed) return std::nullopt;
  Transfer ended = std::move(*found);
  active_.erase(found);
  return ended;
}

void Transfers::tick(Time now) {
  for (Phase& phase : phases_) {
    phase.samples.emplace_back(now, phase.moved);
    while (phase.samples.size() > 2 && now - phase.samples[1].first >= rate_window) phase.samples.pop_front();
  }
}

std::vector<Transfer> Transfers::active() const { return active_; }

std::vector<std::string> Transfers::phases() const {
  std::vector<std::string> names;
  for (const Phase& phase : phases_) names.push_back(phase.name);
  return names;
}

PhaseTotal Transfers::total(const std::string& name) const {
  PhaseTotal total;
  const Phase* phase = find_phase(name);
  if (phase == nullptr) return total;
  total.done = phase->done;
  total.total = std::max(phase->announced, phase->total);
  total.active = static_cast<std::size_t>(std::count_if(active_.begin(), active_.end(), [&](const Transfer& t) { return t.phase == name; }));
  if (phase->samples.size() >= 2) {
    const auto& [begin, begin_bytes] = phase->samples.front();
    const auto& [end, end_bytes] = phase->samples.back();
    const double seconds = std::chrono::duration<double>(end - begin).count();
    if (seconds > 0) total.rate_bytes_per_second = static_cast<double>(end_bytes - begin_bytes) / seconds;
  }
  if (total.rate_bytes_per_second >= 1 && total.total > total.done) {
    total.seconds_left = static_cast<double>(total.total - total.done) / total.rate_bytes_per_second;
  }
  return total;
}

}  // namespace drover::cli
