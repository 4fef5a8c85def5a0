// Where engines differ in ways that their API version does not excuse: one table, so that no call site asks for products or releases.
#pragma once

#include "engine/api_version.h"

#include <optional>
#include <span>
#include <string_view>

namespace drover::engine {

enum class StoreKind {
  classic,     // graph drivers: image ID = config digest, layers known by chain ID
  containerd,  // image ID = index or manifest digest, layers known by blob digest
};

enum class Product { docker, podman };

// What is known of an engine.
struct EngineTraits {
  Product product = Product::docker;
  ApiVersion spoken;                         // what requests say: the smaller of ours and the engine's, or a pinned one
  ApiVersion newest;                         // what the engine says that it speaks
  std::optional<StoreKind> store = {};       // where it is known: GET /info tells
};

enum class Quirk {
  always_classic,            // its store is the classic one: GET /info need not be asked
  refuses_zstd_layers,       // in a loaded archive
  refuses_partial_archives,  // a loaded archive has to bring every layer, there or not
  forgets_digests,           // a loaded image has no RepoDigests until it is pulled
  hides_output_format,       // Content-Type does not tell frames from a terminal's bytes
  prunes_named_volumes,      // POST /volumes/prune takes every unused volume, named ones too
  allows_same_names,         // two networks may have one name
  creates_with_one_network,  // a container's other networks are to be connected after its creation
  measures_alone,            // GET /system/df fails while another is going on
};

// One row: all that is set has to hold.
struct QuirkRow {
  Quirk quirk;
  std::string_view name;
  std::optional<Product> product;
  std::optional<StoreKind> store;
  std::optional<ApiVersion> spoken_below;
  std::optional<ApiVersion> newest_below;
  std::string_view source;  // where it was read or seen
};

std::span<const QuirkRow> quirk_table();

// A row about a store never holds for an engine whose store is not known.
bool has_quirk(const EngineTraits& traits, Quirk quirk);

}  // namespace drover::engine
