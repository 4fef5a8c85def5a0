#include "cli/progress.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::cli {
namespace {

constexpr std::size_t bar_columns = 20;
constexpr std::size_t task_text_bytes_max = 2000;  // as of an error's line

// Columns of UTF-8 text, one a code point: labels hold nothing wider.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string fit(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (begins && used == columns) break;
    if (begins) ++used;
    out += c;
  }
  return out;
}

std::string pad(std::string text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

std::string draw_bar(std::uint64_t done, std::uint64_t total) {
  const double part = total == 0 ? 0.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar_columns));
  return "[" + std::string(filled, '=') + std::string(bar_columns - filled, ' ') + "]";
}

std::string draw_transfer(const Transfer& transfer, std::size_t columns) {
  const std::string counts = format_bytes(transfer.done) + "/" + format_bytes(transfer.total);
  constexpr std::size_t counts_columns = 19;  // "999.9 MB/999.9 MB" and a little air
  const std::string tail = " " + draw_bar(transfer.done, transfer.total) + " " + pad(counts, counts_columns);
  const std::size_t tail_columns = columns_of(tail);
  if (columns < tail_columns + 12) return fit(transfer.label + " " + counts, columns);  // a narrow window has no room for bars
  return pad(fit(transfer.label, columns - tail_columns), columns - tail_columns) + tail;
}

std::string rate_text(const PhaseTotal& total) {
  std::string text = format_bytes(static_cast<std::uint64_t>(total.rate_bytes_per_second)) + "/s";
  if (total.seconds_left) text += ", " + format_seconds(*total.seconds_left) + " left";
  return text;
}

std::string state_text(const Task& task, Tasks::Time now) {
  const std::string text = printable(task.text, task_text_bytes_max);
  if (task.state == Task::State::failed) return "failed: " + text;
  if (task.state != Task::State::under_way) return text;
  return text + ", " + format_seconds(std::chrono::duration<double>(now - task.since).count());
}

std::string_view past(const std::string& phase) {
  if (phase == "fetch") return "fetched";
  if (phase == "load") return "loaded";
  if (phase == "verify") return "verified";
  return {};
}

std::string_view kind_name(ProgressEvent::Kind kind) {
  switch (kind) {
    case ProgressEvent::Kind::started: return "started";
    case ProgressEvent::Kind::advanced: return "advanced";
    case ProgressEvent::Kind::finished: return "finished";
    case ProgressEvent::Kind::failed: return "failed";
    case ProgressEvent::Kind::message: return "message";
  }
  return "message";
}

}  // namespace

std::vector<std::string> draw_frame(const Transfers& transfers, Window window) {
  const std::size_t columns = std::max<std::size_t>(window.columns, 20) - 1;  // a full last column makes some terminals wrap
  std::vector<std::string> totals;
  for (const std::string& phase : transfers.phases()) {
    const PhaseTotal total = transfers.total(phase);
    if (total.active > 0) totals.push_back(fit(plain_total_line(phase, total), columns));
  }
  const std::size_t rows = std::max<std::size_t>(window.rows, totals.size() + 3) - totals.size() - 2;
  std::vector<std::string> lines;
  const std::vector<Transfer> active = transfers.active();
  for (const Transfer& transfer : active) {
    if (lines.size() == rows) break;
    lines.push_back(draw_transfer(transfer, columns));
  }
  lines.insert(lines.end(), totals.begin(), totals.end());
  return lines;
}

std::vector<std::string> draw_tasks(const Tasks& tasks, Tasks::Time now, Window window) {
  const std::size_t columns = std::max<std::size_t>(window.columns, 20) - 1;
  const std::size_t rows = std::max<std::size_t>(window.rows, 4) - 2;  // the count, and a free line
  const std::vector<Task>& list = tasks.list();
  std::vector<std::string> lines;
  if (list.empty()) return lines;
  std::size_t widest = 0;
  std::size_t done = 0;
  for (const Task& task : list) {
    widest = std::max(widest, columns_of(task.name));
    if (task.state == Task::State::done) ++done;
  }
  for (const Task& task : list) {
    const bool is_busy = task.state == Task::State::under_way || task.state == Task::State::failed;
    if (lines.size() == rows || (list.size() > rows && !is_busy)) continue;
    lines.push_back(fit(pad(printable(task.name), std::min(widest, columns / 2)) + "  " + state_text(task, now), columns));
  }
  lines.push_back(fit(std::to_string(done) + " of " + std::to_string(list.size()) + " done", columns));
  return lines;
}

std::string plain_task_line(const Task& task, Tasks::Time now) { return printable(task.name) + ": " + state_text(task, now); }

std::string plain_end_line(const Transfer& transfer, double seconds) {
  const std::string_view verb = past(transfer.phase);
  std::string line = (verb.empty() ? transfer.phase + " done:" : std::string(verb)) + " " + transfer.label;
  if (transfer.total == 0) return line;
  line += " (" + format_bytes(transfer.total);
  if (transfer.initial >= transfer.total) return line + ", was there)";
  if (transfer.initial > 0) line += ", " + format_bytes(transfer.initial) + " were there";
  return line + " in " + format_seconds(seconds) + ")";
}

std::string plain_total_line(const std::string& phase, const PhaseTotal& total) {
  return phase + ": " + format_bytes(total.done) + " of " + format_bytes(total.total) + ", " + rate_text(total) + ", " +
         std::to_string(total.active) + " under way";
}

std::string json_event_line(const ProgressEvent& event) {
  nlohmann::ordered_json line = {{"event", kind_name(event.kind)}, {"phase", event.phase}, {"id", event.id}};
  if (!event.label.empty()) line["label"] = event.label;
  if (event.kind != ProgressEvent::Kind::message) {
    line["done"] = event.done;
    line["total"] = event.total;
  }
  if (!event.text.empty()) line["text"] = event.text;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace drover::cli
