#include "engine/quirks.h"

#include <algorithm>

namespace drover::engine {
namespace {

constexpr std::optional<Product> docker = Product::docker;
constexpr std::optional<Product> podman = Product::podman;
constexpr std::optional<StoreKind> classic = StoreKind::classic;
constexpr std::nullopt_t any = std::nullopt;

constexpr ApiVersion api(int minor) { return {1, minor}; }

using enum Quirk;

// Engines: 20.10 speaks 1.41, 23.0 1.42, 24.0 1.43, 25.0 1.44.
constexpr QuirkRow rows[] = {
    // quirk, name, product, store, spoken below, newest below, source
    {always_classic, "always_classic", docker, any, any, api(42), "moby 23.0 was the first that could keep images in containerd"},
    {always_classic, "always_classic", podman, any, any, any, "podman has no other"},
    {refuses_zstd_layers, "refuses_zstd_layers", docker, any, any, api(42), "20.10: invalid tar header; moby 23abee412b"},
    {refuses_partial_archives, "refuses_partial_archives", podman, any, any, any, "4.3: some layer tarfiles are missing"},
    {forgets_digests, "forgets_digests", docker, classic, any, any, "20.10 to 28.5: they come from pulls alone"},
    {hides_output_format, "hides_output_format", docker, any, api(42), any, "20.10: raw-stream or nothing for both"},
    {hides_output_format, "hides_output_format", podman, any, any, any, "libpod's attach header says raw-stream for both"},
    {prunes_named_volumes, "prunes_named_volumes", any, any, api(42), any, "API 1.42: anonymous ones alone unless `all`"},
    {allows_same_names, "allows_same_names", docker, any, any, api(44), "20.10: 201 with a warning; 25.0 refuses whatever is spoken"},
    {creates_with_one_network, "creates_with_one_network", any, any, api(44), any, "20.10: cannot be connected to network endpoints"},
    {measures_alone, "measures_alone", docker, any, any, api(42), "20.10: a disk usage operation is already running"},
};

bool holds(const QuirkRow& row, const EngineTraits& traits) {
  return (!row.product || row.product == traits.product) && (!row.store || row.store == traits.store) &&
         (!row.spoken_below || traits.spoken < *row.spoken_below) && (!row.newest_below || traits.newest < *row.newest_below);
}

}  // namespace

std::span<const QuirkRow> quirk_table() { return rows; }

bool has_quirk(const EngineTraits& traits, Quirk quirk) {
  return std::any_of(std::begin(rows), std::end(rows), [&](const QuirkRow& row) { return row.quirk == quirk && holds(row, traits); });
}

}  // namespace drover::engine
