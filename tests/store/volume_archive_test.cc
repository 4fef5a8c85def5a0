#include "store/volume_archive.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/support/temp_dir.h"

#include <archive.h>
#include <archive_entry.h>
#include <boost/test/unit_test.hpp>

#include <cstring>

using namespace drover;
using drover::test::TempDir;

BOOST_AUTO_TEST_SUITE(volume_archive)

namespace {

// As engines write them: pax, with "." first, a hard link, names beyond ASCII, a capability.
std::string volume_tar(const std::string& content = "hello") {
  std::string bytes;
  archive* const a = archive_write_new();
  archive_write_set_format_pax_restricted(a);
  archive_write_set_options(a, "hdrcharset=BINARY,xattrheader=SCHILY");
  archive_write_open(a, &bytes, nullptr, [](archive*, void* to, const void* from, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(from), size);
    return static_cast<la_ssize_t>(size);
  }, nullptr);
  const auto add = [&](const std::string& path, unsigned type, unsigned mode, const std::string& data, const std::string& link) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, mode);
    archive_entry_set_uid(entry, 12);
    archive_entry_set_gid(entry, 34);
    archive_entry_set_mtime(entry, 1'000'000'000, 0);
    archive_entry_set_size(entry, static_cast<la_int64_t>(data.size()));
    if (type == AE_IFLNK) archive_entry_set_symlink(entry, link.c_str());
    if (type != AE_IFLNK && !link.empty()) archive_entry_set_hardlink(entry, link.c_str());
    if (path == "./b") archive_entry_xattr_add_entry(entry, "security.capability", "\x01\x02", 2);
    archive_write_header(a, entry);
    archive_write_data(a, data.data(), data.size());
    archive_entry_free(entry);
  };
  add("./", AE_IFDIR, 01777, "", "");
  add("./b", AE_IFREG, 04750, content, "");
  add("./hard", AE_IFREG, 04750, "", "./b");
  add("./link", AE_IFLNK, 0777, "", "b");
  add("./na\xc3\xafve", AE_IFREG, 0600, std::string(200'000, 'x'), "");
  add("./not-utf8-\xff", AE_IFREG, 0600, "y", "");
  add("./pipe", AE_IFIFO, 0600, "", "");
  archive_write_close(a);
  archive_write_free(a);
  return bytes;
}

store::ByteSource source_of(std::string bytes, std::size_t step = 1000) {
  return [bytes = std::move(bytes), step, at = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t count = std::min({out.size(), step, bytes.size() - at});
    std::memcpy(out.data(), bytes.data() + at, count);
    at += count;
    return count;
  };
}

std::string plain(const std::filesystem::path& file) {
  store::VolumeArchiveReader reader(file);
  std::string bytes;
  std::vector<std::byte> piece(777);
  while (const std::size_t got = reader.read(piece)) bytes += as_text(std::span(piece).first(got));
  return bytes;
}

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::failed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(owners_modes_links_attributes_and_contents_come_back) {
  const TempDir folder;
  const std::filesystem::path file = folder / "v.tar.zst";
  const store::XattrSource xattrs = [](const std::string& path) {
    return path == "./b" ? std::map<std::string, std::string>{{"user.note", "hi"}} : std::map<std::string, std::string>{};
  };
  const store::VolumeArchive written =
      store::write_volume_archive({}, file, {.volume = "v", .labels = {{"a", "b"}}, .time = 7}, source_of(volume_tar()), {.xattrs = xattrs});

  const store::TreeListing listing = store::list_tree({}, source_of(plain(file)));
  BOOST_TEST(listing.size() == 7U);
  BOOST_TEST(listing.at("./") == "dir 1777 12:34");
  BOOST_TEST(listing.at("./b") == "file 4750 12:34 security.capability=%01%02 user.note=hi 5 " + Digest::of("hello").to_string());
  BOOST_TEST(listing.at("./hard") == "name of ./b");
  BOOST_TEST(listing.at("./link") == "link 0777 12:34 b");
  BOOST_TEST(listing.contains("./na\xc3\xafve"));
  BOOST_TEST(listing.contains("./not-utf8-\xff"));

  const store::VolumeArchive read = store::read_volume_archive(file);
  BOOST_TEST(read.volume == "v");
  BOOST_TEST(read.labels.at("a") == "b");
  BOOST_TEST(read.time == 7);
  BOOST_TEST(read.entries == 7U);
  BOOST_TEST((read.tree == written.tree));
  BOOST_TEST((*read.tree == store::digest_of(listing)));
}

BOOST_AUTO_TEST_CASE(a_cut_or_damaged_stream_leaves_no_file) {
  const TempDir folder;
  const std::string whole = volume_tar();
  for (const std::size_t length : {std::size_t{700}, std::size_t{3000}, whole.size() / 2}) {
    BOOST_TEST((code_of([&] { store::write_volume_archive({}, folder / "v", {.volume = "v"}, source_of(whole.substr(0, length))); }) == ErrorCode::invalid), length);
  }
  const store::ByteSource failing = [](std::span<std::byte>) -> std::size_t { throw Error(ErrorCode::network, "cut"); };
  BOOST_TEST((code_of([&] { store::write_volume_archive({}, folder / "v", {.volume = "v"}, failing); }) == ErrorCode::network));
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(an_archive_is_never_written_over) {
  const TempDir folder;
  store::write_volume_archive({}, folder / "v", {.volume = "v"}, source_of(volume_tar("one")));
  BOOST_TEST((code_of([&] { store::write_volume_archive({}, folder / "v", {.volume = "v"}, source_of(volume_tar("two"))); }) == ErrorCode::io));
  BOOST_TEST(plain(folder / "v").find("one") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_a_killed_archiving_left_goes_and_nothing_else) {
  const TempDir folder;
  const std::string stale = ".mail-20260131T030000Z.tar.zst.0123456789abcdef";
  const std::vector<std::string> others{".mail.tar.zst.0123", "mail.tar.zst.0123456789abcdef", ".mail.tar.zst.0123456789abcdeX", "mail-20260131T030000Z.tar.zst"};
  write_file_durably(folder / stale, "cut");
  for (const std::string& name : others) write_file_durably(folder / name, "mine");

  const store::ByteSource at_work = [&, once = false, rest = source_of(volume_tar())](std::span<std::byte> out) mutable {
    if (!once) store::remove_stale_drafts(folder.path());  // another run tidies up: not this one's file
    once = true;
    return rest(out);
  };
  store::write_volume_archive({}, folder / "v.tar.zst", {.volume = "v"}, at_work);

  BOOST_TEST(!std::filesystem::exists(folder / stale));
  for (const std::string& name : others) BOOST_TEST(std::filesystem::exists(folder / name), name);
  BOOST_TEST(store::read_volume_archive(folder / "v.tar.zst").entries == 7U);
}

BOOST_AUTO_TEST_CASE(a_check_that_fails_leaves_no_file) {
  const TempDir folder;
  const auto check = [](const store::TreeListing& listing) {
    BOOST_TEST(listing.size() == 7U);
    throw Error(ErrorCode::digest_mismatch, "no");
  };
  BOOST_TEST((code_of([&] { store::write_volume_archive({}, folder / "v.tar.zst", {.volume = "v"}, source_of(volume_tar()), {.check = check}); }) == ErrorCode::digest_mismatch));
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(damage_of_the_file_is_noticed) {
  const TempDir folder;
  store::write_volume_archive({}, folder / "v", {.volume = "v"}, source_of(volume_tar()));
  const std::string good = read_file(folder / "v", 1U << 20U);
  for (const std::size_t length : {good.size() - 1, good.size() / 2, std::size_t{3}, std::size_t{0}}) {
    write_file_durably(folder / "cut", good.substr(0, length));
    BOOST_TEST((code_of([&] { store::read_volume_archive(folder / "cut"); }) == ErrorCode::invalid), length);
  }
  std::string hurt = good;
  hurt[good.size() / 3] = static_cast<char>(hurt[good.size() / 3] ^ 1);
  write_file_durably(folder / "hurt", hurt);
  BOOST_TEST((code_of([&] { plain(folder / "hurt"); }) == ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(an_empty_volume_and_one_of_zeros_are_volumes) {
  const TempDir folder;
  store::write_volume_archive({}, folder / "empty", {.volume = "v"}, source_of(std::string(1024, '\0')));
  BOOST_TEST(store::read_volume_archive(folder / "empty").entries == 0U);
  store::write_volume_archive({}, folder / "zeros", {.volume = "v"}, source_of(volume_tar(std::string(40U << 20U, '\0')), 1U << 20U));
  BOOST_TEST(std::filesystem::file_size(folder / "zeros") < 100'000U);
}

BOOST_AUTO_TEST_CASE(differences_are_told) {
  const store::TreeListing one{{"./a", "file 0640 0:0"}, {"./b", "dir"}};
  BOOST_TEST(store::difference_of(one, one).empty());
  BOOST_TEST(store::difference_of(one, {{"./a", "file 0600 0:0"}, {"./b", "dir"}}) == "./a is file 0600 0:0 instead of file 0640 0:0");
  BOOST_TEST(store::difference_of(one, {{"./a", "file 0640 0:0"}}) == "./b is missing");
  BOOST_TEST(store::difference_of({}, {{"./a", "x"}}) == "./a is there and should not be");
}

BOOST_AUTO_TEST_SUITE_END()
