// Layers that are not what their media type says: they are passed on untouched, and told of.
#pragma once

#include "store/inflate.h"

#include <optional>
#include <string>
#include <string_view>

namespace drover::engine {

// "is named application/vnd.oci.image.layer.v1.tar+gzip and is plain tar": for people, behind the layer's name. Nothing when there is
// nothing to say. Pure.
std::optional<std::string> describe_odd_layer(std::string_view media_type, store::Compression found);

}  // namespace drover::engine
