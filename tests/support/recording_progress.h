// Progress and Log receivers that keep what they were told. Thread-safe.
#pragma once

#include "base/log.h"
#include "base/progress.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::test {

// A ProgressEvent that owns its text.
struct RecordedEvent {
  ProgressEvent::Kind kind = ProgressEvent::Kind::message;
  std::string phase;
  std::string id;
  std::string label;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string text;
};

class RecordingProgress final : public Progress {
 public:
  void on(const ProgressEvent& event) noexcept override {
    const std::lock_guard lock(mutex_);
    events_.push_back({event.kind, std::string(event.phase), std::string(event.id), std::string(event.label), event.done, event.total,
                       std::string(event.text)});
  }

  std::vector<RecordedEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  std::vector<RecordedEvent> events(ProgressEvent::Kind kind) const {
    std::vector<RecordedEvent> chosen;
    for (const RecordedEvent& event : events()) {
      if (event.kind == kind) chosen.push_back(event);
    }
    return chosen;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<RecordedEvent> events_;
};

class RecordingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(level, text);
  }

  // Every line, whatever its level, each ended by a newline.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& [level, line] : lines_) all += line + '\n';
    return all;
  }

  bool has(LogLevel level, std::string_view part) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [line_level, line] : lines_) {
      if (line_level == level && line.find(part) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

}  // namespace drover::test
