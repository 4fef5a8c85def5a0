// Standard error as lines that stay and a frame below them that is redrawn in place.
#pragma once

#include <functional>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

// Thread-safe: warnings, progress and errors share one screen, so that a redrawn frame never swallows a line.
class Screen {
 public:
  explicit Screen(std::ostream& out) : out_(out) {}

  // A line that stays, above the frame.
  void write_line(std::string_view text);
  // Replaces the frame. Terminal only; each line must be shorter than the window is wide.
  void draw(const std::vector<std::string>& lines);
  void clear();
  // Calls `write` while no frame is shown: for standard output, which may be the same terminal. What it throws passes.
  void without_frame(const std::function<void()>& write);

 private:
  std::string erase_frame() const;
  std::string frame_text() const;

  std::mutex mutex_;
  std::ostream& out_;
  std::vector<std::string> frame_;
};

}  // namespace drover::cli
