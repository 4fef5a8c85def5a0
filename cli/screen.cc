#include "cli/screen.h"

namespace drover::cli {

std::string Screen::erase_frame() const {
  if (frame_.empty()) return {};
  return "\r\x1b[" + std::to_string(frame_.size()) + "A\x1b[J";  // cursor up, erase to the end of the screen (ECMA-48)
}

std::string Screen::frame_text() const {
  std::string text;
  for (const std::string& line : frame_) text += line + "\n";
  return text;
}

void Screen::write_line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  out_ << erase_frame() + std::string(text) + "\n" + frame_text() << std::flush;
}

void Screen::draw(const std::vector<std::string>& lines) {
  const std::lock_guard lock(mutex_);
  std::string text = erase_frame();
  frame_ = lines;
  out_ << text + frame_text() << std::flush;
}

void Screen::clear() { draw({}); }

void Screen::without_frame(const std::function<void()>& write) {
  const std::lock_guard lock(mutex_);
  out_ << erase_frame() << std::flush;
  frame_.clear();  // the next tick draws it again
  write();
}

}  // namespace drover::cli
