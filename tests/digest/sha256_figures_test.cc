#include "digest/sha256_figures.h"

#include "tests/digest/sha256_reference.h"
#include "tests/support/temp_dir.h"

#include <sys/stat.h>
#include <unistd.h>

namespace drover {
namespace {

namespace utf = boost::unit_test;

std::vector<const Sha256Backend*> rows_here() {
  std::vector<const Sha256Backend*> rows;
  for (const Sha256Backend& row : sha256_backends) {
    if (is_runnable(row, cpu_features())) rows.push_back(&row);
  }
  return rows;
}

std::vector<Sha256Figure> some_figures() {
  std::vector<Sha256Figure> figures;
  for (const Sha256Backend* row : rows_here()) {
    figures.push_back({.row = row, .per_byte = 100 + static_cast<double>(figures.size())});
  }
  return figures;
}

const std::string key = "GenuineIntel 6-207-2, drover 1.2.3";

// Each case gets a folder of its own, and leaves the process without a file.
struct Fixture {
  test::TempDir dir;
  std::filesystem::path file = dir.path() / "cache" / "sha256";

  Fixture() { ::mkdir(file.parent_path().c_str(), 0700); }
  ~Fixture() { keep_sha256_figures_in({}, ""); }
};

// Preconditions: what does not hold is reported and skipped.
boost::test_tools::assertion_result is_unforced(boost::unit_test::test_unit_id) { return wanted_sha256_backend() == nullptr; }
boost::test_tools::assertion_result is_forced(boost::unit_test::test_unit_id) { return wanted_sha256_backend() != nullptr; }
boost::test_tools::assertion_result is_root(boost::unit_test::test_unit_id) { return ::geteuid() == 0; }

BOOST_FIXTURE_TEST_SUITE(sha256_figures, Fixture)

BOOST_AUTO_TEST_CASE(figures_come_back_as_they_were_written) {
  const auto figures = some_figures();
  const std::string text = format_sha256_figures(key, figures);

  const auto parsed = parse_sha256_figures(text, key, rows_here());

  BOOST_TEST_REQUIRE(parsed.has_value());
  BOOST_TEST_REQUIRE(parsed->size() == figures.size());
  for (std::size_t i = 0; i < figures.size(); ++i) {
    BOOST_TEST((*parsed)[i].row == figures[i].row);
    BOOST_TEST((*parsed)[i].per_byte == figures[i].per_byte);
  }
}

// Cut anywhere, one character replaced anywhere: nothing, or figures that differ in a digit. Never an exception.
BOOST_AUTO_TEST_CASE(any_other_text_is_nothing) {
  const std::string text = format_sha256_figures(key, some_figures());
  const auto rows = rows_here();
  for (std::size_t i = 0; i < text.size(); ++i) {
    BOOST_TEST(!parse_sha256_figures(text.substr(0, i), key, rows).has_value());
    for (const char c : {'\0', '\n', ' ', '-', '9', 'x', '\xff'}) {
      std::string other = text;
      other[i] = c;
      const bool is_digit_for_digit = c == '9' && text[i] >= '0' && text[i] <= '9';
      if (other != text && !is_digit_for_digit) BOOST_TEST(!parse_sha256_figures(other, key, rows).has_value(), i);
    }
  }
  const std::string last = std::string(rows.back()->name) + " 1 ";
  for (const char* figure : {"0", "1", "14", "1000001", "99999999999999999999", "-5", "1.5", "", " 100", "nan"}) {
    std::string other = text.substr(0, text.find(last) + last.size()) + figure + "\nend\n";
    BOOST_TEST(!parse_sha256_figures(other, key, rows).has_value(), figure);
  }
  BOOST_TEST(!parse_sha256_figures(text, "GenuineIntel 6-207-2, drover 1.2.4", rows).has_value());
  BOOST_TEST(!parse_sha256_figures(text + "end\n", key, rows).has_value());
  BOOST_TEST(!parse_sha256_figures("", key, rows).has_value());
}

BOOST_AUTO_TEST_CASE(a_measurement_has_a_figure_for_every_row) {
  const auto figures = measure_sha256(rows_here(), std::chrono::milliseconds(2));
  BOOST_TEST_REQUIRE(figures.size() == rows_here().size());
  for (const Sha256Figure& figure : figures) {
    BOOST_TEST((figure.per_byte >= 15 && figure.per_byte <= 1e6), figure.row->name << ": " << figure.per_byte);
  }
  BOOST_TEST(parse_sha256_figures(format_sha256_figures(key, figures), key, rows_here()).has_value());
}

BOOST_AUTO_TEST_CASE(without_a_file_the_table_decides) {
  BOOST_TEST((known_sha256_choice().source == FigureSource::table));
  sha256_choice_for(UINT64_MAX);
  BOOST_TEST((known_sha256_choice().source == FigureSource::table));
}

BOOST_AUTO_TEST_CASE(little_to_hash_measures_nothing) {
  keep_sha256_figures_in(file, "1.2.3");
  sha256_choice_for(sha256_measurement_bytes - 1);
  known_sha256_choice();
  BOOST_TEST(!std::filesystem::exists(file));
}

// A wish is the table's business.
BOOST_AUTO_TEST_CASE(a_wish_measures_nothing, *utf::precondition(is_forced)) {
  keep_sha256_figures_in(file, "1.2.3");
  sha256_choice_for(UINT64_MAX);
  BOOST_TEST(!std::filesystem::exists(file));
}

BOOST_AUTO_TEST_CASE(much_to_hash_measures_once_and_keeps_it, *utf::precondition(is_unforced)) {
  std::filesystem::remove(file.parent_path());
  keep_sha256_figures_in(file, "1.2.3");
  sha256_choice_for(sha256_measurement_bytes);
  BOOST_TEST((known_sha256_choice().source == FigureSource::measured));
  const auto first = std::filesystem::last_write_time(file);
  struct stat info {};
  BOOST_TEST_REQUIRE(stat(file.c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777U) == 0600U);

  keep_sha256_figures_in(file, "1.2.3");
  BOOST_TEST((known_sha256_choice().source == FigureSource::measured));
  sha256_choice_for(sha256_measurement_bytes);
  BOOST_TEST((std::filesystem::last_write_time(file) == first));

  keep_sha256_figures_in(file, "1.2.4");  // another version may have other rows
  BOOST_TEST((known_sha256_choice().source == FigureSource::table));
}

// Figures of a file decide: here they say that the portable row is the fastest.
BOOST_AUTO_TEST_CASE(a_kept_file_decides, *utf::precondition(is_unforced)) {
  auto figures = some_figures();
  figures.back().per_byte = 20;
  dir.write("cache/sha256", format_sha256_figures(CpuModel::host().to_string() + ", drover 1.2.3", figures));
  ::chmod(file.c_str(), 0600);
  keep_sha256_figures_in(file, "1.2.3");

  const Sha256ChoiceInUse known = known_sha256_choice();

  BOOST_TEST((known.source == FigureSource::measured));
  BOOST_TEST(std::string(known.choice.row_for(16).name) == "portable");
  BOOST_TEST(std::string(sha256_choice_for(sha256_measurement_bytes).row_for(16).name) == "portable");
  BOOST_TEST(std::string(sha256_choice_for(0).row_for(1).name) == choose_sha256_backend(nullptr, cpu_features()).name);
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_nobody_s_fault) {
  dir.write("plain", "x");
  keep_sha256_figures_in(dir.path() / "plain" / "sha256", "1.2.3");
  BOOST_CHECK_NO_THROW(sha256_choice_for(sha256_measurement_bytes));
  BOOST_CHECK_NO_THROW(known_sha256_choice());
}

BOOST_AUTO_TEST_CASE(only_own_files_in_own_folders_are_read) {
  dir.write("cache/sha256", "figures");
  ::chmod(file.c_str(), 0600);
  BOOST_TEST(read_own_file(file).value() == "figures");

  for (const mode_t mode : {0620, 0602, 0666}) {
    ::chmod(file.c_str(), mode);
    BOOST_TEST(!read_own_file(file).has_value(), "file " << mode);
  }
  ::chmod(file.c_str(), 0644);
  BOOST_TEST(read_own_file(file).has_value());
  for (const mode_t mode : {0770, 0777, 01777}) {
    ::chmod(file.parent_path().c_str(), mode);
    BOOST_TEST(!read_own_file(file).has_value(), "folder " << mode);
  }
  ::chmod(file.parent_path().c_str(), 0700);

  dir.write("cache/sha256", std::string(4097, 'x'));
  BOOST_TEST(!read_own_file(file).has_value());
  dir.write("cache/sha256", std::string(4096, 'x'));
  BOOST_TEST(read_own_file(file).has_value());

  std::filesystem::create_symlink(file, file.parent_path() / "link");
  BOOST_TEST(!read_own_file(file.parent_path() / "link").has_value());
  std::filesystem::create_directory_symlink(file.parent_path(), dir.path() / "folder-link");
  BOOST_TEST(!read_own_file(dir.path() / "folder-link" / "sha256").has_value());
  BOOST_TEST_REQUIRE(::mkfifo((file.parent_path() / "fifo").c_str(), 0600) == 0);
  BOOST_TEST(!read_own_file(file.parent_path() / "fifo").has_value());  // and does not block
  std::filesystem::create_directory(file.parent_path() / "folder");
  BOOST_TEST(!read_own_file(file.parent_path() / "folder").has_value());
  BOOST_TEST(!read_own_file(file.parent_path() / "none").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_of_somebody_else_is_not_read, *utf::precondition(is_root)) {
  dir.write("cache/sha256", "figures");
  ::chmod(file.c_str(), 0600);
  BOOST_TEST_REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  BOOST_TEST(!read_own_file(file).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover
