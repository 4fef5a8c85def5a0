#include "store/folder_listing.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "digest/hasher.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <vector>

namespace drover::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_piece_bytes = 256U << 10U;

bool is_denied(const std::error_code& error) { return error == std::errc::permission_denied || error == std::errc::operation_not_permitted; }

std::string_view kind_of(fs::file_type type) {
  switch (type) {
    case fs::file_type::regular: return "file";
    case fs::file_type::directory: return "dir";
    case fs::file_type::symlink: return "link";
    case fs::file_type::fifo: return "fifo";
    case fs::file_type::character: return "char";
    case fs::file_type::block: return "block";
    default: return "other";
  }
}

class Walk {
 public:
  Walk(const Context& ctx, const fs::path& folder) : ctx_(ctx), folder_(folder), piece_(file_piece_bytes) {}

  FolderListing run() {
    std::error_code error;
    listing_.entries["."] = "dir";
    fs::recursive_directory_iterator entry(folder_, error);
    for (const fs::recursive_directory_iterator end; !error && entry != end && listing_.unreadable.empty(); entry.increment(error)) {
      ctx_.check_stop();
      add(*entry);
    }
    if (error) fail("cannot list", folder_, error);
    return std::move(listing_);
  }

 private:
  void fail(const std::string& what, const fs::path& path, const std::error_code& error) {
    if (!is_denied(error)) throw Error(error == std::errc::no_such_file_or_directory ? ErrorCode::not_found : ErrorCode::io, what + " " + printable(path.string()) + ": " + error.message());
    if (listing_.unreadable.empty()) listing_.unreadable = printable(path.string()) + ": " + error.message();
  }

  void add(const fs::directory_entry& entry) {
    std::error_code error;
    const fs::file_type type = entry.symlink_status(error).type();
    if (error) return fail("cannot look at", entry.path(), error);
    if (type == fs::file_type::socket) return;
    std::string words(kind_of(type));
    if (type == fs::file_type::symlink) {
      words += " " + fs::read_symlink(entry.path(), error).string();
      if (error) return fail("cannot read", entry.path(), error);
    }
    if (type == fs::file_type::regular && !add_contents(entry.path(), words)) return;
    listing_.entries["./" + entry.path().lexically_relative(folder_).string()] = std::move(words);
  }

  bool add_contents(const fs::path& path, std::string& words) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
      fail("cannot open", path, std::error_code(errno, std::generic_category()));
      return false;
    }
    Hasher hasher(Digest::Algorithm::sha256);
    std::uint64_t bytes = 0;
    while (const std::size_t got = read_at(fd.get(), piece_, bytes, path.string())) {
      ctx_.check_stop();
      hasher.update(std::span(piece_).first(got));
      bytes += got;
    }
    words += " " + std::to_string(bytes) + " " + hasher.finish().to_string();
    return true;
  }

  const Context& ctx_;
  const fs::path folder_;
  std::vector<std::byte> piece_;
  FolderListing listing_;
};

// "./d/" and "./": as engines call folders.
std::string plain_path(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Of the words of a TreeListing (docs/formats.md) what a FolderListing has; `folder` are that one's, for the target of a link stands
// before attributes and may have spaces.
bool is_same(std::string_view archived, std::string_view folder) {
  const std::string_view kind = archived.substr(0, archived.find(' '));
  if (kind != folder.substr(0, folder.find(' '))) return false;
  if (kind == "file") return archived.ends_with(folder.substr(kind.size()));
  if (kind != "link") return true;
  std::string_view target = archived;
  for (int i = 0; i < 3; ++i) target = target.substr(std::min(target.size(), target.find(' ') + 1));  // kind, mode, owner
  const std::string_view wanted = folder.substr(kind.size() + 1);
  return target.starts_with(wanted) && (target.size() == wanted.size() || target[wanted.size()] == ' ');
}

}  // namespace

FolderListing list_folder(const Context& ctx, const fs::path& folder) { return Walk(ctx, folder).run(); }

std::string difference_of_contents(const TreeListing& archived, const FolderListing& folder) {
  constexpr std::string_view name_of = "name of ";
  std::map<std::string, std::string_view> plain;
  for (const auto& [path, words] : archived) plain[plain_path(path)] = words;
  for (auto& [path, words] : plain) {
    if (!words.starts_with(name_of)) continue;
    const auto file = plain.find(plain_path(std::string(words.substr(name_of.size()))));
    if (file != plain.end()) words = file->second;
  }
  for (const auto& [path, words] : folder.entries) {
    const auto found = plain.find(path);
    if (found == plain.end()) return printable(path) + " is not in it";
    if (!is_same(found->second, words)) return printable(path) + " is " + printable(found->second) + " in it and " + printable(words) + " in the folder";
  }
  for (const auto& [path, words] : plain) {
    if (!folder.entries.contains(path)) return printable(path) + " is in it and not in the folder";
  }
  return {};
}

}  // namespace drover::store
