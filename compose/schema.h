// The Compose schema's checks: which keys may stand where and what kind of value each takes. Keys that start with "x-" are free.
#pragma once

#include "compose/node.h"

#include <span>
#include <string_view>

namespace drover::compose {

// Throws invalid, with place and path, for the first key or value that compose's schema refuses.
void check_schema(const Node& project);

// One shape of value, in words: see schema_shapes.cc. Exposed so that a test can check that every name in the table is defined.
struct Shape {
  std::string_view name;
  // What the value itself may be, by letter: s string, i integer, n number, b boolean, 0 null, l list, m mapping.
  std::string_view kinds = "";
  // Members of a mapping, "key:type key:type"; "*:type" allows any key, "@:type" any name of [a-zA-Z0-9._-]+. A type is letters as above
  // ("a" for anything) or the name of a shape, which starts with an upper-case letter. "!" after a key: it must be there.
  std::string_view members = "";
  // Type of a list's items.
  std::string_view items = "";
  // Allowed words, separated by spaces, "*" at the end of one for any ending; "" for any string.
  std::string_view words = "";
  bool has_unique_items = false;
};

std::span<const Shape> schema_shapes();

}  // namespace drover::compose
