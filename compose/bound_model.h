// The canonical model as docker compose binds it to its structures: every key in its place, values of one type each, empty ones
// left out. This is what `config` prints and what the config hash is taken over.
#pragma once

#include "compose/node.h"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string_view>

namespace drover::compose {

// Under which the "x-" keys of a structure stand; no key of a compose file can be this or the next two, because they are not
// UTF-8.
inline constexpr std::string_view extensions_key = "\xff"
                                                   "extensions";

// In the bind options of a volume whose `create_host_path: false` was written: docker compose does not print it, and later
// releases hash it.
inline constexpr std::string_view refused_host_path_key = "\xff"
                                                          "create_host_path";

// In a config or secret of a service whose `mode` was written as text: releases before 2.34 read that as a decimal number.
inline constexpr std::string_view text_mode_key = "\xff"
                                                  "mode";

// One structure of compose-go's types package: its members in order, "key:type" each, see model_shapes.cc for the types.
struct ModelShape {
  std::string_view name;
  std::string_view members = "";
};

std::span<const ModelShape> model_shapes();

// Binds a normalised project, all services of it. Members: name, then the sections that are not empty. Throws invalid, with place
// and path, for a value that does not fit: a size that is none, a duration without unit, a command with an open quote.
nlohmann::ordered_json bind_model(const Node& project);

// Without the three above, at any depth.
nlohmann::ordered_json without_extensions(const nlohmann::ordered_json& value);

}  // namespace drover::compose
