// What --version prints, and with -v: the SHA-256 rows that this CPU can run, and which of them hashes how many streams.
#pragma once

#include "digest/sha256_figures.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct KernelView {
  std::string one;  // the row's name for a single stream
  std::vector<const Sha256Backend*> usable;
  Sha256ChoiceInUse in_use;

  // Of this process. Throws usage for a wrong DROVER_SHA256.
  static KernelView real();
};

// Which row hashes how many streams: "1: shani x1, 2: shani x2, 4-9: shani x4, 10+: avx512 x16", and as [{"from","name","lanes"}].
std::string streams_text(const Sha256Choice& choice);
nlohmann::ordered_json streams_json(const Sha256Choice& choice);
// "measured" or "table".
std::string_view source_name(FigureSource source);

// The lines after the first one.
std::string kernels_text(const KernelView& view);
// Puts "sha256", "sha256Rows", "sha256ByStreams" and "sha256Figures" into `json`.
void add_kernels(nlohmann::ordered_json& json, const KernelView& view);

}  // namespace drover::cli
