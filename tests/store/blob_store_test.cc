#include "store/blob_store.h"

#include "base/file.h"
#include "store/blob_file.h"
#include "store/index_json.h"
#include "store/verify.h"
#include "tests/store/small_image.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

using namespace drover;
using namespace drover::store;
using test::has_code;
using test::TempDir;

namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat info {};
  BOOST_TEST_REQUIRE(stat(path.c_str(), &info) == 0, path.string());
  return info.st_mode & 07777U;
}

std::size_t count_files(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

// A process of its own that runs `function`; its exit code says whether it threw.
template <typename Function>
pid_t spawn(Function&& function) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  try {
    function();
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

int wait_for(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct UmaskGuard {
  explicit UmaskGuard(mode_t mask) : before(umask(mask)) {}
  ~UmaskGuard() { umask(before); }
  mode_t before;
};

struct BlobStoreFixture {
  TempDir dir;
  std::filesystem::path root = dir / "store";
  BlobStore open() const { return BlobStore::open(root, BlobStore::Access::write); }
  BlobStore open_read() const { return BlobStore::open(root, BlobStore::Access::read); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blob_store, BlobStoreFixture)

BOOST_AUTO_TEST_CASE(a_new_store_is_an_oci_layout) {
  const BlobStore store = open();

  BOOST_TEST(dir.read("store/oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
  BOOST_TEST(dir.read("store/index.json") == empty_index_json());
  BOOST_TEST(store.tags().empty());
  BOOST_TEST(std::filesystem::is_directory(root / "blobs/sha256"));
}

BOOST_AUTO_TEST_CASE(modes_are_the_same_under_any_umask) {
  for (const mode_t mask : {0000U, 0022U, 0077U, 0777U}) {
    const UmaskGuard guard(mask);
    const std::filesystem::path place = dir / ("store" + std::to_string(mask));
    BlobStore store = BlobStore::open(place, BlobStore::Access::write);
    const Descriptor blob = test::put(store, "x", "m");
    store.set_tags({{.name = "x:1", .descriptor = blob}});

    BOOST_TEST(mode_of(place) == 0700U);
    BOOST_TEST(mode_of(place / "ingest") == 0700U);
    BOOST_TEST(mode_of(place / "blobs") == 0755U);
    BOOST_TEST(mode_of(place / "blobs/sha256") == 0755U);
    BOOST_TEST(mode_of(store.blob_path(blob.digest)) == 0444U);
    BOOST_TEST(mode_of(place / "index.json") == 0644U);
    BOOST_TEST(mode_of(place / "oci-layout") == 0644U);
    BOOST_TEST(mode_of(place / "store.lock") == 0600U);
    BOOST_TEST(mode_of(place / "index.lock") == 0600U);
  }
}

BOOST_AUTO_TEST_CASE(reading_needs_a_store) {
  BOOST_CHECK_EXCEPTION(open_read(), Error, has_code(ErrorCode::not_found));
  BOOST_TEST(!std::filesystem::exists(root));
}

BOOST_AUTO_TEST_CASE(a_folder_of_other_things_is_refused_untouched) {
  dir.write("store/notes.txt", "mine");

  BOOST_CHECK_EXCEPTION(open(), Error, has_code(ErrorCode::refused));
  BOOST_TEST(count_files(root) == 1U);
}

BOOST_AUTO_TEST_CASE(an_opening_cut_anywhere_is_finished_by_the_next) {
  std::filesystem::create_directories(root / "blobs");
  std::filesystem::create_directories(root / "lost+found");
  dir.write("store/store.lock", "");
  dir.write("store/.oci-layout.0123456789abcdef", "{");

  BOOST_TEST(open().tags().empty());
  std::filesystem::remove(root / "index.json");
  BOOST_TEST(open().tags().empty());
}

BOOST_AUTO_TEST_CASE(layouts_of_other_versions_or_damaged_are_refused) {
  dir.write("store/oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  BOOST_CHECK_EXCEPTION(open_read(), Error, has_code(ErrorCode::unsupported));
  for (const char* text : {"", "{", "{}", "[]", R"({"imageLayoutVersion":1})"}) {
    dir.write("store/oci-layout", text);
    BOOST_CHECK_EXCEPTION(open_read(), Error, has_code(ErrorCode::invalid));
  }
}

BOOST_AUTO_TEST_CASE(folders_on_two_file_systems_are_refused) {
  struct stat here {};
  struct stat there {};
  if (stat(dir.path().c_str(), &here) != 0 || stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev || access("/dev/shm", W_OK) != 0) {
    BOOST_TEST_MESSAGE("skipped: no second file system at /dev/shm");
    return;
  }
  std::filesystem::create_directories(root);
  std::string other = "/dev/shm/drover-XXXXXX";
  BOOST_TEST_REQUIRE(mkdtemp(other.data()) != nullptr);
  std::filesystem::create_directory_symlink(other, root / "ingest");

  BOOST_CHECK_EXCEPTION(open(), Error, has_code(ErrorCode::refused));
  std::filesystem::remove_all(other);
}

BOOST_AUTO_TEST_CASE(a_layout_of_another_tool_is_read_without_a_trace) {
  const std::string bytes = "layer";
  const Descriptor blob = test::describe(bytes, media_type::oci_manifest);
  dir.write("store/oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
  dir.write("store/index.json", with_tags(empty_index_json(), {{.name = "7", .descriptor = blob}}));
  dir.write("store/blobs/sha256/" + blob.digest.hex(), bytes);
  chmod(root.c_str(), 0555);

  BlobStore store = open_read();

  BOOST_TEST(store.find_tag("7")->descriptor.digest == blob.digest);
  BOOST_TEST(store.read(blob.digest, 100) == bytes);
  BOOST_TEST(count_files(root) == 3U);
  BOOST_CHECK_EXCEPTION(store.put(blob.digest, bytes), Error, has_code(ErrorCode::refused));
  BOOST_CHECK_EXCEPTION(store.set_tags({}), Error, has_code(ErrorCode::refused));
  BOOST_CHECK_EXCEPTION(store.remove_tag("7"), Error, has_code(ErrorCode::refused));
  BOOST_CHECK_EXCEPTION(store.discard(blob.digest), Error, has_code(ErrorCode::refused));
}

BOOST_AUTO_TEST_CASE(opening_waits_for_no_cleaner) {
  { const BlobStore made = open(); }
  const std::optional<FileLock> lock = FileLock::try_acquire(root / "store.lock", FileLock::Mode::exclusive);
  BOOST_TEST_REQUIRE(lock.has_value());

  BOOST_CHECK_EXCEPTION(open(), Error, has_code(ErrorCode::locked));
  BOOST_CHECK_EXCEPTION(open_read(), Error, has_code(ErrorCode::locked));
}

BOOST_AUTO_TEST_CASE(several_may_have_it_open_and_hold_off_the_cleaner) {
  {
    const BlobStore one = open();
    const BlobStore two = open_read();
    BOOST_TEST(!FileLock::try_acquire(root / "store.lock", FileLock::Mode::exclusive).has_value());
  }
  BOOST_TEST(FileLock::try_acquire(root / "store.lock", FileLock::Mode::exclusive).has_value());
}

BOOST_AUTO_TEST_CASE(bytes_come_back_under_their_digest) {
  BlobStore store = open();
  const Digest sha256 = Digest::of("hello");
  const Digest sha512 = Digest::of("hello", Digest::Algorithm::sha512);
  const Digest empty = Digest::of("");

  store.put(sha256, "hello");
  store.put(sha512, "hello");
  store.put(empty, "");

  BOOST_TEST(store.read(sha256, 5) == "hello");
  BOOST_TEST(store.read(sha512, 5) == "hello");
  BOOST_TEST(store.read(empty, 0) == "");
  BOOST_TEST(store.has(sha256, 5));
  BOOST_TEST(!store.has(sha256, 4));
  BOOST_TEST(store.find_size(sha512).value() == 5U);
  BOOST_TEST(!store.find_size(Digest::of("other")));
  BOOST_TEST(count_files(root / "ingest") == 0U);
}

BOOST_AUTO_TEST_CASE(a_digest_that_lies_leaves_nothing) {
  BlobStore store = open();

  BOOST_CHECK_EXCEPTION(store.put(Digest::of("hello"), "hellO"), Error, has_code(ErrorCode::digest_mismatch));
  BOOST_TEST(count_files(root / "blobs/sha256") == 0U);
  BOOST_TEST(count_files(root / "ingest") == 0U);
}

BOOST_AUTO_TEST_CASE(a_write_that_fails_leaves_nothing) {
  { const BlobStore made = open(); }
  const pid_t child = spawn([&] {
    BlobStore store = open();
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 50, .rlim_max = 50};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    const std::string bytes(100, 'x');
    try {
      store.put(Digest::of(bytes), bytes);
      _exit(3);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::io) _exit(4);
    }
  });
  BOOST_TEST(wait_for(child) == 0);
  BOOST_TEST(count_files(root / "ingest") == 0U);
  BOOST_TEST(count_files(root / "blobs/sha256") == 0U);
}

BOOST_AUTO_TEST_CASE(a_planted_blob_is_not_believed) {
  BlobStore store = open();
  const Digest digest = Digest::of("hello");
  dir.write("store/blobs/sha256/" + digest.hex(), "hellO");

  BOOST_CHECK_EXCEPTION(store.read(digest, 100), Error, has_code(ErrorCode::digest_mismatch));
  store.put(digest, "hello");
  BOOST_TEST(store.read(digest, 100) == "hello");
}

BOOST_AUTO_TEST_CASE(reading_is_bounded_and_absence_is_named) {
  BlobStore store = open();
  const Digest digest = Digest::of("hello");
  BOOST_CHECK_EXCEPTION(store.read(digest, 100), Error, has_code(ErrorCode::not_found));
  store.put(digest, "hello");
  BOOST_CHECK_EXCEPTION(store.read(digest, 4), Error, has_code(ErrorCode::size_mismatch));
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_no_blob) {
  BlobStore store = open();
  const Digest pipe = Digest::of("pipe");
  const Digest folder = Digest::of("folder");
  BOOST_TEST_REQUIRE(mkfifo(store.blob_path(pipe).c_str(), 0600) == 0);
  std::filesystem::create_directory(store.blob_path(folder));

  BOOST_TEST(!store.find_size(pipe));
  BOOST_TEST(!store.find_size(folder));
  BOOST_CHECK_EXCEPTION(store.read(pipe, 100), Error, has_code(ErrorCode::invalid));
  BOOST_CHECK_EXCEPTION(store.read(folder, 100), Error, has_code(ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(adopting_moves_a_part_into_place_read_only) {
  BlobStore store = open();
  const Digest digest = Digest::of("hello");
  dir.write("store/ingest/x.part", "hello");

  store.adopt(digest, root / "ingest/x.part");

  BOOST_TEST(store.read(digest, 100) == "hello");
  BOOST_TEST(mode_of(store.blob_path(digest)) == 0444U);
  BOOST_TEST(count_files(root / "ingest") == 0U);
}

BOOST_AUTO_TEST_CASE(adopting_a_link_is_refused) {
  BlobStore store = open();
  dir.write("outside", "hello");
  std::filesystem::create_symlink(dir / "outside", root / "ingest/x.part");

  BOOST_CHECK_EXCEPTION(store.adopt(Digest::of("hello"), root / "ingest/x.part"), Error, has_code(ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(discarding_moves_a_blob_out_of_the_way) {
  BlobStore store = open();
  const Digest digest = Digest::of("hello");
  store.put(digest, "hello");

  store.discard(digest);
  store.discard(digest);

  BOOST_TEST(!store.find_size(digest));
  BOOST_TEST(count_files(root / "ingest") == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_distrusted_is_not_seen_until_it_is_replaced_and_stays) {
  BlobStore store = open();
  const Digest one = Digest::of("hello");
  const Digest two = Digest::of("world");
  store.put(one, "hello");
  store.put(two, "world");
  for (const Digest& digest : {one, two}) {
    std::filesystem::remove(store.blob_path(digest));
    dir.write("store/blobs/sha256/" + digest.hex(), "wrong");
  }

  store.distrust({one, two});
  BOOST_TEST(!store.has(one, 5));
  BOOST_TEST(!store.find_size(two));
  BOOST_TEST(std::filesystem::exists(store.blob_path(one)));
  BOOST_TEST(open_read().has(one, 5));
  store.put(one, "hello");
  BOOST_TEST(store.has(one, 5));
  BOOST_TEST(store.read(one, 5) == "hello");
  BOOST_TEST(!store.has(two, 5));

  store.distrust({});
  BOOST_TEST(store.has(two, 5));
}

BOOST_AUTO_TEST_CASE(ingest_names_follow_the_part_files) {
  const Digest digest = Digest::of("hello");
  BOOST_TEST(open().ingest_path(digest, ".part") == root / "ingest" / ("sha256-" + digest.hex() + ".part"));
}

BOOST_AUTO_TEST_CASE(tags_are_set_found_replaced_and_removed) {
  BlobStore store = open();
  const Descriptor one = test::put(store, "one", media_type::oci_manifest);
  const Descriptor two = test::put(store, "two", media_type::oci_index);

  store.set_tags({{.name = "docker.io/library/b:1", .descriptor = one}, {.name = "docker.io/library/a:1", .descriptor = one}});
  store.set_tags({{.name = "docker.io/library/b:1", .descriptor = two}});

  BOOST_TEST(store.tags().size() == 2U);
  BOOST_TEST((store.find_tag("docker.io/library/a:1")->descriptor == one));
  BOOST_TEST((store.find_tag("docker.io/library/b:1")->descriptor == two));
  BOOST_TEST(!store.find_tag("docker.io/library/c:1"));
  BOOST_TEST(store.remove_tag("docker.io/library/b:1"));
  BOOST_TEST(!store.remove_tag("docker.io/library/b:1"));
  BOOST_TEST(store.tags().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_tag_never_names_a_missing_blob) {
  BlobStore store = open();
  const Descriptor there = test::put(store, "there", media_type::oci_manifest);
  Descriptor wrong_size = there;
  wrong_size.size = 1;

  for (const Descriptor& bad : {test::describe("missing", media_type::oci_manifest), wrong_size}) {
    BOOST_CHECK_EXCEPTION(store.set_tags({{.name = "a:1", .descriptor = there}, {.name = "b:1", .descriptor = bad}}), Error,
                          has_code(ErrorCode::not_found));
  }
  BOOST_TEST(store.tags().empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_index_says_what_to_do_and_is_left_alone) {
  BlobStore store = open();
  const Descriptor blob = test::put(store, "x", media_type::oci_manifest);
  dir.write("store/index.json", R"({"schemaVersion":2,"manif)");

  for (const auto& use : {std::function<void()>([&] { store.tags(); }), std::function<void()>([&] { store.set_tags({{"x:1", blob}}); }),
                          std::function<void()>([&] { store.remove_tag("x:1"); })}) {
    BOOST_CHECK_EXCEPTION(use(), Error, [&](const Error& e) {
      const std::string text = e.what();
      return e.code() == ErrorCode::invalid && text.find(root.string()) != std::string::npos && text.find("move index.json away") != std::string::npos;
    });
  }
  BOOST_TEST(dir.read("store/index.json") == R"({"schemaVersion":2,"manif)");
}

BOOST_AUTO_TEST_CASE(an_index_beyond_its_bound_is_not_read) {
  const BlobStore store = open();
  std::filesystem::resize_file(root / "index.json", index_json_bytes_max + 1);
  BOOST_CHECK_EXCEPTION(store.tags(), Error, has_code(ErrorCode::size_mismatch));
}

BOOST_AUTO_TEST_CASE(temporary_files_of_a_crash_change_nothing) {
  BlobStore store = open();
  const Descriptor blob = test::put(store, "x", media_type::oci_manifest);
  store.set_tags({{.name = "x:1", .descriptor = blob}});
  dir.write("store/.index.json.0123456789abcdef", "{");
  dir.write("store/ingest/sha256-" + blob.digest.hex() + ".put-0123456789abcdef", "half");

  const BlobStore again = open();
  BOOST_TEST(again.tags().size() == 1U);
  BOOST_TEST(again.read(blob.digest, 10) == "x");
}

BOOST_AUTO_TEST_CASE(threads_lose_no_tag_of_each_other) {
  BlobStore store = open();
  const Descriptor blob = test::put(store, "x", media_type::oci_manifest);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 5; ++i) store.set_tags({{.name = "t" + std::to_string(t) + ":" + std::to_string(i), .descriptor = blob}});
      });
    }
  }
  BOOST_TEST(store.tags().size() == 20U);
}

BOOST_AUTO_TEST_CASE(processes_lose_no_tag_of_each_other) {
  { const BlobStore made = open(); }
  std::vector<pid_t> children;
  for (int p = 0; p < 2; ++p) {
    children.push_back(spawn([&] {
      BlobStore store = open();
      for (int i = 0; i < 10; ++i) {
        const Descriptor blob = test::put(store, "shared " + std::to_string(i), media_type::oci_manifest);
        store.set_tags({{.name = "p" + std::to_string(p) + ":" + std::to_string(i), .descriptor = blob}});
      }
    }));
  }
  for (const pid_t child : children) BOOST_TEST(wait_for(child) == 0);
  BOOST_TEST(open().tags().size() == 20U);
}

BOOST_AUTO_TEST_CASE(kill_at_any_moment_leaves_a_sound_store) {
  { const BlobStore made = open(); }
  for (int round = 0; round < 12; ++round) {
    const pid_t child = spawn([&] {
      BlobStore store = open();
      for (int i = 0;; ++i) {
        const std::string name = std::to_string(round) + ":" + std::to_string(i % 20);
        store.set_tags({{.name = name, .descriptor = test::put_image(store, "amd64", {name, name + " second"})}});
        if (i % 3 == 2) store.remove_tag(name);
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + 3 * round));
    kill(child, SIGKILL);
    wait_for(child);

    BlobStore store = open();
    const VerifyReport report = verify({}, store, {});
    BOOST_TEST(report.is_sound(), to_text(report));
    store.set_tags({});  // the lock died with its holder
  }
}

BOOST_AUTO_TEST_CASE(a_store_moves_with_its_object) {
  BlobStore first = open();
  const BlobStore second = std::move(first);
  BOOST_TEST(second.tags().empty());
  BOOST_TEST(!FileLock::try_acquire(root / "store.lock", FileLock::Mode::exclusive).has_value());
}

BOOST_AUTO_TEST_CASE(listing_tells_blobs_from_foreign_files) {
  BlobStore store = open();
  const Descriptor blob = test::put(store, "x", media_type::oci_manifest);
  dir.write("store/blobs/sha256/README", "");
  dir.write("store/blobs/md5/00", "");

  const BlobListing listing = list_blobs(root);

  BOOST_TEST_REQUIRE(listing.blobs.size() == 1U);
  BOOST_TEST(listing.blobs[0].digest == blob.digest);
  BOOST_TEST(listing.blobs[0].size == 1U);
  BOOST_TEST(listing.foreign == (std::vector<std::string>{"blobs/md5", "blobs/sha256/README"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
