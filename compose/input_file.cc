#include "compose/input_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace drover::compose {

std::optional<std::string> try_read_input(const std::filesystem::path& path, std::size_t bytes_max) {
  UniqueFd fd;
  try {
    fd = open_file(path, O_RDONLY);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
  std::string content;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error("cannot read", path.string());
    if (count == 0) return content;
    if (content.size() + static_cast<std::size_t>(count) > bytes_max)
      throw Error(ErrorCode::size_mismatch, "cannot read " + path.string() + ": it is larger than " + format_bytes(bytes_max));
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace drover::compose
