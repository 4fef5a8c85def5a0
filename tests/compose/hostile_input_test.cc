// Broken and random input: every outcome is a project or an Error, quickly.
#include "base/error.h"
#include "compose/dotenv.h"
#include "compose/project.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

using namespace drover;
using namespace drover::compose;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(hostile_input)

namespace {

std::vector<std::string> corpus() {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(COMPOSE_TEST_DATA))
    if (entry.path().extension() == ".yml") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return texts;
}

// Whether it loaded. Anything but an Error ends the test.
bool loads(std::string text) {
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/nonexistent";
  options.standard_input = std::move(text);
  try {
    needed_images(load_project(options));
    return true;
  } catch (const Error& error) {
    BOOST_TEST(std::string_view(error.what()).find('\n') == std::string_view::npos, error.what());
    return false;
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(cut_files_load_or_are_refused) {
  int loaded = 0;
  for (const std::string& text : corpus())
    for (std::size_t length = 0; length <= text.size(); length += 1 + text.size() / 40) loaded += loads(text.substr(0, length));
  BOOST_TEST(loaded > 0);
}

BOOST_AUTO_TEST_CASE(changed_files_load_or_are_refused) {
  constexpr std::string_view pieces[] = {"&a ", "*a ", "<<: ", "!reset ", "!override ", "!!str ", "!!int ", "${", "}", "$$", "$A", "\n---\n",
                                         "[", "]", "{", "}", ": ", "- ", "\"", "'", "|\n", ">-\n", "\t", "\r", "# ", "%", "@", "`", "?", "~",
                                         "\x80", "\xEF\xBB\xBF", "extends: a", "include: [-]", "\n  ", "null", "1e999", "0x"};
  std::mt19937 random(20240131);
  int loaded = 0;
  for (const std::string& text : corpus()) {
    for (int round = 0; round < 25; ++round) {
      std::string changed = text;
      for (int change = 0; change < 3; ++change) {
        const std::size_t at = random() % (changed.size() + 1);
        switch (random() % 3) {
          case 0: changed.insert(at, pieces[random() % std::size(pieces)]); break;
          case 1: changed.erase(at, random() % 8); break;
          default:
            if (at < changed.size()) changed[at] = static_cast<char>(random() % 256);
        }
      }
      loaded += loads(changed);
    }
  }
  BOOST_TEST(loaded > 0);
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(round % 2 ? random() % 256 : "{}[]:,-&*!|>'\"%@`# \na$<?"[random() % 25]);
    BOOST_TEST(!loads(bytes), bytes);
  }
}

BOOST_AUTO_TEST_CASE(random_env_files_are_read_or_refused) {
  std::mt19937 random(7);
  const VariableLookup nothing = [](std::string_view) { return std::nullopt; };
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(round % 2 ? random() % 256 : "AB=:'\"\\ \n$#{}-0?x\t\r"[random() % 20]);
    Environment values;
    WarningList warnings;
    try {
      parse_dotenv(bytes, "x.env", nothing, values, warnings);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::invalid));
    }
  }
}

BOOST_AUTO_TEST_CASE(services_cannot_multiply_through_extends) {
  std::string text = "services:\n  base:\n    image: x\n    environment:\n";
  for (int i = 0; i < 5000; ++i) text += "      V" + std::to_string(i) + ": 1\n";
  for (int i = 0; i < 1000; ++i) text += "  s" + std::to_string(i) + ": {extends: base}\n";

  BOOST_TEST(!loads(text));
}

BOOST_AUTO_TEST_CASE(long_chains_of_extends_are_refused) {
  std::string text = "services:\n  s0: {image: x}\n";
  for (int i = 1; i < 300; ++i) text.insert(10, "  s" + std::to_string(i) + ": {extends: s" + std::to_string(i - 1) + "}\n");

  BOOST_TEST(!loads(text));
}

BOOST_AUTO_TEST_CASE(long_chains_of_dependencies_are_fine) {
  std::string text = "services:\n  s0: {image: x}\n";
  for (int i = 1; i < 5000; ++i) text += "  s" + std::to_string(i) + ": {image: x, depends_on: [s" + std::to_string(i - 1) + "]}\n";

  BOOST_TEST(loads(text));
}

BOOST_AUTO_TEST_SUITE_END()
