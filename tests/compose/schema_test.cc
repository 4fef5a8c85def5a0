#include "compose/schema.h"

#include "base/text.h"
#include "compose/short_volume.h"
#include "compose/yaml.h"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(schema)

// A type that no row defines would only be noticed when somebody writes that key.
BOOST_AUTO_TEST_CASE(every_type_in_the_table_is_defined) {
  std::set<std::string_view> names;
  for (const Shape& shape : schema_shapes()) BOOST_TEST(names.insert(shape.name).second, shape.name);
  const auto check = [&](std::string_view type, std::string_view where) {
    BOOST_REQUIRE_MESSAGE(!type.empty(), where);
    const bool is_letters = type.find_first_not_of("sinb0lma") == std::string_view::npos;
    BOOST_TEST((is_letters || names.contains(type)), where << ": " << type);
  };
  for (const Shape& shape : schema_shapes()) {
    BOOST_TEST(shape.kinds.find_first_not_of("sinb0lm") == std::string_view::npos, shape.name);
    BOOST_TEST((shape.kinds.find('l') == std::string_view::npos || !shape.items.empty()), shape.name);
    if (!shape.items.empty()) check(shape.items, shape.name);
    for (const std::string_view member : split(shape.members, ' '))
      if (!member.empty()) check(member.substr(member.find(':') + 1), shape.name);
  }
}

BOOST_AUTO_TEST_CASE(numbers_and_integers_fit_as_in_json) {
  const auto accepts = [](std::string_view text) {
    try {
      check_schema(parse_yaml(text, "f.yml").at(0).root);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  };
  BOOST_TEST(accepts("services: {a: {scale: 2}}"));
  BOOST_TEST(accepts("services: {a: {scale: 2.0}}"));
  BOOST_TEST(!accepts("services: {a: {scale: 2.5}}"));
  BOOST_TEST(accepts("services: {a: {cpus: 1}}"));
  BOOST_TEST(accepts("services: {a: {cpus: 1.5}}"));
  BOOST_TEST(!accepts("services: {a: {cpus: true}}"));
  BOOST_TEST(accepts("services: {a: {pull_policy: every_12h}}"));
  BOOST_TEST(!accepts("services: {a: {pull_policy: sometimes}}"));
  BOOST_TEST(!accepts("services: {a: {ulimits: {nofile: {soft: 1}}}}"));
  BOOST_TEST(accepts("services: {a: {healthcheck: {x-note: 1}}}"));
}

BOOST_AUTO_TEST_CASE(short_volumes_are_split) {
  const auto parts = [](std::string_view text) -> std::string {
    const auto volume = parse_short_volume(text);
    if (!volume) return "refused";
    return std::string(volume->source) + "|" + std::string(volume->target) + "|" + std::string(volume->options) + (volume->is_bind ? "|bind" : "");
  };
  BOOST_TEST(parts("/data") == "|/data|");
  BOOST_TEST(parts("x") == "|x|");
  BOOST_TEST(parts("named:/data") == "named|/data|");
  BOOST_TEST(parts("./a:/data:ro,z") == "./a|/data|ro,z|bind");
  BOOST_TEST(parts("~/a:/data") == "~/a|/data||bind");
  BOOST_TEST(parts("C:\\a:/data") == "C:\\a|/data||bind");
  BOOST_TEST(parts("") == "refused");
  BOOST_TEST(parts("ab::cd") == "refused");
  BOOST_TEST(parts("aa:bb:cc:dd") == "refused");
}

BOOST_AUTO_TEST_SUITE_END()
