#include "engine/odd_layer.h"

#include "base/text.h"
#include "manifest/media_type.h"

namespace drover::engine {
namespace {

using store::Compression;

// Image-spec v1.1 §layer media types, and Docker's.
Compression named_compression(std::string_view media_type) {
  if (!is_layer_media_type(media_type)) return Compression::unknown;
  if (media_type.ends_with("gzip")) return Compression::gzip;
  return media_type.ends_with("zstd") ? Compression::zstd : Compression::none;
}

std::string_view describe(Compression compression) {
  switch (compression) {
    case Compression::none: return "plain tar";
    case Compression::gzip: return "gzip";
    case Compression::zstd: return "zstd";
    case Compression::unknown: break;
  }
  return "neither tar nor gzip nor zstd";
}

}  // namespace

std::optional<std::string> describe_odd_layer(std::string_view media_type, Compression found) {
  const Compression named = named_compression(media_type);
  if (named == found && named != Compression::unknown) return std::nullopt;
  const std::string_view which = named == Compression::unknown ? ", which is no layer's media type," : "";
  return "is named " + printable(media_type) + std::string(which) + " and is " + std::string(describe(found));
}

}  // namespace drover::engine
