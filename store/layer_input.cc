#include "store/layer_input.h"

#include "base/error.h"

#include <fcntl.h>

#include <utility>

namespace drover::store {
namespace {

constexpr std::size_t buffer_bytes = 256U << 10U;
constexpr std::size_t layer_read_ahead_bytes = 2U << 20U;

}  // namespace

LayerInput::LayerInput(const std::filesystem::path& file, OnRead on_read)
    : path_(file), on_read_(std::move(on_read)), fd_(open_file(file, O_RDONLY | O_NONBLOCK | O_NOCTTY)), buffer_(buffer_bytes) {
  posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

std::span<const std::byte> LayerInput::window() {
  if (begin_ == end_) {
    posix_fadvise(fd_.get(), static_cast<off_t>(read_ + buffer_bytes), static_cast<off_t>(layer_read_ahead_bytes), POSIX_FADV_WILLNEED);
    begin_ = 0;
    end_ = read_at(fd_.get(), buffer_, read_, path_.string());
    read_ += end_;
    if (on_read_ && end_ > 0) on_read_(std::span<const std::byte>(buffer_).first(end_));
  }
  return std::span<const std::byte>(buffer_).subspan(begin_, end_ - begin_);
}

void LayerInput::consume(std::size_t bytes) { begin_ += bytes; }

std::uint8_t LayerInput::take() {
  const std::span<const std::byte> bytes = window();
  if (bytes.empty()) throw Error(ErrorCode::invalid, "layer " + path_.string() + " is cut short");
  ++begin_;
  return std::to_integer<std::uint8_t>(bytes[0]);
}

}  // namespace drover::store
