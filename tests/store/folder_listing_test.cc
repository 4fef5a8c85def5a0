#include "store/folder_listing.h"

#include "base/file.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

using namespace drover;
using drover::test::TempDir;

BOOST_AUTO_TEST_SUITE(folder_listing)

namespace {

const std::string three = "3 " + Digest::of("abc").to_string();

void fill(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "d");
  write_file_durably(folder / "d/a b", "abc");
  std::filesystem::create_hard_link(folder / "d/a b", folder / "hard");
  std::filesystem::create_symlink("d/a b", folder / "sym");
  BOOST_REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
}

// As an engine sends that folder.
store::TreeListing archived() {
  return {{"./", "dir 0755 0:0"},       {"./d/", "dir 0755 1:2"},         {"./d/a b", "file 0600 0:0 user.x=%20 " + three},
          {"./hard", "name of ./d/a b"}, {"./sym", "link 0777 0:0 d/a b"}, {"./pipe", "fifo 0600 0:0"}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_folder_and_a_whole_archive_of_it_are_the_same) {
  const TempDir folder;
  fill(folder.path());
  const store::FolderListing listing = store::list_folder({}, folder.path());
  BOOST_TEST(listing.unreadable.empty());
  BOOST_TEST(listing.entries.at("./d/a b") == "file " + three);
  BOOST_TEST(listing.entries.at("./hard") == "file " + three);
  BOOST_TEST(listing.entries.at("./sym") == "link d/a b");
  BOOST_TEST(store::difference_of_contents(archived(), listing) == "");
}

BOOST_AUTO_TEST_CASE(what_an_archive_lacks_or_has_too_much_or_otherwise_is_told) {
  const TempDir folder;
  fill(folder.path());
  const store::FolderListing listing = store::list_folder({}, folder.path());
  for (const auto& [path, words] : archived()) {
    store::TreeListing lacking = archived();
    lacking.erase(path);
    BOOST_TEST(store::difference_of_contents(lacking, listing) != "", path);
  }
  store::TreeListing other = archived();
  other["./new"] = "fifo 0600 0:0";
  BOOST_TEST(store::difference_of_contents(other, listing) == "./new is in it and not in the folder");
  other = archived();
  other["./sym"] = "link 0777 0:0 d/a";
  BOOST_TEST(store::difference_of_contents(other, listing) == "./sym is link 0777 0:0 d/a in it and link d/a b in the folder");
  other["./sym"] = "fifo 0777 0:0";
  BOOST_TEST(store::difference_of_contents(other, listing) != "");

  write_file_durably(folder / "d/a b", "abd");
  BOOST_TEST(store::difference_of_contents(archived(), store::list_folder({}, folder.path())).starts_with("./d/a b is file"));
}

BOOST_AUTO_TEST_SUITE_END()
